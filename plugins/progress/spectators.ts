import type { PipeView, Reply } from '../../gateway/host/plugin-api.js'
import type { Receipt } from '../transfer-status/snapshot.js'
import { EVENT_STREAM, event, KEEP_ALIVE } from './event-stream.js'
import type { RetainedTransfer } from './retained-transfer.js'
import { Spectator } from './spectator.js'
import type { Tally } from './tally.js'
import type { Transfers } from './transfers.js'

export interface SpectatorLimits {
  readonly perName: number
  readonly names: number
  /** Counts watched names, here and in other threads. */
  readonly watched: Tally
  /** How long one of them may stay, in milliseconds. */
  readonly lifeMs: number
  /** How long one of them may take nothing, in milliseconds. */
  readonly frozenMs: number
  /** A clock in milliseconds. */
  readonly now: () => number
}

/** The spectators of one name. */
interface Audience {
  readonly members: Set<Spectator>
  /** The last figures they got said that nothing moves. */
  atRest: boolean
  /** Of the last figures they got. */
  bytes: number
  /** What they were told last of a name with many transfers; undefined when it was none. */
  counts: string | undefined
}

/** All spectators. An event is rendered once for its name, however many watch it. */
export class Spectators {
  readonly #audiences = new Map<string, Audience>()
  /** Including those whose stream has ended, and who have not taken all of it yet. */
  readonly #all = new Set<Spectator>()

  constructor(
    readonly transfers: Transfers,
    readonly limits: SpectatorLimits,
  ) {}

  /** Which limit is reached; undefined while one more may watch this name. */
  full(key: string): { readonly what: 'spectators' | 'names'; readonly expected: number } | undefined {
    const { names, perName } = this.limits
    const audience = this.#audiences.get(key)
    if (audience === undefined) return this.limits.watched.sum < names ? undefined : { what: 'names', expected: names }
    return audience.members.size < perName ? undefined : { what: 'spectators', expected: perName }
  }

  /** Returns what has to be called when the reply is over. */
  add(key: string, reply: Reply, withHistory: boolean): () => void {
    const { now } = this.limits
    const { transfers } = this
    const spectator = new Spectator(reply, now, () => this.#state(key))
    this.#all.add(spectator)
    reply.open(200, EVENT_STREAM)
    spectator.send(this.#state(key))
    const pipe = transfers.pipes.get(key)
    if (withHistory && pipe?.state === 'streaming') spectator.send(event('history', transfers.history(pipe)))
    const final = transfers.lingering(key)
    if (pipe === undefined && final !== undefined) spectator.finish(done(transfers.receipts.read(final)))
    else this.#join(key, spectator)
    return () => {
      this.#all.delete(spectator)
      this.#leave(key, spectator)
    }
  }

  /** Something else than bytes has changed on a key. */
  changed(key: string): void {
    const audience = this.#audiences.get(key)
    if (audience === undefined) return
    audience.atRest = false
    const text = this.#state(key)
    for (const spectator of audience.members) spectator.send(text)
  }

  /** Somebody has come to a live stream or gone, which may be thousands of times a second: its next figures tell of it. */
  stirred(key: string): void {
    const audience = this.#audiences.get(key)
    if (audience !== undefined) audience.atRest = false
  }

  /** A transfer is over: the last events for everybody who watched it. */
  ended(transfer: RetainedTransfer): void {
    const audience = this.#audiences.get(transfer.key)
    if (audience === undefined) return
    const text = this.#state(transfer.key) + done(this.transfers.receipts.read(transfer))
    this.#audiences.delete(transfer.key)
    this.#count()
    for (const spectator of audience.members) spectator.finish(text)
  }

  /** Tells of the bytes that have moved. Call it four times a second. */
  tick(): void {
    for (const [key, audience] of this.#audiences) {
      const pipe = this.transfers.pipes.get(key)
      this.#tellOfCounts(key, audience, pipe)
      if (pipe?.state !== 'streaming') continue
      this.transfers.sample(pipe)
      const figures = this.transfers.figures(pipe)
      const rests = figures.speed === 0 && figures.bytes === audience.bytes
      if (rests && audience.atRest) continue
      audience.atRest = rests
      audience.bytes = figures.bytes
      const text = event('progress', figures)
      for (const spectator of audience.members) spectator.sendDroppable(text)
    }
  }

  /** What a name with many transfers counts changes without an event for each change. */
  #tellOfCounts(key: string, audience: Audience, pipe: PipeView | undefined): void {
    const now = countsOf(pipe)
    if (now === audience.counts) return
    audience.counts = now
    this.changed(key)
  }

  /** Keeps proxies from closing what is quiet, and ends what has been here or frozen for too long. */
  keepAlive(): void {
    const { lifeMs, frozenMs } = this.limits
    for (const spectator of this.#all) {
      if (spectator.blockedMs > frozenMs) spectator.reply.cut()
      else if (spectator.ageMs > lifeMs) spectator.finish('')
      else spectator.sendDroppable(KEEP_ALIVE)
    }
  }

  /** The gateway shuts down: ends the streams on which no transfer runs. */
  drain(): void {
    for (const [key, { members }] of this.#audiences) {
      if (this.transfers.pipes.get(key) === undefined) for (const spectator of members) spectator.finish('')
    }
  }

  #count(): void {
    this.limits.watched.set(this.#audiences.size)
  }

  #state(key: string): string {
    return event('state', this.transfers.snapshot(key))
  }

  #join(key: string, spectator: Spectator): void {
    const audience = this.#audiences.get(key)
    if (audience === undefined) {
      const counts = countsOf(this.transfers.pipes.get(key))
      this.#audiences.set(key, { members: new Set([spectator]), atRest: false, bytes: 0, counts })
      this.#count()
    } else audience.members.add(spectator)
  }

  #leave(key: string, spectator: Spectator): void {
    const audience = this.#audiences.get(key)
    if (!audience?.members.delete(spectator) || audience.members.size > 0) return
    this.#audiences.delete(key)
    this.#count()
  }
}

function countsOf(pipe: PipeView | undefined): string | undefined {
  if (pipe?.duplex !== undefined) return `${pipe.state} ${pipe.duplex.peers} ${pipe.duplex.webSockets}`
  const counts = pipe?.queue ?? pipe?.ask
  return counts && Object.values(counts).join(' ')
}

/** Its id is what a client presents when it comes back: it is told that there is nothing more. */
function done(receipt: Receipt): string {
  return event('done', receipt, receipt.transferId)
}
