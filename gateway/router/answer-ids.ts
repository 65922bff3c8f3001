import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { newTransferId } from '../http/transfer-id.js'

/** Of base64url: 128 bits, and 60. */
const RANDOM = 22
const PROOF = 10
const ID = /^[A-Za-z0-9_-]{32}$/

/**
 * Names of answers: 128 random bits, and a proof that this gateway drew them for a name. So one that nobody ever got is told from one
 * that has been used, without a list of those that were.
 */
export class AnswerIds {
  readonly #secret = randomBytes(32)

  /** Draws the name of one answer. @param key of the name on which the question is */
  draw(key: string): string {
    const random = newTransferId()
    return random + this.#proof(random, key)
  }

  /** Whether it was drawn here, for this name. */
  wasDrawn(id: string, key: string): boolean {
    if (!ID.test(id)) return false
    const proof = this.#proof(id.slice(0, RANDOM), key)
    return timingSafeEqual(Buffer.from(id.slice(RANDOM)), Buffer.from(proof))
  }

  #proof(random: string, key: string): string {
    return createHmac('sha256', this.#secret).update(random).update(key).digest('base64url').slice(0, PROOF)
  }
}
