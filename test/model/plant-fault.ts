/** Runs the model on copies of the compiled core with a fault planted in each. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Fault } from './faults.js'

/** The compiled core beside the compiled tests. */
const CORE = fileURLToPath(new URL('../../core/', import.meta.url))
/** A fault may turn a loop into an endless one. */
const TIMEOUT_MS = 60_000

/** The result of a run of the model on a copy of the core. */
export interface Verdict {
  /** `green`: no difference found; `red`: the model found one; `broken`: the copy does not even run. */
  readonly colour: 'green' | 'red' | 'broken'
  readonly why: string
}

/** Runs the model on a copy of the core with this fault in it; without one, on a faithful copy. */
export async function tryFault(fault: Fault | null, seed: number, steps: number): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), 'pipegate-fault-'))
  try {
    await cp(CORE, join(folder, 'core'), { recursive: true })
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    if (fault !== null) {
      const copy = join(folder, 'core')
      await writeFile(join(copy, fault.in), (await findPlace(fault, copy)).join(fault.by))
    }
    return await runInWorker(
      pathToFileURL(join(folder, 'core', 'index.js')).href,
      seed,
      steps,
      fault === null ? 4 * TIMEOUT_MS : TIMEOUT_MS,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What stands before and behind the place where it goes. Rejects when there is not exactly one. */
export async function findPlace(fault: Fault, core = CORE): Promise<readonly [string, string]> {
  const text = await readFile(join(core, fault.in), 'utf8')
  const words = fault.replace.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const parts = text.split(new RegExp(words.join('\\s+')))
  if (parts.length !== 2) {
    throw new Error(`"${fault.name}": its text occurs ${parts.length - 1} times in ${fault.in}, and must occur once`)
  }
  return [parts[0]!, parts[1]!]
}

/** In a worker thread, which can be stopped when a fault makes it run for ever. */
function runInWorker(core: string, seed: number, steps: number, timeoutMs: number): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./fault-worker.js', import.meta.url), {
      workerData: { core, seed, steps },
      // Without the loaders of a test runner, which would make each start five times as slow.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    })
    const timer = setTimeout(() => {
      resolve({ colour: 'red', why: `no end within ${timeoutMs} ms` })
      void worker.terminate()
    }, timeoutMs)
    worker.once('message', (verdict: Verdict) => {
      clearTimeout(timer)
      resolve(verdict)
      void worker.terminate()
    })
    worker.once('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      if (cause.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve({ colour: 'red', why: cause.message })
      else reject(cause)
    })
  })
}
