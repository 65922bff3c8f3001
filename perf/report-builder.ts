/** Collects what a lane measures. */

import type { Point } from './client/stream-jobs.js'
import type { Figure, Goal, LaneResult, Series } from './result.js'
import { median } from './stats.js'

/** What a goal is held against. */
export interface Bound {
  readonly what: string
  readonly target: number
  readonly bound: Goal['bound']
  /** The worst round counts, not the median: for what must never be exceeded. */
  readonly always?: true
}

const MIB = 1024 ** 2

export class Report {
  readonly goals: Goal[] = []
  readonly series: Series[] = []
  readonly notes: string[] = []
  readonly #values = new Map<string, Map<string, { unit: string; values: number[] }>>()

  /** Adds one round's value of a figure of a side. */
  add(side: string, figure: string, unit: string, value: number): void {
    const figures = this.#values.get(side) ?? new Map()
    this.#values.set(side, figures)
    const entry = figures.get(figure) ?? { unit, values: [] }
    figures.set(figure, entry)
    entry.values.push(value)
  }

  /** Says what was left out. */
  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text)
  }

  /** Holds a figure of one side against the same figure of another one. Says nothing when one of them has not run. */
  ratioGoal(figure: string, side: string, against: string, bound: Bound): void {
    this.ratioOf(this.values(side, figure), this.values(against, figure), bound)
  }

  /** Holds the quotient of two figures, round by round, against a target. */
  ratioOf(above: readonly number[] | undefined, below: readonly number[] | undefined, bound: Bound): void {
    if (above === undefined || below === undefined) return
    const each = above.map((value, i) => value / below[i]!)
    this.#goal(bound, '×', median(above) / median(below), each)
  }

  /** Holds a figure against a target in its own unit. */
  goal(figure: string, side: string, unit: string, bound: Bound): void {
    const values = this.values(side, figure)
    if (values === undefined) return
    const worst = bound.bound === 'most' ? Math.max(...values) : Math.min(...values)
    this.#goal(bound, unit, bound.always === true ? worst : median(values), values)
  }

  /** Bytes delivered over time, as a curve of throughput. */
  throughput(side: string, load: string, points: readonly Point[]): void {
    const [first] = points
    if (first === undefined) return
    const rates = points.slice(1).map(([at, bytes], i): [number, number] => {
      const [before, had] = points[i]!
      return [(at - first[0]) / 1000, at === before ? 0 : (bytes - had) / (at - before) / 1000]
    })
    this.series.push({ side, load, plot: 'throughput', unit: 'MB/s', points: rates.map(round) })
  }

  /** Resident bytes over time. */
  memory(side: string, load: string, points: readonly Point[]): void {
    const [first] = points
    if (first === undefined) return
    const curve = points.map(([at, bytes]): [number, number] => [(at - first[0]) / 1000, bytes / MIB])
    this.series.push({ side, load, plot: 'memory', unit: 'MiB', points: curve.map(round) })
  }

  /** A figure over the number of threads. */
  byThreads(
    side: string,
    load: string,
    unit: string,
    points: readonly (readonly [threads: number, value: number])[],
  ): void {
    this.series.push({ side, load, plot: 'threads', unit, points })
  }

  /** Everything but what the lane's process knows. */
  build(): Pick<LaneResult, 'sides' | 'goals' | 'series' | 'notes'> {
    const sides = [...this.#values].map(([name, figures]) => ({
      name,
      figures: [...figures].map(([figure, { unit, values }]) => summary(figure, unit, values)),
    }))
    return { sides, goals: this.goals, series: this.series, notes: this.notes }
  }

  /** The names of those that have been measured. */
  get sides(): string[] {
    return [...this.#values.keys()]
  }

  /** The values of a figure, round by round. */
  values(side: string, figure: string): readonly number[] | undefined {
    return this.#values.get(side)?.get(figure)?.values
  }

  #goal({ what, target, bound }: Bound, unit: string, value: number, each: readonly number[]): void {
    const reached = bound === 'most' ? value <= target : value >= target
    this.goals.push({ what, unit, target, bound, value, low: Math.min(...each), high: Math.max(...each), reached })
  }
}

function summary(name: string, unit: string, values: readonly number[]): Figure {
  return { name, unit, median: median(values), low: Math.min(...values), high: Math.max(...values), values }
}

function round([at, value]: readonly [number, number]): [number, number] {
  return [Math.round(at * 100) / 100, Math.round(value * 10) / 10]
}
