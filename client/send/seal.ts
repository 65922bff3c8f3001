import { pipeline } from 'node:stream/promises'
import { WrongUsage } from '../cli/wrong-usage.js'
import type { EncryptTo } from '../encryption/encrypting.js'
import { newSecret } from '../encryption/words.js'
import { firstLineOf } from '../passphrase-file.js'
import type { Outgoing } from './what/outgoing.js'

export interface SealFlags {
  readonly encrypt: boolean
  readonly recipient: readonly string[]
  readonly passphraseFile: string | undefined
}

/** How a transfer is encrypted. */
export interface Seal {
  readonly to: EncryptTo
  /** Words that the receiver has to be told; undefined when it has something else. */
  readonly words: string | undefined
}

/** @returns undefined when nothing is to be encrypted @throws WrongUsage */
export function sealOf({ encrypt, recipient, passphraseFile }: SealFlags): Seal | undefined {
  if (recipient.length > 0 && passphraseFile !== undefined) {
    throw new WrongUsage(
      '--recipient and --passphrase-file cannot be used together: the age format has one or the other',
    )
  }
  if (recipient.length > 0) return { to: { recipients: recipient }, words: undefined }
  if (passphraseFile !== undefined) return { to: { passphrase: firstLineOf(passphraseFile) }, words: undefined }
  if (!encrypt) return undefined
  const words = newSecret()
  return { to: { passphrase: words }, words }
}

/** The same, encrypted: whoever passes it on sees how long it is, and whether it is an archive, and no more. */
export function sealed(outgoing: Outgoing, { to }: Seal): Outgoing {
  return {
    ...outgoing,
    description: { kind: outgoing.description.kind, encrypted: true },
    type: 'application/octet-stream',
    fileName: undefined,
    length: undefined,
    open: () => sealedBytes(outgoing.open(), to),
  }
}

export async function* sealedBytes(bytes: AsyncIterable<Uint8Array>, to: EncryptTo): AsyncGenerator<Uint8Array> {
  // Loaded by who encrypts.
  const { encrypting } = await import('../encryption/encrypting.js')
  const cipher = await encrypting(to)
  const ended = pipeline(bytes, cipher)
  // It is awaited below; what it says of a reader that has left is nobody's business.
  ended.catch(() => {})
  yield* cipher
  await ended
}
