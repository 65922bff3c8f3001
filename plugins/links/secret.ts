import { readFileSync } from 'node:fs'

/** The least number of characters of a secret. */
export const SHORTEST = 32

export interface SecretSource {
  readonly secret?: string | undefined
  readonly secretEnv?: string | undefined
  readonly secretFile?: string | undefined
}

/** @throws Error with one line, without the secret */
export function secretFrom({ secret, secretEnv, secretFile }: SecretSource): string {
  if (secretFile !== undefined) return long(fromFile(secretFile), `secretFile: ${secretFile}`)
  if (secretEnv === undefined) return long(secret ?? '', 'secret')
  const value = process.env[secretEnv]
  if (value === undefined) throw new Error('secretEnv: that variable is not set; put the secret into it')
  return long(value, 'secretEnv')
}

/** Without the line break at its end that editors put there. */
function fromFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new Error(`secretFile: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function long(secret: string, where: string): string {
  if (secret.length >= SHORTEST) return secret
  const remedy = 'make one with: head -c 32 /dev/urandom | base64'
  throw new Error(`${where}: found ${secret.length} characters, expected at least ${SHORTEST}; ${remedy}`)
}
