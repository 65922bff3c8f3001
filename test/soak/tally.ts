/** What came of everything that was asked: counts, and every broken rule as a sentence. */

/** The rules. Each of them has to be kept 100 times out of 100. */
export const RULES = [
  'wrong bytes',
  'truncations that look clean',
  'sides that disagree',
  'requests without an end',
  'ends that nothing explains',
  'leaks',
  'silence of the loop',
  'torn or missing lines of the log',
  'faults that could not be planted or mended',
] as const

export type Rule = (typeof RULES)[number]

export interface Problem {
  readonly rule: Rule
  readonly text: string
}

export interface Outcome {
  readonly result: 'verified' | 'cut' | 'refused'
  /** The reason of a cut, the code of a refusal. */
  readonly why?: string
  /** Bytes that have been compared. */
  readonly bytes: number
}

export interface Counts {
  verified: number
  cut: number
  refused: number
  bytes: number
}

/** Details are kept of so many, all are counted. */
const MOST_DETAILS = 50

export class Tally {
  readonly kinds = new Map<string, Counts>()
  readonly cuts = new Map<string, number>()
  readonly refusals = new Map<string, number>()
  readonly problems: Problem[] = []
  readonly broken = new Map<Rule, number>()
  /** Senders that were told that their transfer is complete. */
  toldComplete = 0
  /** Transfers whose sender went without hearing how they ended, or may have. */
  unheard = 0

  /** @param note is told of each broken rule at once: a long run need not be waited for */
  constructor(readonly note: (text: string) => void = () => {}) {}

  add(kind: string, { result, why, bytes }: Outcome): void {
    const counts = this.kinds.get(kind) ?? { verified: 0, cut: 0, refused: 0, bytes: 0 }
    this.kinds.set(kind, counts)
    counts[result]++
    counts.bytes += bytes
    const named = result === 'cut' ? this.cuts : this.refusals
    if (result !== 'verified') named.set(why ?? '?', (named.get(why ?? '?') ?? 0) + 1)
  }

  problem(rule: Rule, text: string): void {
    this.broken.set(rule, (this.broken.get(rule) ?? 0) + 1)
    this.note(`BROKEN: ${rule}: ${text}`)
    if (this.problems.length < MOST_DETAILS) this.problems.push({ rule, text })
  }

  get total(): Counts {
    const total = { verified: 0, cut: 0, refused: 0, bytes: 0 }
    for (const each of this.kinds.values())
      for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += each[key]
    return total
  }
}
