/** The specification's view of a pipe and its sides. */
import type { EndReason, KindName, SideLimits } from '../../core/index.js'

export class SpecSender {
  bytesIn = 0
  /** The whole body has been read. */
  bodyDone = false
  /** What the source must have been told, without pause and resume. */
  readonly log: string[] = []
  /** A source starts paused. */
  paused = true
  pipe: SpecPipe | undefined
  /** Bytes that were set aside when it joined, for what it may bring while it waits. */
  setAside = 0
  /** How long it waits for receivers. */
  waitMs = 0
  /** What becomes of slow viewers: cut when they are further behind than this, or waited for. */
  live: { readonly slow: 'cut' | 'hold'; readonly lagBytes: number } = { slow: 'cut', lagBytes: 0 }

  constructor(
    readonly id: string,
    public length: number | undefined,
    readonly expectedBytes: number | undefined,
    readonly stallMs: number,
    readonly limits: SideLimits,
    /** Its head is known. */
    public opened = true,
  ) {}
}

export class SpecReceiver {
  taken = 0
  /** Where it begins, once it streams. */
  from = 0
  /** Taken, and not arrived. */
  inFlight = 0
  full = false
  present = true
  finishCalled = false
  finished = false
  /** What the sink must have been told, without the bytes. */
  readonly log: string[] = []
  /** Since when it has not moved although it should, as far as the checks of the limits know. */
  stillSince: number | undefined
  deliveredAtCheck = 0
  pipe: SpecPipe | undefined
  /** How many bytes it can have taken in all before the turn had done enough; the specification knows no pieces. */
  mayTake: () => number = () => Number.POSITIVE_INFINITY

  constructor(
    public room: number,
    readonly finishesAtOnce: boolean,
    readonly lags: boolean,
    readonly limits: SideLimits,
    /** Where it wants to begin. */
    readonly offset = 0,
    /** The last byte that it wants. */
    readonly last = Number.POSITIVE_INFINITY,
  ) {}

  /** How far it is in the stream. */
  get at(): number {
    return this.from + this.taken
  }

  get delivered(): number {
    return this.at - this.inFlight
  }

  /** It wants nothing that this stream has. */
  isBeyond({ length }: SpecSender): boolean {
    return length !== undefined && this.offset > 0 && this.offset >= length
  }
}

export class SpecPipe {
  state: 'waiting' | 'streaming' | 'ended' = 'waiting'
  sender: SpecSender | undefined
  receivers: SpecReceiver[] = []
  /** What every side had at the last check of the limits that saw a change. */
  seen = ''
  movedAt = 0
  /** The slowest was a window behind, and has not come within half of one since. */
  overHighWater = false
  /** When the period of the rate limit began, and what the slowest had taken then. */
  periodAt = 0
  periodOut = 0
  /** What the slowest had taken when the last receiver left. */
  lastOut = 0
  /** It has ended, and viewers still get the rest. */
  resting = false
  peak = 0
  looks = 0
  /** Since when the sender is held because nobody is there; as far as the checks of the limits know, not since before. */
  aloneSince = 0
  cuts = 0
  /** What viewers had taken that have gone. */
  goneTaken = 0
  /** While nobody is there what comes is kept from here on, if the sender waits for viewers. */
  heldFrom = 0

  constructor(
    readonly key: string,
    public n: number,
    readonly kind: KindName = 'pipe',
  ) {}

  get isPaced(): boolean {
    return this.kind === 'pipe' || this.sender?.live.slow === 'hold'
  }

  get holdsForNobody(): boolean {
    return this.kind === 'live' && this.isPaced && this.state === 'streaming' && this.here.length === 0
  }

  get here(): SpecReceiver[] {
    return this.receivers.filter((receiver) => receiver.present)
  }

  /** The most bytes it may have: a stream must fit all its sides, a sender that waits only its own limit. */
  get maxBytes(): number {
    return strictest(this.#sides.map(({ limits }) => limits.maxBytes))
  }

  get totalMs(): number {
    return strictest(this.#sides.map(({ limits }) => limits.totalMs))
  }

  get #sides(): readonly { readonly limits: SideLimits }[] {
    const sender = this.sender === undefined ? [] : [this.sender]
    return this.state === 'waiting' || this.kind === 'live' ? sender : [...sender, ...this.receivers]
  }

  get bytesOut(): number {
    if (this.kind === 'live') return this.sender?.bytesIn ?? 0
    if (this.sender === undefined || this.state === 'waiting' || this.here.length === 0) return this.lastOut
    return Math.min(this.sender.bytesIn, ...this.here.map((receiver) => receiver.at))
  }

  /** Bytes that were read and that some receiver has still to take. */
  get behind(): number {
    if (this.sender === undefined) return 0
    const { bytesIn } = this.sender
    if (this.kind === 'pipe') return bytesIn - this.bytesOut
    if (this.state === 'waiting') return bytesIn
    if (this.holdsForNobody) return bytesIn - this.heldFrom
    return bytesIn - Math.min(bytesIn, ...this.here.map(({ at }) => at))
  }
}

function strictest(values: readonly (number | undefined)[]): number {
  return Math.min(Number.POSITIVE_INFINITY, ...values.filter((value) => value !== undefined))
}

/** What a side that gives up has waited for. */
export function missing({ sender, receivers, n }: SpecPipe): EndReason {
  if (sender === undefined) return 'no_sender'
  return receivers.length >= n ? 'empty_form' : 'no_receivers'
}
