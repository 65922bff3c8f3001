import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A machine that has much else to do takes ten times as long for what it does in a second. Where it matters how soon something
 * is so, a test says it: this is not for that.
 */
export const USUAL_MS = 30_000

/** What a check answers: `true`, or a sentence that says what is still untrue. */
export type Verdict = true | string

export interface EventuallyOptions {
  /** How long the fact may take to become true. A deadline, never a delay. Default `USUAL_MS`. */
  readonly timeoutMs?: number
  /** Pause between two checks. */
  readonly everyMs?: number
}

/**
 * Polls a condition until it answers `true`. Rejects at the deadline with the last sentence it gave, so that a red test
 * says what was still untrue. A check that throws ends the wait at once.
 */
export async function eventually(
  check: () => Verdict | Promise<Verdict>,
  { timeoutMs = USUAL_MS, everyMs = 5 }: EventuallyOptions = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    // Read the clock first: on a starved machine a check must run once more after the deadline, or a fact that became
    // true while nobody could look would be reported as missing.
    const last = performance.now() >= deadline
    const verdict = await check()
    if (verdict === true) return
    if (last) throw new Error(`still untrue after ${timeoutMs} ms: ${verdict}`)
    await sleep(everyMs)
  }
}
