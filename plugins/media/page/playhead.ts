/** Where the player goes next: to the first picture, over gaps, and after a live stream that runs ahead of it. No DOM. */

export type Range = readonly [start: number, end: number]

/** All in seconds of the stream. */
export interface Playhead {
  readonly at: number
  /** What has been buffered, in its order. */
  readonly ranges: readonly Range[]
  /** Playing as near to the end of what has come as it can be. */
  readonly isFollowing: boolean
  /** It has been put where the stream begins. */
  readonly hasBegun: boolean
  readonly rate: number
  /** How much it keeps in hand, against a network that hesitates. */
  readonly reserve: number
}

export interface Move {
  readonly seek?: number
  readonly rate: number
}

/** Before the first picture so much has to be there, or it would stop at once. */
const FIRST = 0.7
/** A stream that runs ahead by more than the reserve and this is caught up with by playing faster, and by more than that at a jump. */
const SLACK = 1.5
const TOO_FAR = 8
/** Hardly heard, as browsers keep the pitch. */
const FASTER = 1.1
/** Of what is nearly there: pictures do not end exactly where the next ones begin. */
const NEARLY = 0.15

export const RESERVE = 1
export const MOST_RESERVE = 4

/** What one stall costs: from then on there is more in hand. */
export function afterStall(reserve: number): number {
  return Math.min(MOST_RESERVE, reserve + 0.5)
}

export function behind({ at, ranges }: Pick<Playhead, 'at' | 'ranges'>): number {
  const last = ranges.at(-1)
  return last === undefined ? 0 : Math.max(0, last[1] - at)
}

/** What lies ahead of this place without a gap. */
export function ahead({ at, ranges }: Pick<Playhead, 'at' | 'ranges'>): number {
  const here = ranges.find(([start, end]) => at >= start - NEARLY && at <= end)
  return here === undefined ? 0 : here[1] - at
}

export function nextMove(head: Playhead): Move {
  const { at, ranges, isFollowing, hasBegun, rate, reserve } = head
  const first = ranges[0]
  if (first === undefined) return { rate: 1 }
  if (!hasBegun) {
    // Who has joined late gets times that do not begin at 0.
    const isEnough = !isFollowing || ranges.at(-1)![1] - first[0] >= FIRST
    return isEnough ? { seek: first[0], rate: 1 } : { rate: 1 }
  }
  const lag = behind(head)
  if (isFollowing && lag > reserve + TOO_FAR) return { seek: at + lag - reserve, rate: 1 }
  if (ahead(head) < NEARLY) {
    // A slow viewer of a live stream is given whole pieces less: nothing will ever come in between.
    const next = ranges.find(([start]) => start > at)
    if (next !== undefined) return { seek: next[0] + 0.01, rate: 1 }
  }
  if (!isFollowing) return { rate: 1 }
  if (lag > reserve + SLACK) return { rate: FASTER }
  return { rate: lag > reserve ? rate : 1 }
}
