import { setImmediate as turn } from 'node:timers/promises'

const ROUNDS = 120
const CALLS = 12
const TRIES = 5
const CLOSE = 0.05

/**
 * How many times as long one call takes as another one: the ratio of the medians of many short batches, taken in turns, so
 * that a busy machine slows both. What is different stays different; so the first try of a few that finds no difference is
 * believed, and else the one that found the least.
 */
export async function medianRatio(one: () => unknown, other: () => unknown): Promise<number> {
  const ratios: number[] = []
  for (let i = 0; i < TRIES; i++) {
    const ratio = await once(one, other)
    if (Math.abs(ratio - 1) < CLOSE) return ratio
    ratios.push(ratio)
  }
  return ratios.sort((a, b) => Math.abs(a - 1) - Math.abs(b - 1))[0]!
}

async function once(one: () => unknown, other: () => unknown): Promise<number> {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    const first = round % 2
    for (const which of [first, 1 - first]) times[which]!.push(batch(which === 0 ? one : other))
    if (round % 10 === 0) await turn()
  }
  return median(times[0]) / median(times[1])
}

function batch(run: () => unknown): number {
  const before = performance.now()
  for (let i = 0; i < CALLS; i++) run()
  return performance.now() - before
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}
