/**
 * Mistakes that somebody could make in the core, one at a time. The model must notice every one of them: a model that has
 * never been red proves nothing.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'

export interface Fault {
  readonly name: string
  /** The compiled file. */
  readonly in: string
  /** Text that stands there exactly once; any white space matches any other. */
  readonly replace: string
  readonly by: string
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'a cursor counts one byte too few',
    in: 'fan-out.js',
    replace: 'cursor.taken += took;',
    by: 'cursor.taken += took > 1 ? took - 1 : took;',
  },
  {
    name: 'a cursor reads one byte too far into its slab',
    in: 'window.js',
    replace: 'subarray(offset - segment.from, segment.used)',
    by: 'subarray(offset - segment.from + 1, segment.used + 1)',
  },
  {
    name: 'a chunk that all have begun is not kept',
    in: 'fan-out.js',
    replace: 'if (behind > 0 && !this.#keep(',
    by: 'if (slowest <= before && !this.#keep(',
  },
  {
    name: 'a chunk is kept for the last cursor only',
    in: 'fan-out.js',
    replace: 'if (cursor.taken < slowest) slowest = cursor.taken; } const behind =',
    by: 'slowest = cursor.taken; } const behind =',
  },
  {
    name: 'a chunk is kept whole although its front was taken',
    in: 'fan-out.js',
    replace: 'slowest > before ? chunk.subarray(slowest - before) : chunk',
    by: 'chunk',
  },
  {
    name: 'a small piece is kept without a copy',
    in: 'window.js',
    replace: 'memory: keep(bytes)',
    by: 'memory: bytes',
  },
  {
    name: 'a kept segment is freed before the slowest has passed its end',
    in: 'window.js',
    replace: 'first.from + first.used <= offset',
    by: 'first.from < offset',
  },
  {
    name: 'a kept segment is not freed when all have passed',
    in: 'fan-out.js',
    replace: 'this.#window.release(slowest);',
    by: '',
  },
  {
    name: 'a freed slab is not given back',
    in: 'window.js',
    replace: 'if (first.pooled)',
    by: 'if (false)',
  },
  {
    name: 'a freed slab is given back twice',
    in: 'slab-pool.js',
    replace: 'this.#free.push(slab);',
    by: 'this.#free.push(slab, slab);',
  },
  {
    name: 'what a sender that left had sent is not freed',
    in: 'pipe.js',
    replace: 'this.sender = undefined; endpoint.fanOut.discard();',
    by: 'this.sender = undefined;',
  },
  {
    name: 'a full cursor is offered more',
    in: 'fan-out.js',
    replace: 'if (!cursor.full) this.#offer(cursor, chunk);',
    by: 'this.#offer(cursor, chunk);',
  },
  {
    name: 'a cursor whose sink is full is not marked as full',
    in: 'fan-out.js',
    replace: 'if (cursor.sink.isFull) cursor.full = true;',
    by: '',
  },
  {
    name: 'a cursor that drained stays marked as full',
    in: 'fan-out.js',
    replace: 'cursor.full = false; this.#advance(cursor);',
    by: 'this.#advance(cursor);',
  },
  {
    name: 'the pause is forgotten',
    in: 'fan-out.js',
    replace: 'if (pause) this.source.pause();',
    by: 'if (pause) ;',
  },
  {
    name: 'the pause comes one byte late',
    in: 'fan-out.js',
    replace: 'behind >= this.#windowNow',
    by: 'behind > this.#windowNow',
  },
  {
    name: 'the resume is forgotten',
    in: 'fan-out.js',
    replace: 'else this.source.resume();',
    by: '',
  },
  {
    name: 'the resume waits until everybody has everything',
    in: 'fan-out.js',
    replace: 'behind <= this.#windowNow / 2',
    by: 'behind <= 0',
  },
  {
    name: 'the resume does not wait for half of the window',
    in: 'fan-out.js',
    replace: 'else if (behind >= this.#windowNow) this.#crowded = true;',
    by: 'else this.#crowded = behind >= this.#windowNow;',
  },
  {
    name: 'the source flows although nobody can take more',
    in: 'fan-out.js',
    replace: 'const pause = this.#crowded || !hungry || this.#isThrottled();',
    by: 'const pause = this.#crowded || this.#isThrottled();',
  },
  {
    name: 'one full cursor stops the source for those who can take more',
    in: 'fan-out.js',
    replace: 'if (!cursor.full) hungry = true; if (cursor.taken',
    by: 'hungry = !cursor.full; if (cursor.taken',
  },
  {
    name: 'what is on its way counts as delivered',
    in: 'fan-out.js',
    replace: 'return this.taken - this.sink.queued();',
    by: 'return this.taken;',
  },
  {
    name: 'a receiver that goes is no progress',
    in: 'fan-out.js',
    replace: 'cursor.present ? cursor.delivered : cursor.taken + 1',
    by: 'cursor.present ? cursor.delivered : cursor.taken',
  },
  {
    name: 'a period of the rate limit begins with the first byte',
    in: 'watchdog.js',
    replace: 'this.#delivered += delivered;',
    by: '',
  },
  {
    name: 'a source that has ended is resumed',
    in: 'fan-out.js',
    replace: 'if (this.#sourceEnded || !this.#started)',
    by: 'if (!this.#started)',
  },
  {
    name: 'more is held than allowed',
    in: 'fan-out.js',
    replace: 'behind <= this.limits.holdBytes &&',
    by: '',
  },
  {
    name: 'a slow receiver that leaves keeps the sender waiting',
    in: 'pipe.js',
    replace: 'sender.fanOut.settle();',
    by: '',
  },
  {
    name: 'a receiver that leaves is still waited for',
    in: 'fan-out.js',
    replace: 'cursor.present = false; if (this.#cursors.some((each) => each.present))',
    by: 'if (this.#cursors.some((each) => each !== cursor && each.present))',
  },
  {
    name: 'a pipe ends twice',
    in: 'pipe.js',
    replace: "if (this.state === 'ended') return; this.state = 'ended';",
    by: "this.state = 'ended';",
  },
  {
    name: 'the name is not free after the end',
    in: 'pipe-table.js',
    replace: 'this.#pipes.delete(pipe.key);',
    by: '',
  },
  {
    name: 'the count of streaming transfers only grows',
    in: 'pipe-table.js',
    replace: 'this.#streaming--',
    by: 'void 0',
  },
  {
    name: 'what never streamed is counted off',
    in: 'pipe-table.js',
    replace: 'if (pipe.pairedAt !== undefined)',
    by: '',
  },
  {
    name: 'one transfer more than allowed',
    in: 'pipe-table.js',
    replace: 'this.#streaming < this.limits.maxActive',
    by: 'this.#streaming <= this.limits.maxActive',
  },
  {
    name: 'another n is accepted',
    in: 'pipe-table.js',
    replace: 'pipe.receiversWanted !== terms.receivers',
    by: 'pipe.receiversWanted < terms.receivers',
  },
  {
    name: 'a second sender takes the place of the first',
    in: 'pipe-table.js',
    replace: 'if (found?.sender !== undefined)',
    by: 'if (false)',
  },
  {
    name: 'a closed table lets receivers in',
    in: 'pipe-table.js',
    replace: 'if (this.#closed)',
    by: "if (this.#closed && 'transferId' in terms)",
  },
  {
    name: "a receiver's wait goes on while it streams",
    in: 'pipe.js',
    replace: 'for (const endpoint of this.receivers) endpoint.deadline?.cancel(); let { newDigest } = sender.terms;',
    by: 'let { newDigest } = sender.terms;',
  },
  {
    name: 'a sender that streams is still reminded',
    in: 'pipe.js',
    replace: 'this.#reminder?.cancel();',
    by: '',
  },
  {
    name: "a waiting receiver's place is not freed when it leaves",
    in: 'pipe.js',
    replace: 'this.receivers.splice(this.receivers.indexOf(endpoint), 1);',
    by: '',
  },
  {
    name: 'a sender that fails takes the last waiting receiver along',
    in: 'pipe.js',
    replace: "this.state === 'waiting' && this.receivers.length > 0",
    by: "this.state === 'waiting' && this.receivers.length > 1",
  },
  {
    name: 'a failed transfer is finished instead of cut',
    in: 'pipe.js',
    replace: 'if (endpoint.cursor.present && !endpoint.cursor.finished) endpoint.cursor.sink.abort(reason, this);',
    by: 'if (endpoint.cursor.present && !endpoint.cursor.finished) endpoint.cursor.sink.finish();',
  },
  {
    name: 'who has the last byte is cut by a later failure',
    in: 'pipe.js',
    replace: 'if (endpoint.cursor.present && !endpoint.cursor.finished) endpoint.cursor.sink.abort(reason, this);',
    by: 'if (endpoint.cursor.present) endpoint.cursor.sink.abort(reason, this);',
  },
  {
    name: 'a transfer is complete before the last byte has been handed on',
    in: 'fan-out.js',
    replace: 'if (cursor.present && !cursor.finished) return;',
    by: 'if (cursor.present && cursor.taken < this.bytesIn) return;',
  },
  {
    name: 'a body that is shorter than announced completes',
    in: 'pipe.js',
    replace: 'length !== endpoint.fanOut.bytesIn',
    by: 'length < endpoint.fanOut.bytesIn',
  },
  {
    name: 'a sender that leaves after its whole body ends the transfer',
    in: 'pipe.js',
    replace: 'else if (!endpoint.fanOut.sourceEnded)',
    by: 'else',
  },
  {
    name: 'a stall cuts the wrong receiver',
    in: 'pipe.js',
    replace: 'this.receivers.find((endpoint) => endpoint.cursor === cursor)',
    by: 'this.receivers.find((endpoint) => endpoint.cursor.present)',
  },
  {
    name: 'a receiver for whom there is nothing stalls',
    in: 'fan-out.js',
    replace: 'const wanted = cursor.taken < this.bytesIn || this.#sourceEnded;',
    by: 'const wanted = true;',
  },
  {
    name: 'a byte that is delivered does not count as progress',
    in: 'fan-out.js',
    replace: 'progress += cursor.present ?',
    by: 'progress += cursor.present ? 0 : cursor.present ?',
  },
  {
    name: 'deadlines come early',
    in: 'clock.js',
    replace: 'if (expectation.due > now) continue;',
    by: 'if (expectation.due > now + 50) continue;',
  },
  {
    name: 'a deadline comes more than once',
    in: 'clock.js',
    replace: 'expectation.cancel(); run();',
    by: 'run();',
  },
  {
    name: 'a body may be longer than it announced',
    in: 'endpoints.js',
    replace: 'this.#announced = head?.length ?? Number.POSITIVE_INFINITY',
    by: 'this.#announced = Number.POSITIVE_INFINITY',
  },
  {
    name: 'a stream begins before its head is known',
    in: 'pipe.js',
    replace: '|| head === undefined ||',
    by: '||',
  },
  {
    name: 'a head that comes late begins nothing',
    in: 'endpoints.js',
    replace: 'this.pipe.headKnown();',
    by: ';',
  },
  {
    name: 'who waits for a head is told that receivers are missing',
    in: 'pipe.js',
    replace: "? 'no_receivers' : 'empty_form'",
    by: "? 'no_receivers' : 'no_receivers'",
  },
  {
    name: 'bytes that come after the end are still taken',
    in: 'endpoints.js',
    replace: "this.pipe.sender === this && this.pipe.state !== 'ended'",
    by: 'this.pipe.sender === this',
  },
  {
    name: 'a sink that drains while it finishes is finished twice',
    in: 'fan-out.js',
    replace: 'cursor.finishing = true;',
    by: '',
  },
  {
    name: 'the limit of the side that came first holds alone',
    in: 'pipe.js',
    replace: 'this.maxBytes = Math.min(this.maxBytes, limits.maxBytes ?? this.maxBytes);',
    by: 'if (this.maxBytes === Infinity) this.maxBytes = limits.maxBytes ?? this.maxBytes;',
  },
  {
    name: 'only what has come counts against the size limit when the stream begins',
    in: 'pipe.js',
    replace: 'Math.max(sender.fanOut.bytesIn, head.length ?? 0)',
    by: 'sender.fanOut.bytesIn',
  },
  {
    name: 'one byte more than the size limit is let through',
    in: 'endpoints.js',
    replace: 'total > this.pipe.maxBytes',
    by: 'total > this.pipe.maxBytes + 1',
  },
  {
    name: 'a waiting sender may send more than its own size limit',
    in: 'endpoints.js',
    replace: 'total > this.#maxBytes ||',
    by: '',
  },
  {
    name: 'the limit on the whole time is left behind at the end',
    in: 'pipe.js',
    replace: 'this.#total?.cancel();',
    by: '',
  },
  {
    name: 'the loosest limit on the whole time holds',
    in: 'pipe.js',
    replace: 'this.#totalMs = Math.min(this.#totalMs, limits.totalMs ?? this.#totalMs);',
    by: 'this.#totalMs = limits.totalMs ?? this.#totalMs;',
  },
  {
    name: 'a pipe that only waits is not stopped',
    in: 'pipe.js',
    replace: "if (this.state === 'ended') return; this.endFailure",
    by: "if (this.state !== 'streaming') return; this.endFailure",
  },
  {
    name: 'a transfer that lost its last receiver counts as taken',
    in: 'fan-out.js',
    replace: '? this.#takenByLast : slowest',
    by: '? this.bytesIn : slowest',
  },
]

