/** A transport that does what a test tells it, a clock that is turned by hand, and a small table to try them on. */
import assert from 'node:assert/strict'
import type {
  BorrowedBytes,
  Clock,
  Digest,
  EndReason,
  Limits,
  PipeObserver,
  PipeTable,
  PipeView,
  ReceiverEndpoint,
  Refusal,
  SenderEndpoint,
  SenderEvent,
  SenderJoinOptions,
  SideLimits,
  Sink,
  SlabPool,
  Source,
  StreamHead,
} from '../../core/index.js'
import * as shippedCore from '../../core/index.js'

/** The core under test. The model runs the same script on damaged copies of it. */
export type Core = typeof shippedCore

/** The byte at `offset` of stream number `stream`: any part of any stream can be checked without keeping the whole. */
export function byteAt(stream: number, offset: number): number {
  let mixed = Math.imul(stream + 1, 0x9e3779b1) ^ Math.imul(offset + 1, 0x85ebca6b)
  mixed ^= mixed >>> 15
  mixed = Math.imul(mixed, 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) & 0xff
}

/** The bytes of a stream from `from` on. */
export function streamBytes(stream: number, from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = byteAt(stream, from + i)
  return bytes
}

/**
 * Lends the bytes of a stream for one call, as a transport does, and spoils every one of them when the call returns:
 * whoever kept the loan instead of a copy is found out.
 */
export function lend(stream: number, from: number, length: number, use: (bytes: BorrowedBytes) => void): Uint8Array {
  const loan = streamBytes(stream, from, length)
  use(loan)
  for (let i = 0; i < length; i++) loan[i] = loan[i]! ^ 0xff
  return loan
}

/** A sender's connection that records what it is told, and objects to what the port forbids. */
export class FakeSource implements Source {
  /** Every call in order: the news by name, `pause`, `resume`, and `end <reason>`. */
  readonly log: string[] = []
  /** The same without `pause` and `resume`. */
  readonly news: string[] = []
  /** A source starts paused. */
  paused = true
  ended: EndReason | undefined
  /** Set when the connection went away while it waited: nobody is there to be told anything. */
  deaf = false

  pause(): void {
    this.#called('pause')
    assert.ok(!this.paused, 'a source that is paused was paused')
    this.paused = true
  }

  resume(): void {
    this.#called('resume')
    assert.ok(this.paused, 'a source that runs was resumed')
    this.paused = false
  }

  notify(news: SenderEvent, _pipe: PipeView): void {
    this.#called(news)
    this.news.push(news)
    assert.equal(news === 'waiting', this.log.length === 1, 'waiting is the first news, and only the first')
  }

  end(reason: EndReason, pipe: PipeView): void {
    this.#called(`end ${reason}`)
    this.news.push(`end ${reason}`)
    if (pipe.state === 'ended') assert.equal(pipe.endReason, reason)
    this.ended = reason
  }

  #called(what: string): void {
    assert.equal(this.ended, undefined, `source: "${what}" after its end (${this.ended})`)
    assert.ok(!this.deaf, `source: "${what}" after its connection left`)
    this.log.push(what)
  }
}

/** A receiver's connection that takes as much as it is told to, and objects to what the port forbids. */
export class FakeSink implements Sink {
  /** `begin`, `finish` and `abort <reason>` in order. */
  readonly log: string[] = []
  /** Sizes of the pieces that were offered. */
  readonly offers: number[] = []
  /** Copies of what was taken. */
  readonly #chunks: Uint8Array[] = []
  /** Whose bytes they must be; told by the head's field `stream`. */
  stream = -1
  received = 0
  head: StreamHead | undefined
  /** It has no room, and has not said that it drained. */
  full = false
  /** Bytes that were taken and are still on their way: all that are taken while it lags, until somebody lowers it. */
  inFlight = 0
  finishCalled = false
  /** The last byte has been handed on. */
  finished = false
  aborted: EndReason | undefined
  /** Set when the connection went away. */
  deaf = false
  /** The memory of the last piece that was offered. */
  lastMemory: ArrayBufferLike | undefined

  /**
   * @param room how many more bytes it takes before it is full
   * @param finishesAtOnce what `finish()` answers
   * @param lags what it takes stays in flight
   */
  constructor(
    public room = Number.POSITIVE_INFINITY,
    public finishesAtOnce = true,
    readonly lags = false,
  ) {}

  begin(head: StreamHead, _pipe: PipeView): void {
    this.#called('begin')
    assert.equal(this.head, undefined, 'sink: begin() twice')
    this.log.push('begin')
    this.head = head
    this.stream = Number(head.fields.find(([name]) => name === 'stream')?.[1])
  }

  write(bytes: BorrowedBytes): number {
    this.#called('write')
    assert.ok(this.head !== undefined, 'sink: write() before begin()')
    assert.ok(!this.finishCalled, 'sink: write() after finish()')
    assert.ok(!this.full, 'sink: write() although it is full')
    this.offers.push(bytes.byteLength)
    this.lastMemory = bytes.buffer
    const took = Math.min(bytes.byteLength, this.room)
    for (let i = 0; i < took; i++) {
      const offset = this.received + i
      if (bytes[i] !== byteAt(this.stream, offset)) assert.fail(`sink: wrong byte at ${offset}`)
    }
    if (took > 0) this.#chunks.push(bytes.slice(0, took))
    this.room -= took
    this.received += took
    if (this.lags) this.inFlight += took
    this.full = this.room === 0
    return took
  }

