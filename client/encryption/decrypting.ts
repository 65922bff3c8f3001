import { Transform, type TransformCallback } from 'node:stream'
import { Decrypter } from 'age-encryption'
import { Chunker } from './chunker.js'
import { EncryptionError } from './encryption-error.js'
import { PassphraseIdentity } from './passphrase.js'
import { CHUNK, NONCE, PayloadCipher, TAG } from './payload.js'

/** What opens it: a passphrase, or keys, `AGE-SECRET-KEY-1…`, of which one has to fit. */
export type DecryptWith = { readonly passphrase: string } | { readonly identities: readonly string[] }

const FIRST_LINE = 'age-encryption.org/v1\n'
/** Most bytes of a header: each recipient has some 150 bytes there, with post-quantum keys 1.6 KiB. */
const LONGEST_HEADER = 1 << 18

class Decrypting extends Transform {
  readonly #with: DecryptWith
  readonly #chunker = new Chunker(CHUNK + TAG)
  /** The header and the nonce, as far as they have come. */
  #head: Buffer = Buffer.alloc(0)
  #cipher: PayloadCipher | undefined
  #isFirst = true

  constructor(secret: DecryptWith) {
    super({ readableHighWaterMark: 4 * CHUNK, writableHighWaterMark: 4 * CHUNK })
    this.#with = secret
  }

  override _transform(piece: Buffer, _: BufferEncoding, done: TransformCallback): void {
    if (this.#cipher !== undefined) settle(done, () => this.#payload(piece))
    else {
      this.#header(piece).then(
        (plaintext) => done(null, plaintext),
        (error) => done(error),
      )
    }
  }

  override _flush(done: TransformCallback): void {
    settle(done, () => this.#last())
  }

  /** @returns plaintext, if some came in the same piece */
  async #header(piece: Buffer): Promise<Buffer | undefined> {
    const head = Buffer.concat([this.#head, piece])
    this.#head = head
    refuseOthers(head)
    const end = endOf(head)
    if (end === undefined || head.length < end + NONCE) return undefined
    const fileKey = await fileKeyOf(head.subarray(0, end), this.#with)
    this.#cipher = new PayloadCipher(fileKey, head.subarray(end, end + NONCE))
    return this.#payload(head.subarray(end + NONCE))
  }

  #payload(piece: Buffer): Buffer | undefined {
    const opened: Buffer[] = []
    for (const chunk of this.#chunker.add(piece)) {
      const plaintext = this.#cipher!.open(chunk, false)
      if (plaintext === undefined) throw changed()
      this.#isFirst = false
      opened.push(plaintext)
    }
    return opened.length > 1 ? Buffer.concat(opened) : opened[0]
  }

  #last(): Buffer {
    if (this.#cipher === undefined) throw FIRST_LINE.startsWith(start(this.#head)) ? cutOff() : noAge()
    const chunk = this.#chunker.last()
    if (chunk.length < TAG) throw cutOff()
    const plaintext = this.#cipher.open(chunk, true)
    if (plaintext !== undefined) {
      // The format has an empty chunk only for an empty plaintext.
      if (plaintext.length === 0 && !this.#isFirst) throw changed()
      return plaintext
    }
    // A chunk that is right and not the last one: others are missing behind it.
    if (this.#cipher.open(chunk, false) !== undefined) throw cutOff()
    throw chunk.length < CHUNK + TAG ? cutOffOrChanged() : changed()
  }
}

/**
 * A stream that decrypts what `age`, or `encrypting`, has encrypted. It fails with an EncryptionError for a wrong passphrase or keys that
 * do not fit, for what is not age's, and for what was changed or cut off; what it gave out before is right as far as it goes, and
 * not all: use it only when the stream has ended well.
 */
export function decrypting(secret: DecryptWith): Transform {
  return new Decrypting(secret)
}

function settle(done: TransformCallback, call: () => Buffer | undefined): void {
  let plaintext: Buffer | undefined
  try {
    plaintext = call()
  } catch (error) {
    done(error as Error)
    return
  }
  done(null, plaintext)
}

/** The first line, as far as it has come. */
function start(head: Buffer): string {
  return head.toString('latin1', 0, FIRST_LINE.length)
}

function refuseOthers(head: Buffer): void {
  if (head.length < FIRST_LINE.length) return
  if (start(head) === FIRST_LINE) return
  if (start(head).startsWith('-----BEGIN AGE')) {
    throw new EncryptionError('It is encrypted as text (age -a): decrypt it with "age -d".')
  }
  throw noAge()
}

/** Where the header ends, behind the line of its MAC; undefined while it has not all come. */
function endOf(head: Buffer): number | undefined {
  const lastLine = head.indexOf('\n--- ')
  const end = lastLine === -1 ? -1 : head.indexOf('\n', lastLine + 1)
  if (end !== -1) return end + 1
  if (head.length > LONGEST_HEADER) throw new EncryptionError(`Its header has more than ${LONGEST_HEADER} bytes.`)
  return undefined
}

async function fileKeyOf(header: Buffer, secret: DecryptWith): Promise<Uint8Array> {
  const decrypter = new Decrypter()
  if ('passphrase' in secret) decrypter.addIdentity(new PassphraseIdentity(secret.passphrase))
  else for (const identity of secret.identities) decrypter.addIdentity(identity)
  try {
    return await decrypter.decryptHeader(header)
  } catch (error) {
    if (error instanceof EncryptionError) throw error
    if (error instanceof Error && error.message.startsWith('no identity matched')) throw noneFits(header, secret, error)
    throw new EncryptionError('Its header is damaged.', error)
  }
}

function noneFits(header: Buffer, secret: DecryptWith, cause: Error): EncryptionError {
  const hasPassphrase = /^-> scrypt /m.test(header.toString('latin1'))
  if ('passphrase' in secret) {
    if (hasPassphrase) return new EncryptionError('The passphrase is wrong.', cause)
    return new EncryptionError('It is encrypted for keys, not with a passphrase: name the file of yours.', cause)
  }
  if (hasPassphrase) return new EncryptionError('It is encrypted with a passphrase, not for keys.', cause)
  return new EncryptionError('It is not encrypted for any of your keys.', cause)
}

function noAge(): EncryptionError {
  return new EncryptionError('It is not encrypted with age.')
}

function cutOff(): EncryptionError {
  return new EncryptionError('It is cut off: its end is missing.')
}

function changed(): EncryptionError {
  return new EncryptionError('It was changed on its way, or is damaged.')
}

/** Half a chunk looks as a changed one does. */
function cutOffOrChanged(): EncryptionError {
  return new EncryptionError('It is cut off or was changed on its way: its end is not right.')
}
