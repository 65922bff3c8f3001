/** Takes turns, so that what the machine does besides falls on all sides alike. */

/**
 * Runs every side once per round: A B C, then C B A, and so on. One after the other, never at the same time.
 */
export async function interleave<S>(
  sides: readonly S[],
  rounds: number,
  run: (side: S, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? sides : [...sides].reverse()
    for (const side of order) await run(side, round)
  }
}