  get isFull(): boolean {
    return this.full
  }

  queued(): number {
    return this.inFlight
  }

  finish(): boolean {
    this.#called('finish')
    assert.ok(this.head !== undefined, 'sink: finish() before begin()')
    assert.ok(!this.finishCalled, 'sink: finish() twice')
    this.log.push('finish')
    this.finishCalled = true
    this.finished = this.finishesAtOnce
    return this.finished
  }

  abort(reason: EndReason, _pipe: PipeView): void {
    this.#called(`abort ${reason}`)
    this.log.push(`abort ${reason}`)
    this.aborted = reason
  }

  /** Everything that was taken. */
  get bytes(): Uint8Array {
    if (this.#chunks.length !== 1) this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks))
    return this.#chunks[0]!
  }

  #called(what: string): void {
    assert.equal(this.aborted, undefined, `sink: ${what} after abort()`)
    assert.ok(!this.finished, `sink: ${what} after it was finished`)
    assert.ok(!this.deaf, `sink: ${what} after its connection left`)
  }
}

function headOf(stream: number, length: number | undefined): StreamHead {
  return { length, fields: [['stream', String(stream)]] }
}

/** A sender that has its place: the fake connection and the endpoint that it reports to. */
export class FakeSender {
  /** Bytes of the body that were delivered. */
  fed = 0

  constructor(
    readonly stream: number,
    readonly source: FakeSource,
    readonly endpoint: SenderEndpoint,
  ) {}

  /** Says what it has to say of its stream, when it joined without. */
  open(length?: number): void {
    this.endpoint.opened(headOf(this.stream, length))
  }

  /** Delivers the next bytes of the body. */
  feed(length: number): void {
    lend(this.stream, this.fed, length, (bytes) => {
      this.fed += length
      this.endpoint.feed(bytes)
    })
  }

  end(): void {
    this.endpoint.end()
  }

  leave(): void {
    if (this.endpoint.pipe.state === 'waiting' && this.endpoint.pipe.sender === this.endpoint) this.source.deaf = true
    this.endpoint.left()
  }
}

/** A receiver that has its place. */
export class FakeReceiver {
  constructor(
    readonly sink: FakeSink,
    readonly endpoint: ReceiverEndpoint,
  ) {}

  /** The sink has room for `bytes` more, and says so. */
  drain(bytes = Number.POSITIVE_INFINITY): void {
    this.sink.room = bytes
    this.sink.full = false
    this.endpoint.drained()
  }

  /** The last byte is on its way: the late answer to `finish()`. */
  handOn(): void {
    this.sink.finished = true
    this.endpoint.finished()
  }

  leave(): void {
    this.sink.deaf = true
    this.endpoint.left()
  }
}

/** What an observer was told of one pipe. */
export interface Told {
  readonly event: 'waiting' | 'paired' | 'ended'
  readonly key: string
  readonly reason: EndReason | undefined
  readonly bytesIn: number
  readonly bytesOut: number
}

/** An observer that records, and objects to a call that comes twice or out of order. */
export class Recorder implements PipeObserver {
  readonly told: Told[] = []
  readonly #last = new Map<PipeView, Told['event']>()

