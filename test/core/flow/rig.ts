import type { Test } from 'tap'
import { Cursor } from '../../../core/flow/cursor.js'
import { FanOut } from '../../../core/flow/fan-out.js'
import type { FanOutListener } from '../../../core/flow/fan-out-listener.js'
import { type PipeView, SlabPool, TurnBudget } from '../../../core/index.js'
import { FakeSink } from '../fakes/sink.js'
import { FakeSource } from '../fakes/source.js'
import { lend, streamBytes } from '../fakes/stream-bytes.js'

const VIEW = {} as PipeView
const FIELDS = [['stream', '0']] as const

export interface RigOptions {
  readonly rooms: readonly number[]
  readonly windowBytes?: number
  readonly holdBytes?: number
  readonly maxSlabs?: number
  /** Shared with other rigs. */
  readonly pool?: SlabPool
  readonly finishesAtOnce?: boolean
  /** Where the cursors begin; 0 for those that are not named. */
  readonly offsets?: readonly number[]
  /** The announced length. */
  readonly length?: number
  /** What crowds may do in one turn; the default is more than any case moves. */
  readonly turn?: TurnBudget
}

/** A fan-out with its cursors, and a listener that counts its calls. */
export class Rig implements FanOutListener {
  readonly pool: SlabPool
  readonly source = new FakeSource()
  readonly sinks: FakeSink[]
  readonly cursors: Cursor[]
  readonly fanOut: FanOut
  clock = 0
  finishes = 0
  overflows = 0
  #fed = 0
  readonly #length: number | undefined

  constructor({
    rooms,
    windowBytes = 256,
    holdBytes = 1024,
    maxSlabs = 64,
    finishesAtOnce = true,
    pool = new SlabPool(64, maxSlabs),
    offsets = [],
    length,
    turn = new TurnBudget(),
  }: RigOptions) {
    this.pool = pool
    this.#length = length
    this.sinks = rooms.map(
      (room) => new FakeSink(room, finishesAtOnce, false, rooms.length > turn.few ? turn : undefined),
    )
    this.cursors = this.sinks.map((sink) => new Cursor(sink))
    for (const [i, offset] of offsets.entries()) this.cursors[i]!.startAt(offset)
    this.source.notify('waiting', VIEW)
    this.fanOut = new FanOut(this.source, { windowBytes, holdBytes }, this.pool, this, turn)
  }

  static flowing(options: RigOptions): Rig {
    const rig = new Rig(options)
    rig.start()
    return rig
  }

  start(): void {
    this.fanOut.start(this.cursors, { length: this.#length, fields: FIELDS }, VIEW)
  }

  now(): number {
    return this.clock
  }

  streamFinished(): void {
    this.finishes++
  }

  streamOverflowed(): void {
    this.overflows++
  }

  feed(length: number): Uint8Array {
    const from = this.#fed
    this.#fed += length
    return lend(0, from, length, (bytes) => this.fanOut.feed(bytes))
  }

  drain(i: number, room = Number.POSITIVE_INFINITY): void {
    this.sinks[i]!.empty(room)
    this.fanOut.drained(this.cursors[i]!)
  }

  leave(i: number): void {
    this.cursors[i]!.present = false
    this.sinks[i]!.disconnected = true
    this.fanOut.settle()
  }

  get received(): number[] {
    return this.sinks.map((sink) => sink.received)
  }

  get taken(): number[] {
    return this.cursors.map((cursor) => cursor.taken)
  }

  /** What each sink has is the stream from its offset on, byte for byte. */
  assertWhole(t: Test): void {
    t.same(this.received, this.taken)
    for (const sink of this.sinks) t.same(sink.bytes, Buffer.from(streamBytes(0, sink.offset, sink.received)))
  }
}
