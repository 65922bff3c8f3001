/**
 * What a name for questions has to do: the questions are a queue's streams, and who asked waits on for the answer of the one worker
 * that has got its question. It moves no bytes, only counts them.
 */
import type { EndReason } from '../../core/index.js'
import type { SpecAnswer, SpecAskTable, SpecQuestion } from './spec-ask-sides.js'
import { type QueuedReceiver, type QueuedSender, SpecQueue } from './spec-queue.js'

/** Ends of a question that leave an answer alone which has begun: that shows by itself whether its worker is there. */
const NOT_OF_THE_ASKER = new Set<EndReason>(['complete', 'answered', 'receivers_left', 'receivers_stalled'])

export class SpecAsk extends SpecQueue {
  /** Questions that a worker has or had, and that are not over. */
  readonly open = new Set<SpecQuestion>()

  constructor(readonly table: SpecAskTable) {
    super(table.limits, table.timers)
    table.names.push(this)
  }

  override get waiting(): number {
    return super.waiting + [...this.open].filter(({ isAwaited }) => isAwaited).length
  }

  /** Transfers that stream, on either way. */
  get streaming(): number {
    return this.running.size + [...this.open].filter(({ answer }) => answer?.isStreaming).length
  }

  override get isFree(): boolean {
    return super.isFree && this.open.size === 0
  }

  protected override get mayWait(): boolean {
    return this.table.waiting < this.limits.maxWaiting
  }

  protected override get mayStream(): boolean {
    return this.table.streaming < this.limits.maxActive
  }

  // --- the question

  protected override handedOver(sender: QueuedSender): void {
    const question = sender as SpecQuestion
    this.open.add(question)
    question.answerId = this.table.draw()
    this.timers.after(question.withinMs, question.within, () => {
      if (question.isOver) this.#fail(question, 'no_answer')
      else this.end(question, 'no_answer')
    })
    if ((question.length ?? 0) > question.maxBytes) this.end(question, 'too_large')
  }

  protected override takenBack(sender: QueuedSender): void {
    this.#void(sender as SpecQuestion)
    this.open.delete(sender as SpecQuestion)
  }

  /** Who answers has got it. */
  protected override isTaken(sender: QueuedSender, receiver: QueuedReceiver): boolean {
    return receiver.hasArrived || (sender as SpecQuestion).answer !== undefined
  }

  override feed(sender: QueuedSender, bytes: number): void {
    const question = sender as SpecQuestion
    const wrong = wrongIn(question.fed + bytes, question, question.maxBytes)
    if (wrong === undefined) super.feed(question, bytes)
    else this.end(question, wrong)
  }

  override endBody(sender: QueuedSender): void {
    const question = sender as SpecQuestion
    if ((question.length ?? question.fed) === question.fed) super.endBody(question)
    else this.end(question, 'wrong_length')
  }

  /** Its body is broken, or the gateway met a defect with it. */
  breaks(question: SpecQuestion, reason: EndReason): void {
    if (!question.isOver) this.end(question, reason)
  }

  protected override end(sender: QueuedSender, reason: EndReason): void {
    const question = sender as SpecQuestion
    if (question.isOver) return
    super.end(question, reason)
    if (question.answer !== undefined) {
      if (!NOT_OF_THE_ASKER.has(reason)) this.endAnswer(question, reason)
      this.#settle(question)
    } else if (reason === 'complete') question.isAwaited = true
    else this.#fail(question, reason)
  }

