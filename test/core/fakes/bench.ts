/** A transport that does what a test tells it, a clock that is moved by hand, and a small table to try them on. */
import assert from 'node:assert/strict'
import type {
  Clock,
  Digest,
  DuplexLetter,
  EndReason,
  Limits,
  LiveReceiverOptions,
  LiveSenderOptions,
  PipeTable,
  PipeView,
  Refusal,
  SenderJoinOptions,
  SideLimits,
  SlabPool,
  TurnBudget,
} from '../../../core/index.js'
import * as shippedCore from '../../../core/index.js'
import { Recorder } from './recorder.js'
import { FakeReceiver, FakeSender, headOf } from './sides.js'
import { FakeSink } from './sink.js'
import { FakeSource } from './source.js'

/** The core under test. The model runs the same script on damaged copies of it. */
export type Core = typeof shippedCore

/** Small enough that every limit is reached with a few hundred bytes and a few steps of the clock. */
export const BENCH_LIMITS: Limits = {
  maxWaiting: 4,
  maxActive: 3,
  windowBytes: 256,
  holdBytes: 1024,
  idleMs: 60_000,
  minRate: 0,
  ratePeriodMs: 10_000,
  reminderMs: 10_000,
  maxQueued: 3,
  live: {
    maxViewers: 4,
    maxStreams: 2,
    maxAllViewers: 6,
    budgetBytes: 1024,
    skipFromBytes: 256,
    skipToBytes: 64,
    stallMs: 60_000,
    restMs: 60_000,
  },
  topic: { maxSubscribers: 4, slow: 'hold', stallMs: 0, silenceMs: 15_000 },
}

export interface BenchOptions {
  readonly limits?: Partial<Limits>
  readonly slabBytes?: number
  readonly maxSlabs?: number
  /** Windows do not narrow when memory becomes scarce, and no slabs are set aside. */
  readonly roomy?: boolean
  /** What `TurnBudget` is made of. The default is more than any case moves. */
  readonly turn?: ConstructorParameters<typeof TurnBudget>
  readonly core?: Core
}

export interface SenderOptions extends Partial<Pick<SenderJoinOptions, 'waitMs' | 'stallMs' | 'expectedBytes'>> {
  readonly n?: number
  /** It sends live, and waits for `n` viewers: none unless it says so. */
  readonly live?: Partial<LiveSenderOptions>
  /** It sends to a queue. */
  readonly queue?: boolean
  readonly takeMs?: number
  /** It has its place there already. */
  readonly stays?: boolean
  readonly isLine?: boolean
  readonly onlyIfAwaited?: boolean
  /** It is the sending part of the peer with this letter, on a duplex pipe. */
  readonly letter?: DuplexLetter
  /** The length it announces. */
  readonly length?: number | undefined
  /** Its head comes later. */
  readonly headLater?: boolean
  readonly limits?: SideLimits
  readonly newDigest?: () => Digest
}

export interface ReceiverOptions {
  readonly n?: number
  /** It is a viewer. */
  readonly live?: LiveReceiverOptions
  /** It takes from a queue. */
  readonly queue?: boolean
  /** It has its place there already. */
  readonly stays?: boolean
  /** Which of those that wait it takes. */
  readonly takes?: (transfer: PipeView) => boolean
  /** It is the receiving part of the peer with this letter, on a duplex pipe. */
  readonly letter?: DuplexLetter
  /** It takes questions. */
  readonly serve?: boolean
  /** It takes a live stream too. */
  readonly orLive?: boolean
  /** What it is made of, in place of a sink that checks every byte. */
  readonly sink?: FakeSink
  readonly onlyIfAwaited?: boolean
  readonly waitMs?: number
  readonly room?: number
  /** It wants the stream from this byte on. */
  readonly offset?: number | undefined
  /** The last byte that it wants. */
  readonly last?: number | undefined
  readonly finishesAtOnce?: boolean
  readonly lags?: boolean
  readonly limits?: SideLimits
  readonly newDigest?: () => Digest
}

/** A table with small limits and its clock, to which a test adds senders and receivers. */
export class Bench {
  readonly core: Core
  readonly clock: Clock
  readonly slabs: SlabPool
  readonly turn: TurnBudget
  readonly table: PipeTable
  readonly observer = new Recorder()
  now = 0
  /** Streams so far, refused ones too. */
  streams = 0

  constructor({
    limits = {},
    slabBytes = 64,
    maxSlabs = 64,
    roomy = false,
    turn = [],
    core = shippedCore,
  }: BenchOptions = {}) {
    this.core = core
    this.clock = new core.Clock(() => this.now)
    this.slabs = new core.SlabPool(slabBytes, maxSlabs)
    if (roomy) this.slabs.share = (bytes) => bytes
    this.turn = new core.TurnBudget(...turn)
    this.table = new core.PipeTable({ ...BENCH_LIMITS, ...limits }, this.clock, this.slabs, this.observer, this.turn)
  }

