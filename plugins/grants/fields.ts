import { NamePattern, type Right, z } from '../../gateway/host/plugin-api.js'

export const RIGHTS = ['send', 'receive', 'watch'] as const satisfies readonly Right[]

export const words = (...all: readonly string[]) => all.map((word) => `"${word}"`).join(', ')

// Every message is our own, and none has a value in it: what stands in the wrong place may be a secret.
export const rightsSchema = z
  .array(z.enum(RIGHTS, { error: `expected one of ${words(...RIGHTS)}` }), { error: 'expected a list of rights' })
  .transform((list): ReadonlySet<Right> => new Set(list))

/** The keys of an entry that say what it allows. */
export const grantFields = {
  name: z.string({ error: 'expected a name' }).regex(/^[\w.@-]{1,64}$/, {
    error: 'expected 1 to 64 letters, digits, "_", "-", "." or "@"',
  }),
  project: z
    .string({ error: 'expected the name of a project' })
    .regex(/^[\w.-]{0,64}$/, { error: 'expected up to 64 letters, digits, "_", "-" or "."' })
    .default(''),
  rights: rightsSchema.default(new Set(RIGHTS)),
  names: z
    .array(
      z
        .string({ error: 'expected a pattern' })
        .refine((text) => /^[^/\s][^\s]{0,1023}$/.test(text) && !/\p{Cs}/u.test(text), {
          error: 'expected a pattern such as jobs/*, without a slash in front and without spaces',
        }),
      { error: 'expected a list of patterns' },
    )
    .min(1, { error: 'expected at least one pattern; leave names out to allow all' })
    .optional(),
}

/** What one entry allows. */
export interface Grant {
  /** Fit for a log. */
  readonly name: string
  readonly project: string
  readonly rights: ReadonlySet<Right>
  /** Undefined: every name. */
  readonly names: { readonly written: readonly string[]; readonly fit: readonly NamePattern[] } | undefined
}

type GrantFields = Pick<Grant, 'name' | 'project' | 'rights'> & { readonly names?: readonly string[] | undefined }

export function grantOf({ name, project, rights, names }: GrantFields): Grant {
  const patterns = names && { written: names, fit: names.map((each) => new NamePattern(each)) }
  return { name, project, rights, names: patterns }
}
