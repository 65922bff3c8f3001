/**
 * Drives a pipe table with random steps and compares it, after every step, with the specification, `Spec`. The same seed
 * takes the same steps.
 */

import type { Core } from '../core/fakes/bench.js'
import { AskWorld } from './ask-world.js'
import { type Coverage, newCoverage } from './coverage.js'
import { QueueWorld } from './queue-world.js'
import { Random } from './random.js'
import { TopicWorld } from './topic-world.js'
import { World } from './world.js'

/** The core and the specification disagree, or a rule of a port was broken. */
export class ModelFailure extends Error {
  constructor(seed: number, step: number, last: readonly string[], cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`seed ${seed}, step ${step}: ${why}\nlast steps:\n  ${last.join('\n  ')}`, { cause })
    this.name = 'ModelFailure'
  }
}

function kindOfWorld(die: number) {
  if (die < 10) return QueueWorld
  if (die < 20) return AskWorld
  return die < 30 ? TopicWorld : World
}

/** Takes `steps` random steps, in worlds of some hundred steps each. Throws a `ModelFailure` at the first difference. */
export function runModel(core: Core, seed: number, steps: number, coverage: Coverage = newCoverage()): void {
  const random = new Random(seed)
  let step = 0
  while (step < steps) {
    const world = new (kindOfWorld(random.below(100)))(core, random, coverage)
    try {
      const until = Math.min(steps, step + random.between(200, 1000))
      for (; step < until; step++) world.step()
      world.finish()
    } catch (cause) {
      throw new ModelFailure(seed, step, world.history.slice(-16), cause)
    }
  }
}
