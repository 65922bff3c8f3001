/** What is done to the gateway: some connections that share names, each with what it sends. Plain data, so that a case can be kept. */

import { Random } from '../model/random.js'
import type { Way } from '../support/peer.js'
import { type Role, requestOf } from './requests.js'

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

/** Who comes to a name together. */
const CASTS: readonly (readonly Role[])[] = [
  ['anything'],
  ['anything', 'anything'],
  ['anything', 'sender', 'receiver'],
  ['sender', 'receiver'],
  ['receiver', 'sender'],
  ['watcher', 'sender', 'receiver'],
]

export function attackOf(seed: number): Attack {
  const random = new Random(seed)
  // Some names are everybody's, so that attacks meet.
  const name = random.chance(15) ? `fuzz-${random.below(4)}` : `fuzz-${seed}`
  return { name: `${seed}`, lines: random.pick(CASTS)!.map((role) => lineOf(random, name, role)) }
}

function lineOf(random: Random, name: string, role: Role): Line {
  let bytes = requestOf(random, name, role)
  for (let more = random.chance(75) ? 0 : random.between(1, 4); more > 0; more--)
    bytes += requestOf(random, name, 'anything')
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
