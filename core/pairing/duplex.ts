import type { EndReason } from '../end-reason.js'
import { CORE_FAILURES, type Failure, Refusal } from '../failure.js'
import type { DuplexJoinOptions, JoinOptions, ReceiverJoinOptions, SenderJoinOptions } from '../join-options.js'
import type { DuplexCounts, PipeState, PipeView } from '../pipe-view.js'
import type { Sink, Source } from '../ports.js'
import type { StreamHead } from '../stream-head.js'
import { Direction, type Pair } from './direction.js'
import { refuseKind } from './kind-clash.js'
import { ContextWithin, type SharedNameContext } from './pipe-context.js'
import type { ReceiverEndpoint } from './receiver-endpoint.js'
import type { SenderEndpoint } from './sender-endpoint.js'
import { WholeName } from './whole-name.js'

type SideIndex = 0 | 1

const opposite = (side: SideIndex): SideIndex => (side === 0 ? 1 : 0)

/** The same end, as the other direction sees it: who sent there received here. */
const MIRRORED: Partial<Record<EndReason, EndReason>> = {
  sender_left: 'receivers_left',
  receivers_left: 'sender_left',
  no_sender: 'no_receivers',
  no_receivers: 'no_sender',
}

/** What the directions of a duplex pipe need. */
class DirectionsContext extends ContextWithin {
  constructor(
    table: SharedNameContext,
    readonly ended: (direction: Direction) => void,
  ) {
    super(table)
  }

  onEnded(direction: PipeView): void {
    this.ended(direction as Direction)
  }
}

/**
 * Two peers, and a stream from each to the other. A stream that has come to its end is a half-close, and the other goes on. But if
 * one of them fails, so does the other: no peer is left talking to nobody.
 *
 * A peer joins both directions at once, or, under a letter, one by one. A direction begins when its sender and its receiver are
 * there.
 */
export class Duplex extends WholeName implements PipeView, Pair {
  readonly kind = 'duplex'
  readonly openedAt: number
  isJoining = false
  /** Who is here; undefined: the place is free. */
  readonly #peers: [DuplexJoinOptions | undefined, DuplexJoinOptions | undefined] = [undefined, undefined]
  /** By the side that sends. */
  readonly #directions: [Direction | undefined, Direction | undefined] = [undefined, undefined]
  /** Of directions that are over. */
  readonly #said: [number, number] = [0, 0]
  #bytesOut = 0
  #progress = 0
  readonly #context: DirectionsContext

  constructor(
    readonly table: SharedNameContext,
    readonly id: number,
    readonly key: string,
  ) {
    super()
    this.openedAt = table.clock.now()
    this.#context = new DirectionsContext(table, (direction) => this.#ended(direction))
  }

  // --- as a view

  get duplex(): DuplexCounts {
    const here = this.#peers.filter((peer) => peer !== undefined)
    return {
      peers: here.length,
      webSockets: here.filter(({ inMessages }) => inMessages).length,
      said: [this.#saidBy(0), this.#saidBy(1)],
      protocol: here.find(({ inMessages }) => inMessages)?.protocol,
    }
  }

  #saidBy(side: SideIndex): number {
    return this.#said[side] + (this.#directions[side]?.bytesIn ?? 0)
  }

  get state(): PipeState {
    for (const { isStreaming } of this.transfers()) if (isStreaming) return 'streaming'
    return 'waiting'
  }

  get pairedAt(): number | undefined {
    for (const { pairedAt } of this.transfers()) if (pairedAt !== undefined) return pairedAt
    return undefined
  }

  get hasSender(): boolean {
    for (const { hasSender } of this.transfers()) if (hasSender) return true
    return false
  }

  get receiversPresent(): number {
    let present = 0
    for (const { receiversPresent } of this.transfers()) present += receiversPresent
    return present
  }

  get bytesIn(): number {
    return this.#saidBy(0) + this.#saidBy(1)
  }

  get bytesOut(): number {
    let bytes = this.#bytesOut
    for (const { bytesOut } of this.transfers()) bytes += bytesOut
    return bytes
  }

  get bytesSent(): number {
    return this.bytesOut
  }

