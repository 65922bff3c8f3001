import { z } from '../../gateway/host/plugin-api.js'

const WEEK = 604_800

const seconds = z
  .int({ error: 'expected a whole number of seconds' })
  .min(1, { error: 'expected at least 1 second' })
  .max(31_536_000, { error: 'expected at most a year of 31536000 seconds' })
const text = z.string({ error: 'expected text' })
const texts = z
  .union([text, z.array(text).min(1, { error: 'expected text, or at least one' })], {
    error: 'expected text, or a list of texts',
  })
  .optional()

// Every message is our own, and none has a value in it: what stands in the wrong place may be the secret.
export const config = z
  .strictObject(
    {
      secret: texts,
      secretEnv: texts,
      secretFile: texts,
      maxTtl: seconds.default(WEEK),
      ttl: seconds.optional(),
      publicUrl: z
        .string({ error: 'expected an address' })
        .regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, {
          error: 'expected an address such as https://pipe.example.org',
        })
        .optional(),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? 'found a key that is unknown; the known ones are secret, secretEnv, secretFile, maxTtl, ttl and publicUrl'
          : 'expected a mapping with secret, secretEnv or secretFile',
    },
  )
  .refine((all) => [all.secret, all.secretEnv, all.secretFile].filter((each) => each !== undefined).length === 1, {
    error: 'expected exactly one of secret, secretEnv and secretFile',
  })
  .refine(({ ttl, maxTtl }) => (ttl ?? 0) <= maxTtl, { error: 'ttl is more than maxTtl' })

export type Config = z.infer<typeof config>
