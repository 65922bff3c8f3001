/** Runs the model on one copy of the core. Started by faults.ts, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Core } from '../core/scripted.js'
import type { Verdict } from './faults.js'
import { ModelFailure, runModel } from './pairing.js'

interface Order {
  readonly core: string
  readonly seed: number
  readonly steps: number
}

async function judge({ core, seed, steps }: Order): Promise<Verdict> {
  try {
    runModel((await import(core)) as Core, seed, steps)
    return { colour: 'green', why: '' }
  } catch (failure) {
    const cause = failure instanceof ModelFailure ? failure.cause : failure
    // A copy that cannot be loaded, or that names what does not exist, would be "caught" by anything.
    const broken = !(failure instanceof ModelFailure) || cause instanceof ReferenceError
    return { colour: broken ? 'broken' : 'red', why: String(failure) }
  }
}

parentPort?.postMessage(await judge(workerData as Order))
