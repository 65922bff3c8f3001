import { Worker } from 'node:worker_threads'
import type { Config } from '../../config/config.js'
import type { PluginEntry } from '../../config/plugin-entries.js'
import type { Logger, LogLook } from '../../log/log.js'
import { whenLinesAreLost } from '../../log/lost-lines.js'
import { installSocketHelper } from '../../native/socket-helper.js'
import { threadHelper } from '../../native/threads.js'
import type { Gateway } from '../gateway.js'
import type { FromThread, ThreadStart, ToThread } from './messages.js'
import { SharedCounts } from './shared-counts.js'

/** How long all threads together may take to start. */
const START_MS = 60_000
/** How long the others may take to say what a plugin asks. */
const REPORT_MS = 2000
/**
 * What V8 takes for what is new, in each thread: three semi-spaces. By itself it takes 48 MiB, of which a gateway uses no more, and
 * short transfers cost the same with less.
 */
const YOUNG_MIB = 24
/** A thread that ends soon after its start is started again later and later. */
const AGAIN_MS = { first: 100, most: 10_000 }
const LASTED_MS = 60_000

/** What the threads of a process are started with. */
export interface ThreadsOptions {
  readonly config: Config
  /** A gateway like those in the threads, which has what is one for all: the port, the certificates. */
  readonly front: Pick<Gateway, 'openFront' | 'closeFront' | 'reload' | 'stop' | 'memories' | 'tlsPlace'>
  readonly plugins: readonly PluginEntry[]
  readonly look: LogLook
  readonly logger: Logger
  /** Writes lines of the log that come from a thread. */
  readonly print: (lines: string) => void
  /** The file that each thread runs. */
  readonly entry: URL
}

interface Running {
  readonly worker: Worker
  readonly since: number
  readonly ended: Promise<void>
  isReady: boolean
}

/**
 * Several gateways, each in a thread of its own, behind one port. A connection is with the thread that owns the name it asks for:
 * native/sockets/door.c and hand-over.c bring it there. This thread serves nobody: it starts the others, and starts again those
 * that have ended.
 */
export class Threads {
  readonly #options: ThreadsOptions
  readonly #counts: SharedArrayBuffer
  readonly #running: (Running | undefined)[] = []
  /** Questions for reports: who waits for them, what has come, and from whom something is missing. */
  readonly #questions = new Map<number, { reports: unknown[]; missing: Set<number>; done: () => void }>()
  #asked = 0
  #againMs = AGAIN_MS.first
  #isStopping = false

