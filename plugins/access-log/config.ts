import { z } from '../../gateway/host/plugin-api.js'

/** A short salt lets anybody who has the log try names until one fits. */
const MIN_SALT = 16

export const accessLogConfig = z.strictObject({
  output: z
    .union([
      z.literal('stdout'),
      z.strictObject({ file: z.string().min(1, 'expected the path of a file, found nothing') }),
    ])
    .default('stdout'),
  names: z.enum(['plain', 'hashed', 'omitted']).default('plain'),
  addresses: z.enum(['plain', 'hashed', 'truncated']).default('plain'),
  /** The key of hashes. Without one every start draws its own, and hashes of two starts cannot be compared. */
  salt: z
    .union([
      z.string().min(MIN_SALT, `expected at least ${MIN_SALT} characters, found fewer`),
      z.strictObject({ env: z.string().min(1, 'expected the name of an environment variable, found nothing') }),
    ])
    .optional(),
  requests: z.boolean().default(true),
  transfers: z.boolean().default(true),
})

export type AccessLogConfig = z.infer<typeof accessLogConfig>

/** Undefined when none is configured. @throws Error with one line when the variable that should have it has none */
export function readSalt({ salt }: AccessLogConfig, env: NodeJS.ProcessEnv): string | undefined {
  if (salt === undefined || typeof salt === 'string') return salt
  const found = env[salt.env] ?? ''
  if (found.length >= MIN_SALT) return found
  const what = found === '' ? 'nothing' : `${found.length} characters`
  throw new Error(
    `config.salt.env: found ${what} in the environment variable ${salt.env}, expected at least ${MIN_SALT} characters`,
  )
}
