/** Plants faults in random order, a few at a time, each as often as the others, for as long as it is told; and mends them all. */

import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../../model/random.js'
import type { Tally } from '../tally.js'
import type { Timeline } from '../timeline.js'
import type { Fault } from './fault.js'

/** So many are there at the same time. */
const AT_ONCE = 3

export interface ScheduleSetting {
  readonly random: Random
  readonly tally: Tally
  readonly timeline: Timeline
  /** Told of each fault, for somebody who looks on. */
  readonly note: (text: string) => void
}

/** Resolves when the time is over, each fault has been planted at least once, and all are mended. */
export async function plantFaults(faults: readonly Fault[], forMs: number, setting: ScheduleSetting): Promise<void> {
  const until = performance.now() + forMs
  const active = new Map<Fault, Promise<void>>()
  const planted = new Set<Fault>()
  let bag: Fault[] = []
  while (performance.now() < until || planted.size < faults.length) {
    if (bag.length === 0) bag = shuffled(faults, setting.random)
    const at = bag.findIndex((each) => mayBePlanted(each, [...active.keys()]))
    if (active.size >= AT_ONCE || at < 0) {
      await Promise.race([...active.values(), sleep(100)])
      continue
    }
    const [fault] = bag.splice(at, 1) as [Fault]
    planted.add(fault)
    active.set(
      fault,
      plantOne(fault, setting).finally(() => active.delete(fault)),
    )
    await sleep(setting.random.below(Math.min(2000, forMs / faults.length)))
  }
  await Promise.all(active.values())
}

function mayBePlanted(fault: Fault, active: readonly Fault[]): boolean {
  return active.every(
    ({ name, not }) => name !== fault.name && !fault.not?.includes(name) && !not?.includes(fault.name),
  )
}

async function plantOne(fault: Fault, { random, tally, timeline, note }: ScheduleSetting): Promise<void> {
  const end = timeline.begin(fault.name)
  // Faults overlap: each draws from numbers of its own, or the time that one takes would change another.
  const own = new Random(random.below(2 ** 31))
  try {
    const mend = await fault.plant(own)
    note(`planted: ${fault.name}`)
    await sleep(own.between(...fault.lasts))
    await mend()
    note(`mended:  ${fault.name}`)
  } catch (error) {
    tally.problem('faults that could not be planted or mended', `${fault.name}: ${error}`)
  } finally {
    end()
  }
}

function shuffled<T>(things: readonly T[], random: Random): T[] {
  const left = [...things]
  return things.map(() => left.splice(random.below(left.length), 1)[0]!)
}
