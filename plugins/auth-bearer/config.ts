import { type Right, z } from '../../gateway/host/plugin-api.js'
import { rightsSchema } from '../grants/fields.js'
import { entriesSchema } from './entries.js'

export const config = z
  .strictObject(
    {
      tokens: entriesSchema.default([]),
      file: z.string({ error: 'expected the path of a file' }).min(1, { error: 'expected a path' }).optional(),
      anonymous: rightsSchema.default(new Set<Right>()),
      basic: z.boolean({ error: 'expected true or false' }).default(true),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? 'found a key that is unknown; the known ones are tokens, file, anonymous and basic'
          : 'expected a mapping with tokens or file',
    },
  )
  .refine(({ tokens, file }) => tokens.length > 0 || file !== undefined, {
    error: 'found no tokens; "pipegate token" makes one, and it goes under tokens or into a file',
  })

export type Config = z.infer<typeof config>