  onWaiting(pipe: PipeView): void {
    assert.ok(!this.#last.has(pipe), 'observer: onWaiting twice for one pipe')
    this.#record(pipe, 'waiting')
  }

  onJoined(pipe: PipeView): void {
    assert.equal(this.#last.get(pipe), 'waiting', 'observer: nobody joins a pipe that does not wait')
  }

  onLeft(pipe: PipeView): void {
    assert.ok(this.#last.has(pipe), 'observer: nobody leaves a pipe that nobody joined')
    assert.notEqual(this.#last.get(pipe), 'ended', 'observer: nobody leaves a pipe that has ended')
  }

  onPaired(pipe: PipeView): void {
    assert.equal(this.#last.get(pipe), 'waiting', 'observer: onPaired comes once, after onWaiting')
    this.#record(pipe, 'paired')
  }

  onEnded(pipe: PipeView): void {
    assert.ok(this.#last.has(pipe), 'observer: onEnded without onWaiting')
    assert.notEqual(this.#last.get(pipe), 'ended', 'observer: onEnded twice for one pipe')
    assert.equal(pipe.state, 'ended')
    assert.notEqual(pipe.endReason, undefined)
    assert.notEqual(pipe.endedAt, undefined)
    this.#record(pipe, 'ended')
  }

  /** One line for each call: `waiting a`, `paired a`, `ended a complete`. */
  get lines(): string[] {
    return this.told.map(({ event, key, reason }) => [event, key, ...(reason === undefined ? [] : [reason])].join(' '))
  }

  #record(pipe: PipeView, event: Told['event']): void {
    this.#last.set(pipe, event)
    const { key, endReason: reason, bytesIn, bytesOut } = pipe
    this.told.push({ event, key, reason, bytesIn, bytesOut })
  }
}

/** Small enough that every limit is reached with a few hundred bytes and a few turns of the clock. */
export const BENCH_LIMITS: Limits = {
  maxWaiting: 4,
  maxActive: 3,
  windowBytes: 256,
  holdBytes: 1024,
  idleMs: 60_000,
  minRate: 0,
  ratePeriodMs: 10_000,
  reminderMs: 10_000,
}

export interface BenchOptions {
  readonly limits?: Partial<Limits>
  readonly slabBytes?: number
  readonly maxSlabs?: number
  /** Windows do not narrow when memory becomes scarce, and nobody has to leave slabs for others. */
  readonly roomy?: boolean
  readonly core?: Core
}

export interface SenderAsks extends Partial<Pick<SenderJoinOptions, 'waitMs' | 'stallMs' | 'expectedBytes'>> {
  readonly n?: number
  /** The length it announces. */
  readonly length?: number | undefined
  /** Its head comes later. */
  readonly headLater?: boolean
  readonly limits?: SideLimits
  readonly newDigest?: () => Digest
}

export interface ReceiverAsks {
  readonly n?: number
  readonly waitMs?: number
  readonly room?: number
  readonly finishesAtOnce?: boolean
  readonly lags?: boolean
  readonly limits?: SideLimits
  readonly newDigest?: () => Digest
}

/** A table with small limits, its clock, and the hands to put senders and receivers on it. */
export class Bench {
  readonly core: Core
  readonly clock: Clock
  readonly slabs: SlabPool
  readonly table: PipeTable
  readonly observer = new Recorder()
  now = 0
  #streams = 0

  constructor({ limits = {}, slabBytes = 64, maxSlabs = 64, roomy = false, core = shippedCore }: BenchOptions = {}) {
    this.core = core
    this.clock = new core.Clock(() => this.now)
    this.slabs = new core.SlabPool(slabBytes, maxSlabs)
    if (roomy) this.slabs.share = (bytes) => bytes
    this.table = new core.PipeTable({ ...BENCH_LIMITS, ...limits }, this.clock, this.slabs, this.observer)
  }

  /** Turns the clock in one move, and beats once. */
  turn(ms: number): void {
    this.now += ms
    this.clock.tick()
  }

  /** Lets time pass as it does in a gateway: in small beats. */
  pass(ms: number, everyMs = 500): void {
    for (let left = ms; left > 0; left -= everyMs) this.turn(Math.min(left, everyMs))
  }

  trySender(key: string, asks: SenderAsks = {}): FakeSender | Refusal {
    const { n = 1, length, headLater, waitMs = 300_000, stallMs = 0, expectedBytes, limits, newDigest } = asks
    const stream = this.#streams++
    const source = new FakeSource()
    const head = headLater === true ? undefined : headOf(stream, length)
    const transferId = `transfer-${stream}`
    const terms = { receivers: n, waitMs, stallMs, expectedBytes, limits, newDigest, transferId }
    const endpoint = this.table.joinSender(key, source, head, terms)
    return endpoint instanceof this.core.Refusal ? endpoint : new FakeSender(stream, source, endpoint)
  }

  tryReceiver(key: string, asks: ReceiverAsks = {}): FakeReceiver | Refusal {
    const { n = 1, waitMs = 300_000, room, finishesAtOnce, lags, limits, newDigest } = asks
    const sink = new FakeSink(room, finishesAtOnce, lags)
    const endpoint = this.table.joinReceiver(key, sink, { receivers: n, waitMs, limits, newDigest })
    return endpoint instanceof this.core.Refusal ? endpoint : new FakeReceiver(sink, endpoint)
  }

  sender(key: string, asks?: SenderAsks): FakeSender {
    const sender = this.trySender(key, asks)
    if (sender instanceof this.core.Refusal) assert.fail(`refused: ${sender.text}`)
    return sender
  }

  receiver(key: string, asks?: ReceiverAsks): FakeReceiver {
    const receiver = this.tryReceiver(key, asks)
    if (receiver instanceof this.core.Refusal) assert.fail(`refused: ${receiver.text}`)
    return receiver
  }

  /** Why the last pipe that ended did. */
  get lastReason(): EndReason | undefined {
    return this.observer.told.findLast(({ event }) => event === 'ended')?.reason
  }

  /** Everything is over: no name, no byte, no deadline is left behind. */
  assertEmpty(): void {
    const { table, slabs, clock } = this
    const left = { waiting: table.waiting, streaming: table.streaming, held: slabs.heldBytes, deadlines: clock.size }
    assert.deepEqual(left, { waiting: 0, streaming: 0, held: 0, deadlines: 0 })
    const opened = this.observer.told.filter(({ event }) => event === 'waiting').length
    const ended = this.observer.told.filter(({ event }) => event === 'ended').length
    assert.equal(ended, opened, 'every pipe that was opened has ended')
    for (const { key } of this.observer.told) assert.equal(table.get(key), undefined, `${key} is not free`)
  }
}
