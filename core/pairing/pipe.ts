import type { EndReason } from '../end-reason.js'
import { CORE_FAILURES, Refusal } from '../failure.js'
import { Cursor } from '../flow/cursor.js'
import { FanOut } from '../flow/fan-out.js'
import { Watchdog } from '../flow/watchdog.js'
import type { JoinOptions, ReceiverJoinOptions, SenderJoinOptions } from '../join-options.js'
import type { KindName } from '../kind.js'
import type { Sink, Source } from '../ports.js'
import { refuseKind } from './kind-clash.js'
import type { ReceiverEndpoint } from './receiver-endpoint.js'
import { Transfer } from './transfer.js'

/** So many receivers, counted beforehand: nothing flows before all of them are there, and all get every byte. */
export class Pipe extends Transfer {
  readonly kind: KindName = 'pipe'

  refuseSender(options: SenderJoinOptions): Refusal | undefined {
    const refusal = this.#refuse(options)
    if (refusal !== undefined) return refusal
    return this.hasSender ? new Refusal(CORE_FAILURES.senderExists) : undefined
  }

  refuseReceiver(options: ReceiverJoinOptions): Refusal | undefined {
    const refusal = this.#refuse(options)
    if (refusal !== undefined) return refusal
    const expected = this.receiversWanted
    if (this.receivers.length >= expected) return new Refusal(CORE_FAILURES.receiversFull, { expected })
    return this.sender?.rangeRefusal(options.range)
  }

  #refuse(options: JoinOptions): Refusal | undefined {
    const clash = refuseKind(this, options)
    if (clash !== undefined) return clash
    if (this.state === 'streaming') return new Refusal(CORE_FAILURES.pipeBusy)
    const expected = this.receiversWanted
    const found = options.receivers
    return found === expected ? undefined : new Refusal(CORE_FAILURES.nMismatch, { found, expected })
  }

  protected newFanOut(source: Source, _options: SenderJoinOptions, reserved: number): FanOut {
    const { limits, slabs, turn } = this.context
    return new FanOut(source, limits, slabs, this, turn, reserved)
  }

  protected newCursor(sink: Sink): Cursor {
    return new Cursor(sink)
  }

  protected newWatchdog(fanOut: FanOut, { stallMs }: SenderJoinOptions): Watchdog {
    const { clock, limits } = this.context
    return new Watchdog(this, fanOut, clock, limits, stallMs)
  }

  protected restrictForReceivers(): void {
    for (const { options } of this.receivers) this.limits.restrict(options.limits)
  }

  /** Without receivers there is nothing left to do. */
  protected streamingReceiverGone(endpoint: ReceiverEndpoint, reasonIfLast: EndReason): void {
    const { fanOut, source } = this.sender!
    if (!fanOut.leave(endpoint.cursor)) {
      this.end(reasonIfLast)
      return
    }
    source.notify('receiver_left', this)
    this.context.observer?.onLeft(this, 'receiver')
    fanOut.settle()
  }
}
