import { once } from 'node:events'
import { fstat, stat } from 'node:fs'
import { promisify } from 'node:util'
import { type Logger, pino } from 'pino'
import type { Log } from '../../gateway/host/plugin-api.js'
import type { AccessLogConfig } from './config.js'

/** How many bytes of lines are kept for a slow disk or a slow reader; further lines are dropped and counted. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024
/** A write of so many bytes to a pipe is not torn apart by the gateway's own log on the same one (POSIX, PIPE_BUF). */
const PIPE_BUF = 4096
/** How long a stop waits for the last lines. */
const FLUSH_MS = 5000
export const CHECK_MS = 5000

type Destination = ReturnType<typeof pino.destination>

/**
 * Where lines go. They are written asynchronously, as many at once as have come, so that neither a slow disk
 * nor a reader of standard output that has stopped holds a transfer.
 */
export class Output {
  readonly #where: AccessLogConfig['output']
  readonly #log: Log
  #destination: Destination | undefined
  #logger: Logger | undefined
  #dropped = 0
  #failure: Error | undefined
  #stopping = false

  constructor(where: AccessLogConfig['output'], log: Log) {
    this.#where = where
    this.#log = log
  }

  /** @throws Error with one line when the file cannot be opened */
  async open(): Promise<void> {
    const dest = this.#where === 'stdout' ? 1 : this.#where.file
    // Names and addresses are for the operator only.
    const destination = pino.destination({
      dest,
      sync: false,
      append: true,
      mode: 0o640,
      maxLength: MAX_BUFFERED_BYTES,
      ...(dest === 1 ? { maxWrite: PIPE_BUF } : {}),
    })
    try {
      await once(destination, 'ready')
    } catch (error) {
      // A destination that never opened is flushed all the same when the process exits, and throws then; a closed one is not.
      destination.emit('close')
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`config.output.file: ${why}; expected a file that can be appended to`)
    }
    destination.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error
      if (error.code === 'EPIPE') this.#readerHasGone()
    })
    destination.on('drop', () => {
      this.#dropped++
    })
    this.#destination = destination
    this.#logger = pino({ base: null, level: 'info' }, destination)
  }

  /** A pipe never gets another reader: nothing is kept for it any more, and nothing is left to be flushed. */
  #readerHasGone(): void {
    this.#logger = undefined
    this.#destination = undefined
  }

  line(fields: object, message: 'request' | 'transfer'): void {
    if (!this.#stopping) this.#logger?.info(fields, message)
  }

  /** Every `CHECK_MS`: logs what went wrong, and opens the file anew when it was moved away. */
  check(): void {
    if (this.#failure !== undefined) this.#log.error({ err: this.#failure }, 'the access log cannot be written')
    if (this.#dropped > 0) this.#log.warn({ lines: this.#dropped }, 'the access log is too slow, lines were dropped')
    this.#failure = undefined
    this.#dropped = 0
    if (this.#where !== 'stdout') void this.#follow(this.#where.file)
  }

  /** Resolves when every line is out, or the time for that is over. */
  async close(): Promise<void> {
    const destination = this.#destination
    if (destination === undefined || this.#stopping) return
    this.#stopping = true
    let limit: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      limit = setTimeout(() => resolve(true), FLUSH_MS)
    })
    const failed = new Promise<boolean>((resolve) => destination.once('error', () => resolve(true)))
    const closed = new Promise<boolean>((resolve) => destination.once('close', () => resolve(false)))
    destination.end()
    const lost = await Promise.race([closed, failed, late])
    clearTimeout(limit)
    if (lost) this.#log.error({}, 'the last lines of the access log could not be written')
  }

  /** Opens the path anew when the file that is written is no longer the one that is there. */
  async #follow(path: string): Promise<void> {
    const destination = this.#destination
    const fd = (destination as { fd?: number } | undefined)?.fd
    if (destination === undefined || fd === undefined || fd < 0) return
    const there = await promisify(stat)(path).catch(() => undefined)
    const ours = await promisify(fstat)(fd).catch(() => undefined)
    if (this.#stopping || ours === undefined) return
    if (there === undefined || there.ino !== ours.ino || there.dev !== ours.dev) destination.reopen()
  }
}
