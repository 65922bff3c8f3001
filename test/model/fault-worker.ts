/** Runs the model on one copy of the core. Started by plant-fault.ts, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Core } from '../core/fakes/bench.js'
import { ModelFailure, runModel } from './pairing.js'
import type { Verdict } from './plant-fault.js'

interface Run {
  readonly core: string
  readonly seed: number
  readonly steps: number
}

async function run({ core, seed, steps }: Run): Promise<Verdict> {
  try {
    runModel((await import(core)) as Core, seed, steps)
    return { colour: 'green', why: '' }
  } catch (failure) {
    const cause = failure instanceof ModelFailure ? failure.cause : failure
    // A copy that cannot be loaded, or that uses a name that does not exist, would be "caught" by anything.
    const broken = !(failure instanceof ModelFailure) || cause instanceof ReferenceError
    return { colour: broken ? 'broken' : 'red', why: String(failure) }
  }
}

parentPort?.postMessage(await run(workerData as Run))
