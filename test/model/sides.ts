import type { FakeReceiver, FakeSender } from '../core/fakes/sides.js'
import type { SpecReceiver, SpecSender } from './spec-pipe.js'

/** A side as the core sees it, and as the specification does. */
export interface Sender {
  readonly fake: FakeSender
  readonly spec: SpecSender
}

export interface Receiver {
  readonly fake: FakeReceiver
  readonly spec: SpecReceiver
}

/** All sides of a world. */
export class Sides {
  /** Sides that are part of a pipe. */
  senders: Sender[] = []
  receivers: Receiver[] = []
  /** Sides that were: late calls of theirs must do nothing. */
  readonly pastSenders: Sender[] = []
  readonly pastReceivers: Receiver[] = []

  /** Moves sides that left or ended to the past ones: they can only make late calls from now on. */
  retire(): void {
    for (const sender of this.senders) if (sender.spec.pipe === undefined) this.pastSenders.push(sender)
    this.senders = this.senders.filter(({ spec }) => spec.pipe !== undefined)
    const isHere = ({ spec, fake }: Receiver): boolean =>
      spec.pipe !== undefined && spec.present && !fake.sink.disconnected
    for (const receiver of this.receivers) if (!isHere(receiver)) this.pastReceivers.push(receiver)
    this.receivers = this.receivers.filter(isHere)
    this.pastSenders.splice(0, this.pastSenders.length - 12)
    this.pastReceivers.splice(0, this.pastReceivers.length - 12)
  }

  /** A name for messages. */
  nameOf(receiver: FakeReceiver): string {
    const all = [...this.receivers, ...this.pastReceivers]
    return `receiver of ${receiver.endpoint.pipe.key} (${all.findIndex(({ fake }) => fake === receiver)})`
  }
}
