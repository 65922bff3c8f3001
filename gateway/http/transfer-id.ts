import { randomFillSync } from 'node:crypto'

/** What a sender may choose as an id. */
export const TRANSFER_ID = /^[A-Za-z0-9_-]{16,64}$/

const ID_BYTES = 16
/**
 * A pool of random bytes. Their cost is per call, not per byte: one call for each id took a sixth of the CPU time of
 * short transfers.
 */
const pool = Buffer.alloc(256 * ID_BYTES)
let used = pool.length

/** A new id of 128 random bits, which nobody can guess, as 22 characters of base64url. */
export function newTransferId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += ID_BYTES
  return pool.toString('base64url', used - ID_BYTES, used)
}
