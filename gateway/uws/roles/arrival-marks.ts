import type { UwsContext } from '../connection/context.js'

/** What chunked framing adds to one chunk at most, in bytes: eight digits, and two line breaks. */
const FRAME = 12
/** No chunk but the first and the last one is shorter. */
const LEAST_CHUNK = 4096

/** Of TLS, in bytes. */
const LONGEST_RECORD = 16 * 1024

/** So many bytes of the body, and so many of the connection's output, had been written at one moment. */
interface Mark {
  readonly body: number
  readonly output: number
}

/**
 * How far a response that goes on and on has come at its client's machine, also when the connection has gone. The output has
 * the head and the framing in it, so it is noted after each write how much of the body it was; between two notes the answers err on
 * the side of each question.
 */
export class ArrivalMarks {
  /** 0: it cannot be known, and all that is written counts as arrived. */
  readonly #connection: number
  readonly #marks: Mark[]
  #written = 0
  #isNoted = true
  /** Of the body; grows only. */
  #arrived = 0

  constructor(
    readonly context: Pick<UwsContext, 'sockets' | 'isEncrypted'>,
    readonly socket: number,
  ) {
    const { sockets } = context
    this.#connection = sockets.follow(socket)
    this.#marks = [{ body: 0, output: sockets.written(this.#connection) }]
  }

  /** A write is over, and so many bytes of the body have been written in all. */
  wrote(body: number): void {
    const isFirst = this.#written === 0
    this.#written = body
    this.#isNoted = false
    this.#note()
    // What the head took is known now.
    if (isFirst && this.#isNoted && !this.context.isEncrypted) this.#noteHead(body)
  }

  /** Up to which byte of the body all has arrived for certain. */
  get arrived(): number {
    if (this.#connection === 0) return this.#written
    this.#note()
    const acknowledged = this.#acknowledged
    while (this.#marks.length > 1 && this.#marks[1]!.output <= acknowledged) this.#marks.shift()
    const [before, next] = this.#marks
    // Counted back from the next mark: what lies between may be framing as well.
    const counted = next === undefined ? before!.body : next.body - (next.output - acknowledged) - this.#useless
    this.#arrived = Math.max(this.#arrived, before!.output <= acknowledged ? before!.body : 0, counted)
    return this.#arrived
  }

  /** Whether something behind this byte of the body may have arrived. */
  mayHaveBegun(offset: number): boolean {
    if (this.#connection === 0) return this.#written > offset
    if (this.#written <= offset) return false
    let last = this.#marks[0]!
    for (const mark of this.#marks) if (mark.body <= offset) last = mark
    return this.#acknowledged > last.output + (offset - last.body)
  }

  /** What is known now is all that will be. */
  release(): void {
    this.context.sockets.unfollow(this.#connection)
  }

  /** A record that has not come whole is of no use. */
  get #useless(): number {
    return this.context.isEncrypted ? LONGEST_RECORD : 0
  }

  get #acknowledged(): number {
    return this.context.sockets.acknowledged(this.#connection)
  }

  /** What waits in uWebSockets' own buffer has no place in the output yet. */
  #note(): void {
    const { sockets } = this.context
    if (this.#isNoted || this.#connection === 0) return
    const isOpen = sockets.socketOf(this.#connection) >= 0
    this.#isNoted = isOpen && sockets.sentAll(this.socket) !== false
    const output = this.#isNoted ? sockets.written(this.#connection) : Number.MAX_SAFE_INTEGER
    if (this.#isNoted) this.#marks.push({ body: this.#written, output })
    // Unless all of it has arrived when the connection closes, that is a reset: what is on its way must not arrive afterwards, when
    // it has been given to somebody else.
    if (isOpen) sockets.beginsAt(this.#connection, output - 1)
  }

  #noteHead(body: number): void {
    const [first, next] = this.#marks
    const frames = FRAME * (2 + Math.ceil(body / LEAST_CHUNK))
    const output = Math.max(first!.output, next!.output - body - frames)
    this.#marks[0] = { body: 0, output }
  }
}
