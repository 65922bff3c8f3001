import type { Deadline } from '../clock.js'
import type { EndReason } from '../end-reason.js'
import type { Failure } from '../failure.js'
import type { SenderJoinOptions } from '../join-options.js'
import type { PipeView } from '../pipe-view.js'
import type { Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import { Answer } from './answer.js'
import type { Member } from './group.js'
import { Match, type Matchmaker } from './match.js'
import { MatchedReceiver } from './matched-receiver.js'
import { orEnd } from './or-end.js'
import type { ReceiverEndpoint } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'

/** Ends of a question that its asker has no part in: an answer that has begun goes on. */
const ON_WORKERS_SIDE: ReadonlySet<EndReason> = new Set(['complete', 'answered', 'receivers_left', 'receivers_stalled'])

/** Both places of one asker. */
export interface Asker {
  readonly question: SenderEndpoint
  readonly answer: ReceiverEndpoint
}

/** The name on which it was asked. */
export interface QuestionKeeper {
  /** A worker gets it, and can answer under this name. */
  handedOver(question: Question, answerId: string): void
  /** It waits for another worker, as before the first one. */
  takenBack(question: Question): void
  /** Nobody can answer under this name any more. */
  withdrawn(answerId: string): void
  /** A worker has all of it, and its answer has not begun; or no longer. */
  awaits(isAwaiting: boolean): void
  onAnswerOpened(answer: PipeView): void
  /** It and its answer are over. */
  over(question: Question): void
}

/**
 * The stream from an asker to one worker, and the asker's wait for an answer. The asker is a source and a sink at once: what it
 * receives belongs to its question until the worker answers, and to the answer from then on.
 *
 * The two streams may overlap. Who asked and is gone ends both. A worker that is gone before it has the whole question ends that, and
 * the wait for an answer; but an answer that has begun shows by itself whether its worker is there.
 */
export class Question extends Match {
  /** The asker, as the receiver of the answer. Set as soon as it has joined. */
  asker!: MatchedReceiver
  answer: Answer | undefined
  /** Its place among those that a worker has or had, which it leaves when it is over. */
  open: Member<Question> | undefined
  /** By which the worker that has it can answer. */
  #answerId: string | undefined
  #within: Deadline | undefined
  #isAwaited = false

  constructor(
    maker: Matchmaker,
    id: number,
    readonly keeper: QuestionKeeper,
  ) {
    super(maker, id)
  }

  override get answerId(): string | undefined {
    return this.#answerId
  }

  override addSender(
    source: Source,
    head: StreamHead | undefined,
    options: SenderJoinOptions,
    mayBring?: number,
  ): SenderEndpoint {
    const { receivers, waitMs, limits } = options
    this.asker = new MatchedReceiver(this, options.ask!.sink, { receivers, waitMs, limits })
    return super.addSender(source, head, options, mayBring)
  }

  /** A worker gets it. */
  protected override begun(): void {
    super.begun()
    const { ask } = this.sender!.options
    this.#answerId = ask!.newAnswerId()
    this.keeper.handedOver(this, this.#answerId)
    this.#within = this.context.clock.after(ask!.withinMs, () => this.#unanswered())
  }

  /** The worker is gone, and nothing had arrived at it. */
  protected override waitAgain(sender: SenderEndpoint): void {
    this.#withdraw()
    this.keeper.takenBack(this)
    super.waitAgain(sender)
  }

  /** Its worker answers. Whoever can do that has got it. */
  answerBy(source: Source, head: StreamHead, options: SenderJoinOptions, id: number): SenderEndpoint {
    this.#withdraw()
    if (this.isStreaming) this.take()
    this.#await(false)
    const answer = new Answer(this.context, id, this.key, () => this.#answerOver())
    this.answer = answer
    this.keeper.onAnswerOpened(answer)
    return orEnd(answer, () => {
      answer.receive(this.asker)
      return answer.addSender(source, head, options)
    })
  }

  #unanswered(): void {
    if (this.state === 'ended') this.#fail('no_answer')
    else this.end('no_answer')
  }

  // --- its ends

  override end(reason: EndReason): void {
    if (this.state === 'ended') return
    super.end(reason)
    if (this.answer !== undefined) {
      if (!ON_WORKERS_SIDE.has(reason)) this.answer.end(reason)
      this.#settle()
    } else if (reason === 'complete') {
      this.#await(true)
    } else {
      this.#fail(reason)
    }
  }

  /** No answer comes any more. */
  #fail(reason: EndReason): void {
    this.#withdraw()
    this.#await(false)
    const { cursor } = this.asker
    if (cursor.present) cursor.sink.abort(reason, this)
    cursor.present = false
    this.keeper.over(this)
  }

  #answerOver(): void {
    // What has been read of it still gets to the worker. The rest would be read from a connection that has its answer.
    if (!this.asker.cursor.present) this.end('sender_left')
    else if (this.fanOut?.sourceEnded !== true) this.end('answered')
    this.#settle()
  }

  #settle(): void {
    if (this.state === 'ended' && this.answer?.state === 'ended') this.keeper.over(this)
  }

  /** Ends what is left of it when the question itself has ended: the answer, or the wait for one. */
  endAnswer(reason: EndReason): void {
    if (this.answer === undefined) this.#fail(reason)
    else this.answer.end(reason)
  }

  stopAnswer(failure: Failure): void {
    this.endFailure = failure
    if (this.answer === undefined) this.#fail('stopped')
    else this.answer.stop(failure)
  }

  // --- who goes

  override senderLeft(endpoint: SenderEndpoint): void {
    this.asker.cursor.present = false
    super.senderLeft(endpoint)
    // All of it had been read; but nobody wants an answer any more.
    this.end('sender_left')
  }

  override receiverLeft(endpoint: ReceiverEndpoint): void {
    if (endpoint !== this.asker) super.receiverLeft(endpoint)
    else if (this.state === 'ended') {
      endpoint.cursor.present = false
      this.#fail('sender_left')
    } else this.senderLeft(this.sender!)
  }

  override receiverFault(endpoint: ReceiverEndpoint): void {
    if (this.state !== 'ended') super.receiverFault(endpoint)
    else if (endpoint === this.asker) this.#fail('fault')
  }

  /** The name of the answer is void. */
  #withdraw(): void {
    this.#within?.cancel()
    if (this.#answerId === undefined) return
    this.keeper.withdrawn(this.#answerId)
    this.#answerId = undefined
  }

  #await(isAwaited: boolean): void {
    if (isAwaited === this.#isAwaited) return
    this.#isAwaited = isAwaited
    this.keeper.awaits(isAwaited)
  }
}