  *transfers(): Generator<Direction> {
    for (const direction of this.#directions) if (direction !== undefined) yield direction
  }

  // --- for the table

  /** Receivers that this sender would find, and whether a sender is there for this receiver. */
  receiversFor(options: JoinOptions): number {
    const side = this.#placeFor(options)
    return side === undefined ? 0 : (this.#directions[side]?.receivers.length ?? 0)
  }

  hasSenderFor(options: JoinOptions): boolean {
    const side = this.#placeFor(options)
    return side !== undefined && this.#directions[opposite(side)]?.hasSender === true
  }

  refuseSender(options: SenderJoinOptions): Refusal | undefined {
    return this.#refuse(options, 'sender', (side) => this.#directions[side]?.hasSender === true)
  }

  refuseReceiver(options: ReceiverJoinOptions): Refusal | undefined {
    const isTaken = (side: SideIndex) => (this.#directions[opposite(side)]?.receivers.length ?? 0) > 0
    return this.#refuse(options, 'receiver', isTaken)
  }

  #refuse(options: JoinOptions, part: string, isTaken: (side: SideIndex) => boolean): Refusal | undefined {
    const clash = refuseKind(this, options)
    if (clash !== undefined) return clash
    const side = this.#placeFor(options)
    if (side === undefined) return new Refusal(CORE_FAILURES.peersFull)
    return isTaken(side) ? new Refusal(CORE_FAILURES.partTaken, { found: options.duplex!.letter!, part }) : undefined
  }

  /** The side of the peer with this letter, or a free one. */
  #placeFor({ duplex }: JoinOptions): SideIndex | undefined {
    const letter = duplex?.letter
    const sides = [0, 1] as const
    const own = letter && sides.find((side) => this.#peers[side]?.letter === letter)
    return own ?? sides.find((side) => this.#peers[side] === undefined)
  }

  #take(options: JoinOptions): SideIndex {
    const side = this.#placeFor(options)!
    this.#peers[side] ??= options.duplex ?? {}
    return side
  }

  #direction(side: SideIndex): Direction {
    const found = this.#directions[side]
    if (found !== undefined) return found
    const direction = new Direction(this.#context, this, this.table.nextId(), this.key, side)
    this.#directions[side] = direction
    this.table.onOpened(direction)
    return direction
  }

  /** @param options with `duplex.sink`, it joins the other direction as well */
  addSender(source: Source, head: StreamHead | undefined, options: SenderJoinOptions, mayBring = 0): SenderEndpoint {
    const side = this.#take(options)
    const outgoing = this.#direction(side)
    if (options.duplex?.letter !== undefined) return outgoing.addSender(source, head, options, mayBring)
    const incoming = this.#direction(opposite(side))
    this.isJoining = true
    const sender = outgoing.addSender(source, head, options, mayBring)
    const { kind, receivers, waitMs, limits, duplex } = options
    const receiver = incoming.addReceiver(duplex!.sink!, { kind, receivers, waitMs, limits, duplex })
    this.isJoining = false
    const close = () => {
      if (outgoing.state === 'waiting') {
        receiver.left()
        sender.left()
        return
      }
      receiver.cursor.present = false
      // First, so that the end of what was said is that of both directions.
      incoming.end('peer_closed')
      sender.end()
    }
    outgoing.peer = { sender, receiver, close }
    outgoing.streamIfReady()
    incoming.streamIfReady()
    return sender
  }

  addReceiver(sink: Sink, options: ReceiverJoinOptions): ReceiverEndpoint {
    return this.#direction(opposite(this.#take(options))).addReceiver(sink, options)
  }

  close(): void {
    if (this.state === 'waiting') this.end('shutting_down')
    else for (const direction of [...this.transfers()]) if (!direction.isStreaming) direction.end('shutting_down')
  }

  stop(failure: Failure): void {
    this.endFailure = failure
    for (const direction of this.transfers()) direction.endFailure = failure
    this.end('stopped')
  }

  end(reason: EndReason): void {
    for (const direction of [...this.transfers()]) direction.end(reason)
  }

  // --- for its directions

  get progress(): number {
    let progress = this.#progress
    for (const { fanOut } of this.transfers()) progress += fanOut?.progress ?? 0
    return progress
  }

  onOver({ side, endReason }: Direction, wasStreaming: boolean): void {
    if (endReason === 'complete' || endReason === 'peer_closed') return
    // Under letters each part waits for itself.
    const isShared = wasStreaming || this.#peers.some((peer) => peer !== undefined && peer.letter === undefined)
    if (isShared) this.#directions[opposite(side)]?.end(MIRRORED[endReason!] ?? endReason!)
  }

  #ended(ended: Direction): void {
    const { side } = ended
    this.#directions[side] = undefined
    this.#said[side] += ended.bytesIn
    this.#bytesOut += ended.bytesOut
    this.#progress += ended.bytesIn + 1
    this.table.onOneEnded(ended)
    this.#forgetWhoIsGone()
  }

  #forgetWhoIsGone(): void {
    for (const side of [0, 1] as const) {
      const isSending = this.#directions[side]?.hasSender === true
      const isReceiving = (this.#directions[opposite(side)]?.receivers.length ?? 0) > 0
      if (!isSending && !isReceiving) this.#peers[side] = undefined
    }
    if (this.#peers[0] === undefined && this.#peers[1] === undefined) this.table.onEmpty(this.key)
  }
}
