/** One request of the load with its body, whose answer is compared while it comes. */

import { differsAt } from '../../support/tape.js'
import type { Connection, Door } from './connection.js'
import type { Job } from './job.js'

const PIECE = 64 * 1024

export interface CallOptions {
  readonly fields?: string
  readonly body?: Buffer
  /** Of the body no more than so much is sent, and then its connection is reset. */
  readonly stopAt?: number
  /** What the body of a good answer has to be. Otherwise it is kept as text. */
  readonly expected?: Buffer
  /** Of the answer no more than so much is read, and then its connection is reset. */
  readonly leavesAt?: number
}

export class Call {
  connection: Connection | undefined
  text = ''
  /** Of all that it has sent, and of what it has got. */
  hasSentAll = false
  wrongAt: number | undefined
  /** Its connection could not be opened. */
  isLost = false

  constructor(
    readonly job: Job,
    readonly door: Door,
    readonly line: string,
    readonly options: CallOptions = {},
  ) {}

  /** Resolves when all has been sent, or nobody is there to send it to. */
  async start(): Promise<this> {
    const { job, door, line } = this
    const { body, fields = '', stopAt = Number.POSITIVE_INFINITY } = this.options
    const connection = await job.connect(door)
    this.connection = connection
    this.isLost = connection === undefined
    if (connection === undefined) return this
    const length = body === undefined ? '' : `Content-Length: ${body.length}\r\n`
    await connection.request(line, `${fields}${length}`, { onBody: (bytes, offset) => this.#take(bytes, offset) })
    const end = Math.min(body?.length ?? 0, stopAt)
    for (let at = 0; at < end && !connection.isOver && !connection.hasLeft; at += PIECE)
      await connection.send(body!.subarray(at, Math.min(end, at + PIECE)))
    this.hasSentAll = end === (body?.length ?? 0)
    if (!this.hasSentAll) this.leave()
    return this
  }

  /** Nothing more will happen to it. */
  get isOver(): boolean {
    return this.isLost || this.connection?.isOver === true || this.connection?.hasLeft === true
  }

  get hasLeft(): boolean {
    return this.connection?.hasLeft === true
  }

  get status(): number {
    return this.connection?.status ?? 0
  }

  /** A good answer, and all of it. */
  get isWhole(): boolean {
    return this.connection?.reader.complete === true && this.status === 200
  }

  get bytes(): number {
    return this.connection?.reader.bodyBytes ?? 0
  }

  /** Why it was not served, if it was not. */
  get refusal(): string | undefined {
    const { connection, job } = this
    if (connection === undefined) return this.isLost ? 'turned away' : undefined
    if (connection.isUnanswered) return job.unanswered(connection)
    return this.status >= 400 ? (connection.field('x-pipe-code') ?? `status ${this.status}`) : undefined
  }

  leave(): void {
    if (this.connection?.isOver === false) this.connection.leave('reset')
  }

  get story(): string {
    return `${this.line}: ${this.connection?.story ?? 'no connection'}`
  }

  /** Notes what no trouble excuses: a wrong byte, or a part that looks like the whole. */
  judge(): void {
    const { expected } = this.options
    if (this.wrongAt !== undefined) this.job.tally.problem('wrong bytes', `at ${this.wrongAt}: ${this.story}`)
    else if (expected !== undefined && this.isWhole && this.bytes !== expected.length)
      this.job.tally.problem('truncations that look clean', `${this.bytes} of ${expected.length}: ${this.story}`)
  }

  #take(bytes: Buffer, offset: number): void {
    const { expected, leavesAt = Number.POSITIVE_INFINITY } = this.options
    if (expected === undefined || this.status !== 200) this.text += bytes.toString('latin1')
    else this.wrongAt ??= differsAt(expected, bytes, offset)
    if (offset + bytes.length >= leavesAt) this.leave()
  }
}
