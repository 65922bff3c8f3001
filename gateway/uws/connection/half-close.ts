/** How long after its request a client may close its side that has seen nothing of its response, in milliseconds. */
const HALF_CLOSE_MS = 1000
/** The same for one whose machine has, for the two may have crossed. */
const TOGETHER_MS = 1

/**
 * Whether a client counts as gone that has closed its side and cannot be asked. It does so when it has nothing more to say, and when it
 * goes. One that is only silent does so at once, before it has seen anything of the response.
 * @param ms since its request
 * @param hasSeen something of its response has reached its machine; true as well where nothing of it has been sent
 */
export function countsAsGone(ms: number, hasSeen: boolean): boolean {
  return ms > HALF_CLOSE_MS || (hasSeen && ms > TOGETHER_MS)
}