  constructor(options: ThreadsOptions) {
    this.#options = options
    const { threads } = options.config
    this.#counts = SharedCounts.bufferFor(threads)
    const counts = new SharedCounts(this.#counts, threads)
    whenLinesAreLost((lines) => counts.set('lostLines', lines))
  }

  /**
   * Starts all threads, and then opens the port: nobody who comes finds a thread that is not there yet.
   * @throws with one line on why one does not start, or the port cannot be opened
   */
  async start(): Promise<number> {
    const { prefix, threads, socketHelper } = this.#options.config
    const { inactive } = installSocketHelper(socketHelper)
    if (inactive !== undefined) throw new Error(`threads ${threads} need the native helper, and ${inactive}`)
    threadHelper().spreadNames(prefix, threads)
    try {
      await Promise.all(Array.from({ length: threads }, (_, number) => this.#startOne(number)))
      return await this.#options.front.openFront()
    } catch (error) {
      await this.stop(0)
      throw error
    }
  }

  reload(): void {
    this.#options.front.reload()
  }

  /** Drains and closes, like `Gateway.stop`. Resolves when every thread is over. A second call cuts the drain short. */
  async stop(drainMs: number = this.#options.config.drain * 1000): Promise<void> {
    this.#isStopping = true
    this.#options.front.closeFront()
    this.#tellAll({ kind: 'stop', drainMs })
    await Promise.all(this.#running.map((each) => each?.ended))
    await this.#options.front.stop(0)
  }

  #tellAll(message: ToThread): void {
    for (const each of this.#running) each?.worker.postMessage(message)
  }

  /** Resolves when it is ready. @throws with one line on why it does not start */
  #startOne(number: number): Promise<void> {
    const { config, plugins, front, look, entry } = this.#options
    const { threads } = config
    const start: ThreadStart = {
      number,
      threads,
      config,
      plugins,
      memories: front.memories.all,
      look,
      counts: this.#counts,
      tlsPlace: front.tlsPlace,
    }
    const worker = new Worker(entry, {
      workerData: start,
      name: `gateway ${number}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    })
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    const running: Running = { worker, since: performance.now(), ended, isReady: false }
    this.#running[number] = running
    worker.on('error', (error) => this.#options.logger.error({ err: error, thread: number }, 'a thread has failed'))
    worker.once('exit', () => running.isReady && this.#hasEnded(number, running))
    return new Promise((resolve, reject) => {
      const tooLate = () => reject(new Error(`thread ${number} was not ready within ${START_MS / 1000} s`))
      const patience = setTimeout(tooLate, START_MS)
      worker.once('exit', (code) => {
        clearTimeout(patience)
        reject(new Error(`thread ${number} ended at its start, with ${code}`))
      })
      worker.on('message', (message: FromThread) => {
        if (message.kind === 'failed') reject(new Error(message.why))
        if (message.kind !== 'ready') return this.#take(number, message)
        clearTimeout(patience)
        running.isReady = true
        resolve()
      })
    })
  }

  #take(number: number, message: FromThread): void {
    switch (message.kind) {
      case 'lines':
        // One by one: a log that cannot be written counts the lines that it loses.
        for (const line of message.text.match(/[^\n]*\n/g) ?? []) this.#options.print(line)
        return
      case 'ask':
        void this.#ask(number, message.id, message.plugin)
        return
      case 'report':
        this.#reported(number, message.id, message.report)
        return
      case 'defect':
        this.#options.logger.error(
          { thread: number, err: message.error },
          'a thread has met a defect, and ends what it has',
        )
    }
  }

  #hasEnded(number: number, { since }: Running): void {
    this.#running[number] = undefined
    for (const id of this.#questions.keys()) this.#reported(number, id, undefined)
    if (this.#isStopping) return
    if (performance.now() - since > LASTED_MS) this.#againMs = AGAIN_MS.first
    const delay = this.#againMs
    this.#againMs = Math.min(AGAIN_MS.most, delay * 2)
    this.#options.logger.warn(
      { thread: number, ms: delay },
      'a thread is over: its names wait until it is started again',
    )
    setTimeout(() => this.#again(number), delay)
  }

  #again(number: number): void {
    if (this.#isStopping) return
    this.#startOne(number).then(
      () => this.#options.logger.info({ thread: number }, 'a thread has been started again'),
      (error: Error) => {
        this.#options.logger.error({ thread: number, err: error }, 'a thread could not be started again')
        const delay = this.#againMs
        this.#againMs = Math.min(AGAIN_MS.most, delay * 2)
        setTimeout(() => this.#again(number), delay)
      },
    )
  }

  /** Asks all others for the report of a plugin, and tells the one that wants to know. */
  async #ask(from: number, theirId: number, plugin: string): Promise<void> {
    const id = ++this.#asked
    const others = this.#running.flatMap((each, number) => (each?.isReady && number !== from ? [number] : []))
    const reports: unknown[] = []
    await new Promise<void>((done) => {
      this.#questions.set(id, { reports, missing: new Set(others), done })
      setTimeout(done, REPORT_MS).unref()
      for (const number of others)
        this.#running[number]!.worker.postMessage({ kind: 'asked', id, plugin } satisfies ToThread)
      if (others.length === 0) done()
    })
    this.#questions.delete(id)
    this.#running[from]?.worker.postMessage({ kind: 'reports', id: theirId, reports } satisfies ToThread)
  }

  #reported(number: number, id: number, report: unknown): void {
    const question = this.#questions.get(id)
    if (question === undefined || !question.missing.delete(number)) return
    if (report !== undefined) question.reports.push(report)
    if (question.missing.size === 0) question.done()
  }
}
