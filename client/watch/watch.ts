import { setTimeout as sleep } from 'node:timers/promises'
import type { Receipt, Snapshot } from '../../plugins/transfer-status/snapshot.js'
import { backoffMs } from '../wire/backoff.js'
import { type ProgressEvent, receiptOf } from '../wire/events.js'
import { ConnectionLost, RequestRefused } from '../wire/failures.js'
import { askFor, type Client, events } from './connection.js'
import type { Display } from './display.js'
import { amountOf } from './line.js'
import { type Outcome, over, refused, unknown } from './outcome.js'
import { TransferTracker } from './transfer-tracker.js'
import type { ConnectionLoss, View } from './view.js'

/** A connection that lasted for so long, in milliseconds, was a good one: the next attempt is the first again. */
const GOOD_MS = 10_000
const NO_CONTENT = 204

export interface WatchOptions {
  readonly client: Client
  readonly display: Display
  /** The last transfer of an idle name counts. */
  readonly last: boolean
  /** A clock in milliseconds. */
  readonly now?: () => number
}

/** Follows a name until a transfer on it is over, however often the connection is lost on the way. */
export class Watch {
  readonly #now: () => number
  readonly #follower: TransferTracker
  #lastEventId: string | undefined
  /** The server has answered once: from then on it is worth while to come back. */
  #wasHeard = false
  #retry: { readonly why: string; readonly at: number } | undefined
  #moves = 0
  #movedAt: number

  constructor(readonly options: WatchOptions) {
    this.#now = options.now ?? (() => performance.now())
    this.#follower = new TransferTracker(options.last)
    this.#movedAt = this.#now()
  }

  get view(): View {
    const { snapshot } = this.#follower
    const { name } = this.options.client.address
    return { name, snapshot, loss: this.#loss(), moves: this.#moves, stillMs: this.#now() - this.#movedAt }
  }

  /** Time has passed. */
  tick(): void {
    this.options.display.update(this.view, undefined)
  }

  /** Rejects when the client's signal fires. */
  async run(): Promise<Outcome> {
    const { signal } = this.options.client
    for (let attempt = 1; ; attempt++) {
      const since = this.#now()
      let lost: ConnectionLost | RequestRefused
      try {
        const outcome = await this.#listen()
        if (outcome !== undefined) return outcome
        lost = new ConnectionLost('the server ended the connection')
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof ConnectionLost || error instanceof RequestRefused)) throw error
        lost = error
      }
      if (this.#follower.ended !== undefined) return over(this.#follower.ended)
      if (lost instanceof RequestRefused ? !lost.isPassing : !this.#wasHeard) return refused(lost.message)
      this.#wasHeard = true
      if (this.#now() - since >= GOOD_MS) attempt = 1
      await this.#pause(lost, attempt)
    }
  }

  /** One connection. undefined when it ended before the transfer did. */
  async #listen(): Promise<Outcome | undefined> {
    const { client } = this.options
    const onId = (id: string) => {
      this.#lastEventId = id
    }
    try {
      for await (const event of events(client, this.#lastEventId, onId)) {
        const outcome = await this.#take(event)
        if (outcome !== undefined) return outcome
      }
    } catch (error) {
      // The answer to a Last-Event-ID that was the last one.
      const isOver = error instanceof RequestRefused && error.status === NO_CONTENT && this.#lastEventId !== undefined
      if (!isOver) throw error
      return this.#ask(this.#follower.transferId ?? this.#lastEventId!)
    }
    return undefined
  }

  async #take(event: ProgressEvent): Promise<Outcome | undefined> {
    this.#wasHeard = true
    const before = this.#follower.snapshot
    const step = this.#follower.take(event)
    // What was seen last is not so any more when it has been missed.
    if (step.kind !== 'missed') this.#retry = undefined
    this.#notice(before)
    this.options.display.update(this.view, event)
    if (step.kind === 'over') return over(step.receipt)
    if (step.kind === 'nothing') return unknown('nothing goes on there, and no transfer is remembered')
    return step.kind === 'missed' ? this.#ask(step.transferId) : undefined
  }

  /** How the transfer ended that was over before we came back. undefined when it is not over. */
  async #ask(transferId: string): Promise<Outcome | undefined> {
    const answer = await askFor(this.options.client, transferId)
    if (answer !== undefined) {
      const receipt: Receipt | undefined = receiptOf(answer)
      return receipt && over(receipt)
    }
    const { snapshot } = this.#follower
    const where = snapshot?.state === 'streaming' ? ` after ${amountOf(snapshot)}` : ''
    return unknown(`the connection was lost${where}, and the server does not know how the transfer ended`)
  }

  #notice(before: Snapshot | undefined): void {
    const { snapshot } = this.#follower
    if (before?.state !== 'streaming' || snapshot?.state !== 'streaming') this.#movedAt = this.#now()
    else if (snapshot.bytes !== before.bytes) {
      this.#moves++
      this.#movedAt = this.#now()
    }
  }

  async #pause(lost: ConnectionLost | RequestRefused, attempt: number): Promise<void> {
    const ms = Math.max(backoffMs(attempt), lost instanceof RequestRefused ? lost.retryAfterMs : 0)
    this.#retry = { why: lost.message, at: this.#now() + ms }
    this.options.display.update(this.view, { event: 'lost', data: { why: lost.message, retryMs: ms } })
    await sleep(ms, undefined, { signal: this.options.client.signal })
  }

  #loss(): ConnectionLoss | undefined {
    if (this.#retry === undefined) return undefined
    return { why: this.#retry.why, retryMs: Math.max(0, this.#retry.at - this.#now()) }
  }
}
