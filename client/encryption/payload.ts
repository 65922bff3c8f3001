import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'

/** Bytes of plaintext in a chunk; only the last one may have less (C2SP age.md, "Payload"). */
export const CHUNK = 1 << 16
/** Bytes that a chunk is longer when it is encrypted. */
export const TAG = 16
/** Bytes of the nonce that stands before the first chunk. */
export const NONCE = 16

const CIPHER = 'chacha20-poly1305'

/** Bytes of the payload, nonce included, that a plaintext of this length becomes. An empty one has a chunk too. */
export function payloadLength(plaintext: number): number {
  return NONCE + plaintext + TAG * Math.max(1, Math.ceil(plaintext / CHUNK))
}

/**
 * The chunks of an age payload, encrypted or decrypted one by one with the ChaCha20-Poly1305 of OpenSSL. (The library has it in
 * JavaScript, at a sixteenth of the speed.) The nonce of a chunk is its number, and whether it is the last: so none can be left out,
 * doubled or moved.
 */
export class PayloadCipher {
  readonly #key: Buffer
  readonly #counter = Buffer.alloc(12)

  constructor(fileKey: Uint8Array, nonce: Buffer) {
    this.#key = Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32))
  }

  /** @returns the ciphertext, and its tag */
  seal(plaintext: Buffer, isLast: boolean): [Buffer, Buffer] {
    this.#counter[11] = isLast ? 1 : 0
    const cipher = createCipheriv(CIPHER, this.#key, this.#counter, { authTagLength: TAG })
    const ciphertext = cipher.update(plaintext)
    cipher.final()
    this.#count()
    return [ciphertext, cipher.getAuthTag()]
  }

  /** @returns undefined when this is not the next chunk; then nothing has been counted */
  open(chunk: Buffer, isLast: boolean): Buffer | undefined {
    this.#counter[11] = isLast ? 1 : 0
    const decipher = createDecipheriv(CIPHER, this.#key, this.#counter, { authTagLength: TAG })
    decipher.setAuthTag(chunk.subarray(-TAG))
    const plaintext = decipher.update(chunk.subarray(0, -TAG))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    this.#count()
    return plaintext
  }

  #count(): void {
    for (let i = 10; i >= 0; i--) {
      this.#counter[i] = (this.#counter[i]! + 1) & 0xff
      if (this.#counter[i] !== 0) return
    }
  }
}
