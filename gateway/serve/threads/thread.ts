import { getHeapStatistics } from 'node:v8'
import { type MessagePort, parentPort, resourceLimits, workerData } from 'node:worker_threads'
import type { PluginEntry } from '../../config/plugin-entries.js'
import type { LoadedPlugin } from '../../host/loading/loaded-plugin.js'
import { type GatewayLog, logTo } from '../../log/log.js'
import { Gateway } from '../gateway.js'
import type { FromThread, ThreadStart, ToThread } from './messages.js'
import { SharedCounts } from './shared-counts.js'

/** How often it looks at its heap, and how much may be used of what V8 lets it have for what is not young. */
const HEAP_MS = 250
const MOST_OF_HEAP = 0.9
const MIB = 2 ** 20
/** How long a thread that has met a defect may take to tell everybody. */
const LAST_WORDS_MS = 2000

/** Runs one gateway of several, until the process tells it to stop or it meets a defect that nobody catches. */
export async function runThread(load: (entries: readonly PluginEntry[]) => Promise<LoadedPlugin[]>): Promise<void> {
  const start = workerData as ThreadStart
  const thread = new Thread(start, parentPort!)
  process.on('uncaughtException', (error) => void thread.fail(error))
  try {
    await thread.start(await load(start.plugins))
  } catch (error) {
    thread.cannotStart(error)
  }
}

class Thread {
  readonly #start: ThreadStart
  readonly #port: MessagePort
  readonly #log: GatewayLog
  #gateway: Gateway | undefined
  #asked = 0
  readonly #answers = new Map<number, (reports: readonly unknown[]) => void>()
  #lines = ''

  constructor(start: ThreadStart, port: MessagePort) {
    this.#start = start
    this.#port = port
    this.#log = logTo({ write: (line) => this.#write(line) }, start.look, start.look.isColoured)
  }

  async start(plugins: readonly LoadedPlugin[]): Promise<void> {
    const { number, threads, config, counts, tlsPlace, memories } = this.#start
    const gateway = new Gateway(config, this.#log, plugins, undefined, {
      number,
      threads,
      counts: new SharedCounts(counts, number),
      tlsPlace,
      memories,
      reportsOf: (plugin) => this.#reportsOf(plugin),
    })
    this.#gateway = gateway
    this.#port.on('message', (message: ToThread) => void this.#take(message, gateway))
    await gateway.start()
    this.#watchHeap()
    this.#tell({ kind: 'ready' })
  }

  /** With no heap left V8 ends the process, and not only this thread. So it ends before, like one that has met a defect. */
  #watchHeap(): void {
    const young = (resourceLimits.maxYoungGenerationSizeMb ?? 0) * MIB
    const timer = setInterval(() => {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
      const most = limit - young
      if (used < MOST_OF_HEAP * most) return
      clearInterval(timer)
      const size = `${Math.round(used / MIB)} of ${Math.round(most / MIB)} MiB`
      void this.fail(new Error(`its heap is nearly full: ${size}`))
    }, HEAP_MS)
    timer.unref()
  }

  cannotStart(error: unknown): void {
    this.#tell({ kind: 'failed', why: error instanceof Error ? error.message : String(error) })
    this.#end()
  }

  /** Everybody here is told, as far as that is still possible; the others do not notice. */
  async fail(error: unknown): Promise<void> {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#tell({ kind: 'defect', error: text })
    const patience = setTimeout(() => this.#end(), LAST_WORDS_MS)
    try {
      await this.#gateway?.stop(0)
    } catch {
      // What is broken may be what ends things.
    }
    clearTimeout(patience)
    this.#end()
  }

  async #take(message: ToThread, gateway: Gateway): Promise<void> {
    switch (message.kind) {
      case 'stop':
        await gateway.stop(message.drainMs)
        this.#end()
        return
      case 'asked':
        this.#tell({ kind: 'report', id: message.id, report: await gateway.reportOf(message.plugin) })
        return
      case 'reports': {
        this.#answers.get(message.id)?.(message.reports)
        this.#answers.delete(message.id)
        return
      }
    }
  }

  #reportsOf(plugin: string): Promise<readonly unknown[]> {
    const id = ++this.#asked
    return new Promise((resolve) => {
      this.#answers.set(id, resolve)
      this.#tell({ kind: 'ask', id, plugin })
    })
  }

  /** The lines of a turn of the event loop leave together. */
  #write(line: string): void {
    if (this.#lines === '') setImmediate(() => this.#flush())
    this.#lines += line
  }

  #flush(): void {
    if (this.#lines === '') return
    const text = this.#lines
    this.#lines = ''
    this.#tell({ kind: 'lines', text })
  }

  #tell(message: FromThread): void {
    this.#port.postMessage(message)
  }

  /** With nothing left to wait for the thread is over. process.exit() would end it in the middle of what uWebSockets does. */
  #end(): void {
    this.#flush()
    this.#port.close()
  }
}
