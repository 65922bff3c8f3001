import type { EndReason } from '../end-reason.js'
import { CORE_FAILURES, type Failure, Refusal } from '../failure.js'
import type { SenderJoinOptions } from '../join-options.js'
import type { AskCounts, PipeState, PipeView } from '../pipe-view.js'
import type { Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import { Group, type Member } from './group.js'
import type { Matchmaker } from './match.js'
import { Question, type QuestionKeeper } from './question.js'
import type { SenderEndpoint } from './sender-endpoint.js'
import { SharedName } from './shared-name.js'

/** Questions, each to exactly one worker, and the answer of that worker to whoever asked. */
export class Ask extends SharedName implements QuestionKeeper {
  readonly kind = 'ask'
  readonly sides = { sender: 'askers', receiver: 'workers' }
  /** Those that a worker has or had, and that are not over. */
  readonly #open = new Group<Question>()
  /** Those that can be answered, by the names of their answers. */
  readonly #answerable = new Map<string, Member<Question>>()
  /** Bytes of answers that are over. */
  #bytesIn = 0
  #bytesOut = 0

  override newMatch(maker: Matchmaker, id: number): Question {
    return new Question(maker, id, this)
  }

  /** A worker answers the question that it got with this name for the answer. */
  answer(answerId: string, source: Source, head: StreamHead, options: SenderJoinOptions): SenderEndpoint | Refusal {
    const question = this.#answerable.get(answerId)?.who
    if (question === undefined) return new Refusal(CORE_FAILURES.answerGone)
    return question.answerBy(source, head, options, this.context.nextId())
  }

  // --- as a view

  override get isHeld(): boolean {
    return this.#open.size > 0
  }

  override get ask(): AskCounts {
    const { sendersWaiting: askers, receiversWaiting: workers } = this.matching
    return { askers, workers, unanswered: this.#open.size }
  }

  override get state(): PipeState {
    return this.isHeld ? 'streaming' : super.state
  }

  override get pairedAt(): number | undefined {
    for (const { pairedAt } of this.#open) return pairedAt
    return super.pairedAt
  }

  override get hasSender(): boolean {
    return this.isHeld || super.hasSender
  }

  override get bytesIn(): number {
    let bytes = super.bytesIn + this.#bytesIn
    for (const { answer } of this.#open) bytes += answer?.bytesIn ?? 0
    return bytes
  }

  override get bytesOut(): number {
    let bytes = super.bytesOut + this.#bytesOut
    for (const { answer } of this.#open) bytes += answer?.bytesOut ?? 0
    return bytes
  }

  override *transfers(): Generator<PipeView> {
    yield* super.transfers()
    for (const { answer } of this.#open) if (answer !== undefined && answer.state !== 'ended') yield answer
  }

  // --- for the table

  override stop(failure: Failure): void {
    super.stop(failure)
    for (const question of [...this.#open]) question.stopAnswer(failure)
  }

  override end(reason: EndReason): void {
    super.end(reason)
    for (const question of [...this.#open]) question.endAnswer(reason)
  }

  // --- for its questions

  handedOver(question: Question, answerId: string): void {
    question.open = this.#open.join(question)
    this.#answerable.set(answerId, question.open)
  }

  takenBack(question: Question): void {
    question.open?.leave()
  }

  withdrawn(answerId: string): void {
    this.#answerable.delete(answerId)
  }

  awaits(isAwaiting: boolean): void {
    this.context.unanswered += isAwaiting ? 1 : -1
    this.context.counted()
  }

  onAnswerOpened(answer: PipeView): void {
    this.context.onOpened(answer)
  }

  over(question: Question): void {
    if (question.open?.leave() !== true) return
    this.#bytesIn += question.answer?.bytesIn ?? 0
    this.#bytesOut += question.answer?.bytesOut ?? 0
    this.matching.settle()
  }
}
