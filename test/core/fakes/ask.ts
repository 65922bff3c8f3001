/** Askers, workers and answers on a bench. */
import assert from 'node:assert/strict'
import type { ReceiverEndpoint, Refusal, SenderEndpoint, SenderJoinOptions } from '../../../core/index.js'
import type { Bench } from './bench.js'
import { type FakeReceiver, FakeSender, headOf } from './sides.js'
import { FakeSink } from './sink.js'
import { FakeSource } from './source.js'

export interface AskerOptions
  extends Partial<Pick<SenderJoinOptions, 'waitMs' | 'takeMs' | 'onlyIfAwaited' | 'limits'>> {
  readonly withinMs?: number
  readonly length?: number
  /** What receives its answer. */
  readonly sink?: FakeSink
}

/** Who asks: the sender of a question and the receiver of its answer in one. */
export class FakeAsker extends FakeSender {
  constructor(
    stream: number,
    source: FakeSource,
    readonly sink: FakeSink,
    question: SenderEndpoint,
    readonly answer: ReceiverEndpoint,
  ) {
    super(stream, source, question)
  }

  /** Sends the rest of its question. */
  ask(bytes = 10): this {
    this.feed(bytes)
    this.end()
    return this
  }

  /** Its connection is gone: both of its places learn of it, the response first. */
  override leave(): void {
    this.sink.disconnected = true
    this.answer.left()
    super.leave()
  }

  drain(bytes = Number.POSITIVE_INFINITY): void {
    this.sink.empty(bytes)
    this.answer.drained()
  }
}

const drawn = new WeakMap<Bench, number>()

/** What the next answer on this bench is named by. */
function draw(bench: Bench): string {
  const next = (drawn.get(bench) ?? 0) + 1
  drawn.set(bench, next)
  return `answer-${next}`
}

export function tryAsker(bench: Bench, key: string, options: AskerOptions = {}): FakeAsker | Refusal {
  const { withinMs = 300_000, waitMs = 300_000, length, sink = new FakeSink(), ...others } = options
  const stream = bench.streams++
  const source = new FakeSource()
  const joined = bench.table.joinAsker(key, source, headOf(stream, length), {
    kind: 'ask',
    receivers: 1,
    waitMs,
    stallMs: 0,
    transferId: `transfer-${stream}`,
    expectedBytes: undefined,
    ask: { withinMs, newAnswerId: () => draw(bench), sink },
    ...others,
  })
  return joined instanceof bench.core.Refusal
    ? joined
    : new FakeAsker(stream, source, sink, joined.question, joined.answer)
}

export function asker(bench: Bench, key: string, options?: AskerOptions): FakeAsker {
  const joined = tryAsker(bench, key, options)
  if (joined instanceof bench.core.Refusal) assert.fail(`refused: ${joined.text}`)
  return joined
}

/** By what the question is answered that this worker has got. */
export function answerIdOf(worker: FakeReceiver): string {
  const { answerId } = worker.endpoint.pipe
  assert.notEqual(answerId, undefined, 'it has no question that it could answer')
  return answerId!
}

export function tryAnswer(bench: Bench, key: string, answerId: string, length?: number): FakeSender | Refusal {
  const stream = bench.streams++
  const source = new FakeSource()
  const options = {
    receivers: 1,
    waitMs: 300_000,
    stallMs: 0,
    transferId: `transfer-${stream}`,
    expectedBytes: undefined,
  }
  const joined = bench.table.joinAnswer(key, answerId, source, headOf(stream, length), options)
  return joined instanceof bench.core.Refusal ? joined : new FakeSender(stream, source, joined)
}

/** The answer of the worker that has got a question. */
export function answer(bench: Bench, worker: FakeReceiver, length?: number): FakeSender {
  const joined = tryAnswer(bench, worker.endpoint.pipe.key, answerIdOf(worker), length)
  if (joined instanceof bench.core.Refusal) assert.fail(`refused: ${joined.text}`)
  return joined
}
