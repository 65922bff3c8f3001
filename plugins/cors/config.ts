import { z } from '../../gateway/host/plugin-api.js'

/** As browsers send it: lower case, without a path, and without the port that the scheme implies. */
function isOrigin(text: string): boolean {
  return text === '*' || text === 'null' || (URL.canParse(text) && new URL(text).origin === text)
}

export const schema = z.strictObject({
  /** Whose pages may use this gateway, `*` for everybody's. Without it those that come with credentials, where all have to. */
  origins: z
    .array(
      z
        .string()
        .refine(isOrigin, 'expected * for all, or an origin such as https://app.example:8443, or null; without a path'),
    )
    .min(1, 'expected at least one origin; leave it out to allow none')
    .optional(),
})

export type Config = z.infer<typeof schema>
