import { readFileSync } from 'node:fs'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WrongUsage } from '../cli/wrong-usage.js'
import type { DecryptWith } from '../encryption/decrypting.js'
import { firstLineOf } from '../passphrase-file.js'

export interface UnsealFlags {
  readonly identity: readonly string[]
  readonly passphraseFile: string | undefined
}

/** The words that a sender has said, as name and secret. */
export interface Code {
  readonly word: string
  /** What it is encrypted with, as far as the code says. */
  readonly secret: string | undefined
}

/** Two words, three digits, and the secret behind them; or anything and `#SECRET`, which no client ever sends to a server. */
const SPOKEN = /^([a-z]+-[a-z]+-\d{3})-([a-z]+(?:-[a-z]+){3,})$/
const WRITTEN = /^([^#]+)#(.+)$/s

/** Takes a code apart: `amber-otter-407-lantern-maple-…`, `backups/tuesday#lantern-maple-…`, or a name alone. */
export function readCode(text: string): Code {
  // As it is typed from hearing: in any case, with blanks.
  const [, name, spoken] = SPOKEN.exec(text.trim().toLowerCase().replace(/\s+/g, '-')) ?? []
  if (name !== undefined) return { word: name, secret: spoken }
  const [, word = text, secret] = WRITTEN.exec(text) ?? []
  return { word, secret }
}

/** What opens it; undefined when nothing was given that could. @throws WrongUsage, EncryptionError */
export async function unsealWith(
  { secret }: Code,
  { identity, passphraseFile }: UnsealFlags,
): Promise<DecryptWith | undefined> {
  if (identity.length > 0) {
    // Loaded by who decrypts.
    const { parseIdentities } = await import('../encryption/keys.js')
    return { identities: identity.flatMap((file) => parseIdentities(read(file), file)) }
  }
  if (passphraseFile !== undefined) return { passphrase: firstLineOf(passphraseFile) }
  return secret === undefined ? undefined : { passphrase: secret }
}

export async function* unsealedBytes(bytes: AsyncIterable<Uint8Array>, secret: DecryptWith): AsyncGenerator<Buffer> {
  const { decrypting } = await import('../encryption/decrypting.js')
  const plain: Transform = decrypting(secret)
  const ended = pipeline(copies(bytes), plain)
  // It is awaited below.
  ended.catch(() => {})
  yield* plain
  await ended
}

/** A stream keeps what it has not worked upon. */
async function* copies(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const each of bytes) yield Buffer.from(each)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new WrongUsage(`--identity: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
