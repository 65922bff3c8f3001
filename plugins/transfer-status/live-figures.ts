import type { LiveFigures, MaybeLive } from './snapshot.js'

/** What is told of a live stream besides, taken from whatever tells it; nothing of what is not live. */
export function liveFiguresOf(told: MaybeLive): LiveFigures | Record<never, never> {
  const { live, viewers = 0, peak = 0, skips = 0, cuts = 0 } = told
  return live === undefined ? {} : { live, viewers, peak, skips, cuts }
}
