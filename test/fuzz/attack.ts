/** What is done to the gateway: some connections that share names, each with what it sends. Plain data, so that a case can be kept. */

import { Random } from '../model/random.js'
import type { Way } from '../support/peer.js'
import { requestOf } from './requests.js'

export interface Step {
  /** Latin-1: one byte for each character. */
  readonly send: string
  /** Milliseconds of silence before it. */
  readonly pause: number
}

export interface Line {
  readonly steps: readonly Step[]
  /** Stay until it is answered or closed by the gateway. Others leave soon, whatever they were told. */
  readonly stays: boolean
  readonly leaves: Way
}

export interface Attack {
  /** A seed, or the name of a kept case. */
  readonly name: string
  readonly lines: readonly Line[]
}

export function attackOf(seed: number): Attack {
  const random = new Random(seed)
  // Some names are everybody's, so that attacks meet.
  const name = random.chance(15) ? `fuzz-${random.below(4)}` : `fuzz-${seed}`
  return { name: `${seed}`, lines: Array.from({ length: random.between(1, 3) }, () => lineOf(random, name)) }
}

function lineOf(random: Random, name: string): Line {
  const requests = random.chance(70) ? 1 : random.between(2, 6)
  let bytes = ''
  for (let i = 0; i < requests; i++) bytes += requestOf(random, name)
  if (random.chance(5)) bytes = bytes.slice(0, random.below(bytes.length))
  return {
    steps: stepsOf(random, bytes),
    stays: random.chance(5),
    leaves: random.pick<Way>(['destroy', 'reset', 'halfClose'])!,
  }
}

function stepsOf(random: Random, bytes: string): Step[] {
  const steps: Step[] = []
  let rest = bytes
  for (let cuts = random.chance(60) ? 0 : random.between(1, 5); cuts > 0 && rest.length > 1; cuts--) {
    const at = random.between(1, rest.length - 1)
    steps.push({ send: rest.slice(0, at), pause: random.below(15) })
    rest = rest.slice(at)
  }
  return [...steps, { send: rest, pause: random.below(15) }]
}
