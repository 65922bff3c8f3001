import { z } from '../../gateway/host/plugin-api.js'
import { grantFields, words } from '../grants/fields.js'
import type { ListOf } from '../grants/list-file.js'

/** By what of it a certificate is told. */
export const KINDS = ['commonName', 'dns', 'email', 'uri', 'fingerprint'] as const

const FINGERPRINT = 'expected the SHA-256 fingerprint: 64 hex digits, with colons or without'

const pattern = (example: string) =>
  z
    .string({ error: `expected a pattern such as ${example}` })
    .regex(/^[^\p{C}]{1,256}$/u, { error: `expected a pattern such as ${example}, of at most 256 characters` })
    // With more of them a long name could be looked at for long.
    .refine((text) => text.split(/\*+/).length <= 4, { error: 'expected at most three "*" or "**"' })
    .optional()

const entrySchema = z
  .strictObject(
    {
      ...grantFields,
      commonName: pattern('agent-*'),
      dns: pattern('*.agents.example.org'),
      email: pattern('*@example.org'),
      uri: pattern('spiffe://example.org/agents/*'),
      fingerprint: z
        .string({ error: FINGERPRINT })
        .transform((text) =>
          text
            .replace(/^sha256:/i, '')
            .replaceAll(':', '')
            .toLowerCase(),
        )
        .refine((text) => /^[0-9a-f]{64}$/.test(text), { error: FINGERPRINT })
        .optional(),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? `found a key that is unknown; the known ones are ${words(...Object.keys(grantFields), ...KINDS)}`
          : `expected a mapping with name, and with one of ${KINDS.join(', ')}`,
    },
  )
  .refine((entry) => KINDS.filter((kind) => entry[kind] !== undefined).length === 1, {
    error: `expected exactly one of ${KINDS.join(', ')}`,
  })

export type Entry = z.infer<typeof entrySchema>

export const entriesSchema = z.array(entrySchema, { error: 'expected a list of certificates' })

/** What a file of certificates has. */
export const CERTIFICATES: ListOf<Entry> = { what: 'certificates', schema: entriesSchema }
