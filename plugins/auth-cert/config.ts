import { type Right, z } from '../../gateway/host/plugin-api.js'
import { rightsSchema } from '../grants/fields.js'
import { entriesSchema } from './entries.js'

export const config = z
  .strictObject(
    {
      certificates: entriesSchema.default([]),
      file: z.string({ error: 'expected the path of a file' }).min(1, { error: 'expected a path' }).optional(),
      anonymous: rightsSchema.default(new Set<Right>()),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? 'found a key that is unknown; the known ones are certificates, file and anonymous'
          : 'expected a mapping with certificates or file',
    },
  )
  .refine(({ certificates, file }) => certificates.length > 0 || file !== undefined, {
    error: 'found no certificates; say under certificates, or in a file, which ones may do what',
  })

export type Config = z.infer<typeof config>