/** The compiled core beside the compiled tests. */
const CORE = fileURLToPath(new URL('../../core/', import.meta.url))
/** A fault may turn a loop into an endless one. */
const TIMEOUT_MS = 15_000

/** How a run of the model on a copy of the core went. */
export interface Verdict {
  /** `green`: no difference found; `red`: the model saw one; `broken`: the copy does not even run. */
  readonly colour: 'green' | 'red' | 'broken'
  readonly why: string
}

/** Runs the model on a copy of the core with this fault in it; without one, on a faithful copy. */
export async function tryFault(fault: Fault | null, seed: number, steps: number): Promise<Verdict> {
  const home = await mkdtemp(join(tmpdir(), 'pipegate-fault-'))
  try {
    await cp(CORE, join(home, 'core'), { recursive: true })
    await writeFile(join(home, 'package.json'), '{ "type": "module" }')
    if (fault !== null) await plant(fault, join(home, 'core', fault.in))
    return await runInWorker(pathToFileURL(join(home, 'core', 'index.js')).href, seed, steps)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

async function plant(fault: Fault, file: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  const words = fault.replace.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const parts = text.split(new RegExp(words.join('\\s+')))
  if (parts.length !== 2) {
    throw new Error(`"${fault.name}": its text stands ${parts.length - 1} times in ${fault.in}, and must stand once`)
  }
  await writeFile(file, parts.join(fault.by))
}

/** In a worker, because a thread of its own can be stopped when a fault makes it run for ever. */
function runInWorker(core: string, seed: number, steps: number): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./fault-worker.js', import.meta.url), {
      workerData: { core, seed, steps },
      // Without the loaders of a test runner, which would make each start five times as slow.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    })
    const timer = setTimeout(() => {
      resolve({ colour: 'red', why: `no end within ${TIMEOUT_MS} ms` })
      void worker.terminate()
    }, TIMEOUT_MS)
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
