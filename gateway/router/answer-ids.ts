import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const RANDOM_BYTES = 16
const PROOF_BYTES = 8
const ID = /^[A-Za-z0-9_-]{32}$/

/**
 * Names of answers: 128 random bits, and a proof that this gateway drew them for a name. So one that nobody ever got is told from one
 * that has been used, without a list of those that were.
 */
export class AnswerIds {
  readonly #secret = randomBytes(32)

  /** Draws the name of one answer. @param key of the name on which the question is */
  draw(key: string): string {
    const random = randomBytes(RANDOM_BYTES)
    return Buffer.concat([random, this.#proof(random, key)]).toString('base64url')
  }

  /** Whether it was drawn here, for this name. */
  wasDrawn(id: string, key: string): boolean {
    if (!ID.test(id)) return false
    const bytes = Buffer.from(id, 'base64url')
    return timingSafeEqual(bytes.subarray(RANDOM_BYTES), this.#proof(bytes.subarray(0, RANDOM_BYTES), key))
  }

  #proof(random: Uint8Array, key: string): Buffer {
    return createHmac('sha256', this.#secret).update(random).update(key).digest().subarray(0, PROOF_BYTES)
  }
}