  /** Nobody can answer it any more. */
  #void(question: SpecQuestion): void {
    question.answerId = undefined
    this.timers.cancel(question.within)
  }

  /** Who asked is told that no answer comes. */
  #fail(question: SpecQuestion, reason: EndReason): void {
    this.#void(question)
    if (question.present) question.askerLog.push(`abort ${reason}`)
    question.present = false
    this.#done(question)
  }

  #done(question: SpecQuestion): void {
    question.isAwaited = false
    question.isDone = true
    this.open.delete(question)
  }

  #settle(question: SpecQuestion): void {
    if (question.isOver && question.answer!.isOver) this.#done(question)
  }

  // --- who asked

  askerLeaves(question: SpecQuestion): void {
    const { answer } = question
    question.present = false
    if (answer !== undefined && !answer.isOver) this.endAnswer(question, 'receivers_left')
    else if (question.receiver !== undefined) this.end(question, 'sender_left')
    else if (question.isOver) this.#fail(question, 'sender_left')
    else {
      this.outSender(question)
      question.isOver = true
      this.#fail(question, 'abandoned')
    }
  }

  /** The gateway met a defect with its response. */
  askerFaults(question: SpecQuestion): void {
    if (question.answer !== undefined) this.endAnswer(question, 'fault')
    else if (question.isOver) this.#fail(question, 'fault')
    else this.end(question, 'fault')
  }

  askerDrains(question: SpecQuestion, room: number): void {
    question.room = room
    if (question.answer?.isStreaming) this.#takes(question)
  }

  askerHandsOn(question: SpecQuestion): void {
    question.finished = true
    this.endAnswer(question, 'complete')
  }

  // --- the worker

  workerFaults(worker: QueuedReceiver): void {
    if (worker.sender !== undefined) this.end(worker.sender, 'fault')
    else {
      worker.log.push('abort fault')
      this.out(worker)
    }
  }

  // --- the answer

  /** The question that is answered by this name now. */
  answeredBy(answerId: string): SpecQuestion | undefined {
    return [...this.open].find((question) => question.answerId === answerId)
  }

  joinAnswer(question: SpecQuestion, answer: SpecAnswer): void {
    this.#void(question)
    question.isAwaited = false
    const { mayStream } = this
    question.answer = answer
    answer.log.push('waiting')
    if (!mayStream) {
      this.endAnswer(question, 'too_many_active')
      return
    }
    answer.isStreaming = true
    answer.log.push('streaming')
    if ((answer.length ?? 0) > question.maxBytes) this.endAnswer(question, 'too_large')
    else question.askerLog.push('begin')
  }

  feedAnswer(question: SpecQuestion, bytes: number): void {
    const answer = question.answer!
    const wrong = wrongIn(answer.fed + bytes, answer, question.maxBytes)
    if (wrong !== undefined) {
      this.endAnswer(question, wrong)
      return
    }
    answer.fed += bytes
    this.#takes(question)
  }

  endAnswerBody(question: SpecQuestion): void {
    const answer = question.answer!
    if ((answer.length ?? answer.fed) !== answer.fed) {
      this.endAnswer(question, 'wrong_length')
      return
    }
    answer.log.push('uploaded')
    answer.bodyDone = true
    this.#takes(question)
  }

  answererLeaves(question: SpecQuestion): void {
    if (!question.answer!.bodyDone) this.endAnswer(question, 'sender_left')
  }

  endAnswer(question: SpecQuestion, reason: EndReason): void {
    const answer = question.answer!
    if (answer.isOver) return
    answer.isOver = true
    answer.isStreaming = false
    answer.log.push(`end ${reason}`)
    if (question.present && !question.finished) question.askerLog.push(`abort ${reason}`)
    if (!question.present) this.end(question, 'sender_left')
    else if (!question.bodyDone) this.end(question, 'answered')
    this.#settle(question)
  }

  /** Who asked takes what it has room for. */
  #takes(question: SpecQuestion): void {
    const { fed, bodyDone } = question.answer!
    const takes = Math.min(question.room, fed - question.taken)
    question.taken += takes
    question.room -= takes
    if (!bodyDone || question.taken < fed || question.finishCalled) return
    question.finishCalled = true
    question.askerLog.push('finish')
    if (question.finishesAtOnce) this.askerHandsOn(question)
  }

  // --- everything

  /** Everything here ends. */
  endHere(reason: EndReason): void {
    for (const sender of [...this.running]) this.end(sender, reason)
    this.endWaiting(reason)
    for (const question of [...this.open]) {
      if (question.answer === undefined) this.#fail(question, reason)
      else this.endAnswer(question, reason)
    }
  }
}

/** What is wrong with a body of so many bytes. */
function wrongIn(
  bytes: number,
  { length }: { readonly length: number | undefined },
  maxBytes: number,
): EndReason | undefined {
  if (bytes > (length ?? bytes)) return 'wrong_length'
  return bytes > maxBytes ? 'too_large' : undefined
}
