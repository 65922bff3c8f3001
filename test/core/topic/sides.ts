/** Subscribers and publishers that do what a test tells them. */
import assert from 'node:assert/strict'
import type {
  EndReason,
  PipeView,
  Publication,
  Publisher,
  PublishOptions,
  Refusal,
  TopicEncoding,
  TopicFormat,
  TopicMessage,
} from '../../../core/index.js'
import type { Bench } from '../fakes/bench.js'
import { RawSink } from '../live/raw-sink.js'

const bytesOf = (text: string) => Buffer.from(text, 'latin1')

/** How often messages were encoded, over all topics. */
export const encodings = { count: 0 }

class TestFormat implements TopicFormat {
  readonly head = { length: undefined, fields: [] }

  constructor(
    readonly shape: (text: string, id: number) => string,
    readonly opening?: Uint8Array,
    readonly closing?: Uint8Array,
    readonly silence?: Uint8Array,
  ) {}

  encode({ bytes }: TopicMessage, id: number): Uint8Array {
    encodings.count++
    return bytesOf(this.shape(Buffer.from(bytes).toString('latin1'), id))
  }
}

/** Each message and a line break. */
export const LINES: TopicEncoding = { name: 'lines', newFormat: () => new TestFormat((text) => `${text}\n`) }
/** With its number, an opening, a closing, and something for silence. */
export const NUMBERED: TopicEncoding = {
  name: 'numbered',
  newFormat: () => new TestFormat((text, id) => `${id}:${text};`, bytesOf('<'), bytesOf('>'), bytesOf('~')),
}

export class TestSubscriber {
  constructor(
    readonly sink: RawSink,
    readonly place: { drained(): void; finished(): void; fault(): void; left(): void },
  ) {}

  get text(): string {
    return Buffer.from(this.sink.bytes).toString('latin1')
  }

  drain(room = Number.POSITIVE_INFINITY): void {
    this.sink.empty(room)
    this.place.drained()
  }

  /** The last byte has been handed on: the late answer to `finish()`. */
  handOn(): void {
    this.sink.finished = true
    this.place.finished()
  }

  leave(): void {
    this.sink.disconnected = true
    this.place.left()
  }
}

interface SubscribeOptions {
  readonly encoding?: TopicEncoding
  readonly room?: number
  readonly finishesAtOnce?: boolean
  readonly onlyIfAwaited?: boolean
}

let ids = 0
const newTransferId = () => `topic-${++ids}`

export function trySubscribe(bench: Bench, key: string, options: SubscribeOptions = {}): TestSubscriber | Refusal {
  const { encoding = LINES, room, finishesAtOnce, onlyIfAwaited } = options
  const sink = new RawSink(room, finishesAtOnce, false, bench.turn)
  const place = bench.table.topics.subscribe(key, sink, encoding, { newTransferId, onlyIfAwaited })
  return place instanceof bench.core.Refusal ? place : new TestSubscriber(sink, place)
}

export function subscribe(bench: Bench, key: string, options?: SubscribeOptions): TestSubscriber {
  const subscriber = trySubscribe(bench, key, options)
  if (subscriber instanceof bench.core.Refusal) assert.fail(`refused: ${subscriber.text}`)
  return subscriber
}

/** A message, and what has become of it: exactly one of these, and nothing while it waits. */
export class TestPublisher implements Publisher {
  subscribers: number | undefined
  refusal: Refusal | undefined
  reason: EndReason | undefined
  publication: Publication | undefined
  /** Calls that came after it had to wait. */
  calls = 0
  onDelivered: (() => void) | undefined

  delivered(subscribers: number): void {
    this.#called()
    this.subscribers = subscribers
    this.onDelivered?.()
  }

  refused(refusal: Refusal): void {
    this.#called()
    this.refusal = refusal
  }

  failed(reason: EndReason, topic: PipeView): void {
    this.#called()
    assert.equal(topic.kind, 'topic')
    this.reason = reason
  }

  get waits(): boolean {
    return this.publication !== undefined && this.calls === 0
  }

  get code(): string | undefined {
    return this.refusal?.failure.code
  }

  #called(): void {
    this.calls++
    assert.equal(this.calls, 1, 'publisher: told twice')
  }
}

type TestOptions = Partial<PublishOptions>

export function publish(bench: Bench, key: string, text: string, options: TestOptions = {}): TestPublisher {
  const publisher = new TestPublisher()
  const loan = bytesOf(text)
  const all = { min: 0, waitMs: 10_000, ...options, newTransferId }
  const outcome = bench.table.topics.publish(key, { bytes: loan, type: '' }, all, publisher)
  // Whoever kept the loan is found out.
  loan.fill(0x23)
  if (typeof outcome === 'number') publisher.subscribers = outcome
  else if (outcome instanceof bench.core.Refusal) publisher.refusal = outcome
  else publisher.publication = outcome
  return publisher
}

/** One that stays for more messages; returns how it leaves. */
export function stay(bench: Bench, key: string, publisher = new TestPublisher()): () => void {
  const stays = bench.table.topics.stay(key, { newTransferId }, publisher)
  if (stays instanceof bench.core.Refusal) assert.fail(`refused: ${stays.text}`)
  return stays
}
