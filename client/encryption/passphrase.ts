import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { type Identity, type Recipient, Stanza } from 'age-encryption'
import { EncryptionError } from './encryption-error.js'

/** As `age -p`: 2^18 rounds, 256 MiB of memory, about a second. */
const WORK_FACTOR = 18
/** The most that is accepted from others, as in age-encryption: 1 GiB and four seconds, before anything is known to be right. */
const MOST_WORK = 20

const LABEL = 'age-encryption.org/v1/scrypt'
const CIPHER = 'chacha20-poly1305'
const TAG = 16
const NO_NONCE = Buffer.alloc(12)

/**
 * The scrypt recipient of age, with the scrypt of OpenSSL: half the time of the library's, which is written in JavaScript, and not on the
 * thread that everything else runs on.
 */
export class PassphraseRecipient implements Recipient {
  readonly #passphrase: string

  constructor(passphrase: string) {
    this.#passphrase = passphrase
  }

  async wrapFileKey(fileKey: Uint8Array): Promise<Stanza[]> {
    const salt = randomBytes(16)
    const key = await wrapKey(this.#passphrase, salt, WORK_FACTOR)
    const cipher = createCipheriv(CIPHER, key, NO_NONCE, { authTagLength: TAG })
    const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
    return [new Stanza(['scrypt', base64(salt), String(WORK_FACTOR)], body)]
  }
}

/** The other side of it. */
export class PassphraseIdentity implements Identity {
  readonly #passphrase: string

  constructor(passphrase: string) {
    this.#passphrase = passphrase
  }

  async unwrapFileKey(stanzas: Stanza[]): Promise<Uint8Array | null> {
    const [stanza] = stanzas
    if (stanza?.args[0] !== 'scrypt') return null
    const [, saltText = '', factor = ''] = stanza.args
    const salt = Buffer.from(saltText, 'base64')
    const isRight =
      stanza.args.length === 3 && base64(salt) === saltText && salt.length === 16 && stanza.body.length === 32
    // With a second recipient, somebody who does not know the passphrase could have made it.
    if (!isRight || stanzas.length !== 1 || !/^[1-9]\d?$/.test(factor))
      throw new EncryptionError('Its header is damaged.')
    if (Number(factor) > MOST_WORK) {
      throw new EncryptionError(
        `Its passphrase takes 2^${factor} rounds of scrypt to check; 2^${MOST_WORK} are the most.`,
      )
    }
    const key = await wrapKey(this.#passphrase, salt, Number(factor))
    const decipher = createDecipheriv(CIPHER, key, NO_NONCE, { authTagLength: TAG })
    decipher.setAuthTag(stanza.body.subarray(-TAG))
    try {
      return Buffer.concat([decipher.update(stanza.body.subarray(0, -TAG)), decipher.final()])
    } catch {
      return null
    }
  }
}

function wrapKey(passphrase: string, salt: Buffer, factor: number): Promise<Buffer> {
  const options = { N: 2 ** factor, r: 8, p: 1, maxmem: 2 ** factor * 1024 + (1 << 20) }
  const salted = Buffer.concat([Buffer.from(LABEL), salt])
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salted, 32, options, (error, key) => {
      if (error === null) resolve(key)
      else
        reject(
          new EncryptionError(
            `Checking a passphrase takes ${2 ** (factor - 10)} MiB of memory, which is not there.`,
            error,
          ),
        )
    })
  })
}

/** As age writes it: without padding. */
function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
