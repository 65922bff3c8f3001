/** What can go wrong around a gateway, and be right again. */

import type { Random } from '../../model/random.js'

export type Mend = () => Promise<void> | void

export interface Fault {
  readonly name: string
  /** What it does, for the report. */
  readonly what: string
  /** How long it lasts, in milliseconds. */
  readonly lasts: readonly [least: number, most: number]
  /** Faults beside which it cannot be planted: what it waits for would not come. */
  readonly not?: readonly string[]
  /** Plants it. Resolves with what mends it. Rejects when what has to follow does not. */
  plant(random: Random): Promise<Mend> | Mend
}

/** Waits for the fact by which a fault is there, and mends what was begun when it does not come. */
export async function orMend(fact: Promise<void>, mend: Mend): Promise<Mend> {
  try {
    await fact
  } catch (error) {
    await mend()
    throw error
  }
  return mend
}
