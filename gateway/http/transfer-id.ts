import { randomFillSync } from 'node:crypto'

/** An id that a sender has chosen. */
export const TRANSFER_ID = /^[A-Za-z0-9_-]{16,64}$/

const ID_BYTES = 16
/** Randomness costs by the call, not by the byte: a call for each id was a sixth of all work for short transfers. */
const drawn = Buffer.alloc(256 * ID_BYTES)
let used = drawn.length

/** A new transfer id of 128 random bits, which nobody can guess: 22 characters of base64url. */
export function newTransferId(): string {
  if (used === drawn.length) {
    randomFillSync(drawn)
    used = 0
  }
  used += ID_BYTES
  return drawn.toString('base64url', used - ID_BYTES, used)
}
