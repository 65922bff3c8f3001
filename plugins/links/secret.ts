import { readFileSync } from 'node:fs'

/** The least number of characters of a secret. */
export const SHORTEST = 32

type OneOrMore = string | readonly string[] | undefined

export interface SecretSource {
  readonly secret?: OneOrMore
  readonly secretEnv?: OneOrMore
  readonly secretFile?: OneOrMore
}

/**
 * The secrets in their order: the first one signs, all of them are believed.
 * @param resolve finds a file that is named by a relative path
 * @throws Error with one line, without the secret
 */
export function secretsFrom(
  { secret, secretEnv, secretFile }: SecretSource,
  resolve = (path: string) => path,
): readonly string[] {
  return [
    ...listOf(secret).map((each) => long(each, 'secret')),
    ...listOf(secretEnv).map(fromVariable),
    ...listOf(secretFile).map((file) => long(fromFile(resolve(file)), `secretFile: ${file}`)),
  ]
}

function listOf(some: OneOrMore): readonly string[] {
  return some === undefined ? [] : [some].flat()
}

function fromVariable(name: string): string {
  const value = process.env[name]
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
