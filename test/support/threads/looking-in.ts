/**
 * Looks into gateways that are other processes, and answers at once, as a look at an object would: every thread of such a gateway has
 * the plugin `looks`, which a worker of the test's process asks while the test waits.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { PipeView } from '../../../core/index.js'

/** What a thread has. */
export interface Look {
  readonly waiting: number
  readonly streaming: number
  readonly viewers: number
  readonly heldBytes: number
  /** What stands on each name. */
  readonly names: readonly PipeView[]
  readonly transfers: readonly Pick<PipeView, 'key'>[]
}

/** What the worker is asked for. */
export interface Question {
  readonly gateway: string
  /** What threads said when they stopped, instead of what they have. */
  readonly isOver: boolean
}

export const ANSWER_BYTES = 8 * 1024 * 1024
/** The first of two words is 1 when there is an answer, and the second is its length. */
export const HEAD_BYTES = 8
const PATIENCE_MS = 20_000

let asking: { readonly worker: Worker; readonly memory: SharedArrayBuffer; readonly path: string } | undefined

function start() {
  if (asking !== undefined) return asking
  const memory = new SharedArrayBuffer(HEAD_BYTES + ANSWER_BYTES)
  const path = join(mkdtempSync(join(tmpdir(), 'pipegate-look-')), 'socket')
  const worker = new Worker(new URL('looking-in-worker.js', import.meta.url), { workerData: { memory, path } })
  worker.unref()
  asking = { worker, memory, path }
  return asking
}

/** Where threads are to connect. */
export function lookPath(): string {
  const { path } = start()
  // The worker listens before it answers.
  lookInto('nobody')
  return path
}

/** A look from each thread that is there. */
export function lookInto(gateway: string, isOver = false): Look[] {
  const { worker, memory } = start()
  const head = new Int32Array(memory, 0, 2)
  Atomics.store(head, 0, 0)
  worker.postMessage({ gateway, isOver } satisfies Question)
  if (Atomics.wait(head, 0, 0, PATIENCE_MS) === 'timed-out')
    throw new Error(`gateway ${gateway}: a thread does not answer`)
  return JSON.parse(Buffer.from(new Uint8Array(memory, HEAD_BYTES, Atomics.load(head, 1))).toString()) as Look[]
}
