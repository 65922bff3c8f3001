import type { EndReason } from '../end-reason.js'
import type { Failure } from '../failure.js'
import type { FanOut } from '../flow/fan-out.js'
import type { JoinOptions } from '../join-options.js'
import type { KindName } from '../kind.js'
import type { LiveCounts, PipeState, PipeView } from '../pipe-view.js'
import type { StreamHead } from '../stream-head.js'
import type { PipeContext } from './pipe-context.js'
import type { ReceiverEndpoint } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'
import { TransferLimits } from './transfer-limits.js'

/** What is known of a transfer, for the transfer itself and for everybody who looks at it. */
export abstract class TransferState implements PipeView {
  abstract readonly kind: KindName
  state: PipeState = 'waiting'
  sender: SenderEndpoint | undefined
  readonly receivers: ReceiverEndpoint[] = []
  readonly openedAt: number
  pairedAt: number | undefined
  endedAt: number | undefined
  endReason: EndReason | undefined
  endFailure: Failure | undefined
  sha256: string | undefined
  looks = 0
  isLine = false
  /** No limits until the transfer begins. */
  readonly limits = new TransferLimits()

  constructor(
    readonly context: PipeContext,
    readonly id: number,
    readonly key: string,
    public receiversWanted: number,
  ) {
    this.openedAt = context.clock.now()
  }

  now(): number {
    return this.context.clock.now()
  }

  get live(): LiveCounts | undefined {
    return undefined
  }

  get answerId(): string | undefined {
    return undefined
  }

  get isAnswer(): boolean {
    return false
  }

  /** Whether a sender is there for a receiver that does not want to wait, and how many receivers are for a sender. */
  hasSenderFor(_options: JoinOptions): boolean {
    return this.hasSender
  }

  receiversFor(_options: JoinOptions): number {
    return this.receivers.length
  }

  get fanOut(): FanOut | undefined {
    return this.sender?.fanOut
  }

  get transferId(): string {
    return this.sender?.options.transferId ?? ''
  }

  get hasSender(): boolean {
    return this.sender !== undefined
  }

  get head(): StreamHead | undefined {
    return this.sender?.head
  }

  get receiversPresent(): number {
    let present = 0
    for (const endpoint of this.receivers) if (endpoint.cursor.present) present++
    return present
  }

  get bytesIn(): number {
    return this.fanOut?.bytesIn ?? 0
  }

  get bytesOut(): number {
    return this.fanOut?.slowest ?? 0
  }

  get bytesSent(): number {
    return this.fanOut?.sent ?? 0
  }

  get bytesSkipped(): number {
    return this.fanOut?.skipped ?? 0
  }

  get heldBackMs(): number {
    return this.fanOut?.heldBackMs ?? 0
  }

  get expectedBytes(): number | undefined {
    return this.head?.length ?? this.sender?.options.expectedBytes
  }

  /** Read it after calls that may have ended the pipe. */
  get isStreaming(): boolean {
    return this.state === 'streaming'
  }
}
