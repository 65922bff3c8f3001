import { fstat, stat } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { fileTarget, givenTarget, type LineTarget, LineWriter, type Log } from '../../gateway/host/plugin-api.js'
import type { AccessLogConfig } from './config.js'

/** How long a stop waits for the last lines, and for a reader that takes none. */
const FLUSH = { ms: 5000, silentMs: 1000 }
export const CHECK_MS = 5000
/** How long a start waits for the reader of a named pipe, and how often it looks. */
const READER_MS = 5000
const LOOK_MS = 50

/** Where lines go. They hold nobody: see {@link LineWriter}. */
export class Output {
  readonly #where: AccessLogConfig['output']
  readonly #log: Log
  #writer: LineWriter | undefined
  /** What has been told of the lines that were lost, and of why they cannot be written. */
  #lostTold = 0
  #failureTold: string | undefined
  #isFollowing = false

  constructor(where: AccessLogConfig['output'], log: Log) {
    this.#where = where
    this.#log = log
  }

  /** @throws Error with one line when the file cannot be opened */
  async open(): Promise<void> {
    // The gateway's own log says what is missing: every line here is a request or a transfer.
    this.#writer = new LineWriter('access-log', await this.#target(), () => undefined)
    process.on('exit', this.#atExit)
  }

  async #target(): Promise<LineTarget> {
    if (this.#where === 'stdout') return givenTarget()
    for (const until = performance.now() + READER_MS; ; await sleep(LOOK_MS)) {
      try {
        return fileTarget(this.#where.file)
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        // A named pipe that nobody has opened yet.
        if (code === 'ENXIO' && performance.now() < until) continue
        const expected = code === 'ENXIO' ? 'a named pipe that somebody reads' : 'a file that can be appended to'
        throw new Error(`config.output.file: ${message}; expected ${expected}`)
      }
    }
  }

  /** Also at an end by an error. */
  readonly #atExit = (): void => this.#writer?.flushNow()

  line(fields: object, message: 'request' | 'transfer'): void {
    // The form of the gateway's own log, which is pino's.
    this.#writer?.write(`${JSON.stringify({ level: 30, time: Date.now(), ...fields, msg: message })}\n`)
  }

  /** Every `CHECK_MS`: logs what went wrong, and opens the file anew when it was moved away. */
  check(): void {
    if (this.#writer === undefined) return
    const { failure, lost } = this.#writer
    // Once for each time that it begins: a full disk stays full for hours.
    if (failure !== undefined && failure.code !== this.#failureTold)
      this.#log.error({ err: failure }, 'the access log cannot be written')
    if (failure === undefined && this.#failureTold !== undefined) this.#log.info({}, 'the access log is written again')
    this.#failureTold = failure?.code
    if (lost > this.#lostTold)
      this.#log.warn({ lines: lost - this.#lostTold }, 'the access log is too slow, lines were dropped')
    this.#lostTold = lost
    if (this.#where !== 'stdout') void this.#follow(this.#where.file)
  }

  /** Resolves when every line is out, or the time for that is over. */
  async close(): Promise<void> {
    const writer = this.#writer
    if (writer === undefined) return
    this.#writer = undefined
    process.off('exit', this.#atExit)
    const isWritten = await writer.flush(FLUSH)
    writer.close()
    if (!isWritten && this.#failureTold === undefined)
      this.#log.error({}, 'the last lines of the access log could not be written')
  }

  /** Opens the path anew when the file that is written is no longer the one that is there. */
  async #follow(path: string): Promise<void> {
    const writer = this.#writer
    if (writer === undefined || this.#isFollowing) return
    // On a disk that is stuck one look lasts until the next one.
    this.#isFollowing = true
    const there = await promisify(stat)(path).catch(() => undefined)
    const ours = await promisify(fstat)(writer.fd).catch(() => undefined)
    this.#isFollowing = false
    if (this.#writer !== writer || ours === undefined) return
    if (there !== undefined && there.ino === ours.ino && there.dev === ours.dev) return
    try {
      writer.moveTo(fileTarget(path))
    } catch (error) {
      this.#log.error({ err: error }, 'the access log cannot be opened anew, and goes on in the file that was moved')
    }
  }
}
