import { randomBytes } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'
import { Encrypter } from 'age-encryption'
import { Chunker } from './chunker.js'
import { EncryptionError } from './encryption-error.js'
import { checkRecipient } from './keys.js'
import { PassphraseRecipient } from './passphrase.js'
import { CHUNK, NONCE, PayloadCipher, payloadLength } from './payload.js'

/** For whom something is encrypted: for who knows the passphrase, or for the owners of these keys, `age1…`. */
export type EncryptTo = { readonly passphrase: string } | { readonly recipients: readonly string[] }

/** Encrypts what is written to it. */
export class Encrypting extends Transform {
  readonly #header: Buffer
  readonly #cipher: PayloadCipher
  readonly #chunker = new Chunker(CHUNK)

  /** @param header of age, without its nonce. @param fileKey that is in it */
  constructor(header: Buffer, fileKey: Uint8Array) {
    super({ readableHighWaterMark: 4 * CHUNK, writableHighWaterMark: 4 * CHUNK })
    this.#header = header
    const nonce = randomBytes(NONCE)
    this.#cipher = new PayloadCipher(fileKey, nonce)
    this.push(Buffer.concat([header, nonce]))
  }

  /** Bytes that a plaintext of so many bytes becomes. */
  lengthOf(plaintext: number): number {
    return this.#header.length + payloadLength(plaintext)
  }

  override _transform(piece: Buffer, _: BufferEncoding, done: TransformCallback): void {
    const sealed: Buffer[] = []
    for (const chunk of this.#chunker.add(piece)) sealed.push(...this.#cipher.seal(chunk, false))
    // Joined, because each push may become a system call, and a tag has 16 bytes.
    if (sealed.length > 0) this.push(Buffer.concat(sealed))
    done()
  }

  override _flush(done: TransformCallback): void {
    this.push(Buffer.concat(this.#cipher.seal(this.#chunker.last(), true)))
    done()
  }
}

/**
 * A stream that encrypts in the format of age (age-encryption.org/v1): `age -d` reads it. With a passphrase this takes about a second and
 * 256 MiB of memory, on another thread.
 * @throws EncryptionError for what is no recipient, or an empty passphrase
 */
export async function encrypting(to: EncryptTo): Promise<Encrypting> {
  const encrypter = new Encrypter()
  let fileKey: Uint8Array | undefined
  // A recipient that writes nothing into the header, and so learns the key that the library makes.
  encrypter.addRecipient({
    wrapFileKey: (key) => {
      fileKey = Buffer.from(key)
      return []
    },
  })
  if ('passphrase' in to) {
    if (to.passphrase === '') throw new EncryptionError('The passphrase is empty.')
    encrypter.addRecipient(new PassphraseRecipient(to.passphrase))
  } else {
    if (to.recipients.length === 0) throw new EncryptionError('Nobody is named for whom to encrypt.')
    for (const recipient of to.recipients) {
      checkRecipient(recipient)
      encrypter.addRecipient(recipient)
    }
  }
  const empty = await encrypter.encrypt('')
  // The payload is thrown away, with its nonce: a nonce of our own gives a key that was never used.
  return new Encrypting(Buffer.from(empty.subarray(0, empty.length - payloadLength(0))), fileKey!)
}