  /** Moves the clock once, and ticks once. */
  advance(ms: number): void {
    this.now += ms
    this.clock.tick()
  }

  /** Lets time pass as it does in a gateway: in small ticks. */
  pass(ms: number, everyMs = 500): void {
    for (let left = ms; left > 0; left -= everyMs) this.advance(Math.min(left, everyMs))
  }

  trySender(key: string, options: SenderOptions = {}): FakeSender | Refusal {
    const {
      live,
      queue,
      takeMs,
      stays,
      isLine,
      n = live === undefined ? 1 : 0,
      length,
      headLater,
      waitMs = 300_000,
      stallMs = 0,
      expectedBytes,
      limits,
      newDigest,
      onlyIfAwaited,
      letter,
    } = options
    const stream = this.streams++
    const source = new FakeSource()
    const head = headLater === true ? undefined : headOf(stream, length)
    const transferId = `transfer-${stream}`
    const ofLive = live === undefined ? {} : { kind: 'live' as const, live: { lagBytes: 400, ...live } }
    const ofKind = queue === true ? { kind: 'queue' as const, takeMs, stays, isLine } : ofLive
    const common = { receivers: n, waitMs, stallMs, expectedBytes, limits, newDigest, transferId, onlyIfAwaited }
    const ofDuplex = letter === undefined ? {} : { kind: 'duplex' as const, duplex: { letter } }
    const joinOptions = { ...common, ...ofKind, ...ofDuplex }
    const endpoint = this.table.joinSender(key, source, head, joinOptions)
    return endpoint instanceof this.core.Refusal ? endpoint : new FakeSender(stream, source, endpoint)
  }

  tryReceiver(key: string, options: ReceiverOptions = {}): FakeReceiver | Refusal {
    const {
      live,
      queue,
      stays,
      takes,
      serve,
      letter,
      n = live === undefined ? 1 : 0,
      orLive,
      onlyIfAwaited,
      waitMs = 300_000,
      room,
      finishesAtOnce,
      lags,
      limits,
      newDigest,
      offset,
      last = Number.POSITIVE_INFINITY,
    } = options
    const range = offset === undefined ? undefined : { first: offset, last }
    const turn = n > this.turn.few || live !== undefined || orLive ? this.turn : undefined
    const sink = options.sink ?? new FakeSink(room, finishesAtOnce, lags, turn)
    const endpoint = this.table.joinReceiver(key, sink, {
      receivers: n,
      waitMs,
      limits,
      newDigest,
      range,
      onlyIfAwaited,
      orLive,
      ...(live !== undefined && { kind: 'live' as const, live }),
      ...(queue === true && { kind: 'queue' as const, stays, takes }),
      ...(serve === true && { kind: 'ask' as const }),
      ...(letter !== undefined && { kind: 'duplex' as const, duplex: { letter } }),
    })
    return endpoint instanceof this.core.Refusal ? endpoint : new FakeReceiver(sink, endpoint)
  }

  sender(key: string, options?: SenderOptions): FakeSender {
    const sender = this.trySender(key, options)
    if (sender instanceof this.core.Refusal) assert.fail(`refused: ${sender.text}`)
    return sender
  }

  receiver(key: string, options?: ReceiverOptions): FakeReceiver {
    const receiver = this.tryReceiver(key, options)
    if (receiver instanceof this.core.Refusal) assert.fail(`refused: ${receiver.text}`)
    return receiver
  }

  /** The end reason of the last pipe that ended. */
  get lastReason(): EndReason | undefined {
    return this.observer.observed.findLast(({ event }) => event === 'ended')?.reason
  }

  /** Asserts that everything has ended: no name, no byte, no deadline is left. */
  assertEmpty(): void {
    const { table, slabs, clock } = this
    const { waiting, streaming, resting, viewers, queuedReceivers, unanswered } = table
    const left = {
      waiting,
      streaming,
      resting,
      viewers,
      queuedReceivers,
      unanswered,
      topics: table.topics.size,
      held: slabs.heldBytes,
      deadlines: clock.size,
    }
    for (const [what, count] of Object.entries(left)) assert.equal(count, 0, what)
    assert.deepEqual([...table.names()], [])
    const opened = this.observer.observed.filter(({ event }) => event === 'waiting').length
    const ended = this.observer.observed.filter(({ event }) => event === 'ended').length
    assert.equal(ended, opened, 'every pipe that was opened has ended')
    for (const { key } of this.observer.observed) assert.equal(table.get(key), undefined, `${key} is not free`)
  }
}
