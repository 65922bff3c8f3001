/** What a lane has found out, as it is written to JSON. */

/** A named figure of one side, measured once per round. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly median: number
  readonly low: number
  readonly high: number
  readonly values: readonly number[]
}

export interface Side {
  readonly name: string
  readonly figures: readonly Figure[]
}

/** Something to reach. */
export interface Goal {
  /** What is compared with what, in words. */
  readonly what: string
  readonly value: number
  /** The smallest and largest value of single rounds. */
  readonly low: number
  readonly high: number
  /** `×` for a ratio. */
  readonly unit: string
  readonly target: number
  /** Whether the value must not exceed the target, or must not be less. */
  readonly bound: 'most' | 'least'
  readonly reached: boolean
}

/** A curve of one side in one round, in seconds from its start. */
export interface Series {
  readonly side: string
  /** Over time; `threads`: over the number of threads. */
  readonly plot: 'throughput' | 'memory' | 'threads'
  readonly unit: string
  readonly load: string
  readonly points: readonly (readonly [at: number, value: number])[]
}

export interface LaneResult {
  readonly lane: string
  readonly title: string
  readonly startedAt: string
  readonly seconds: number
  readonly quick: boolean
  readonly rounds: number
  readonly machine: Machine
  readonly sides: readonly Side[]
  readonly goals: readonly Goal[]
  readonly series: readonly Series[]
  /** What was left out, and why. */
  readonly notes: readonly string[]
  /** The lane does not count: a wrong byte, a deadline, a relay that died. */
  readonly failed: string | null
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  readonly commit: string
}
