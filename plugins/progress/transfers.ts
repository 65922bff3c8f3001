import { type Pipes, type PipeView, streamLabel } from '../../gateway/host/plugin-api.js'
import { askFiguresOf } from '../transfer-status/ask-figures.js'
import { duplexFiguresOf, duplexKind } from '../transfer-status/duplex-figures.js'
import { IDLE } from '../transfer-status/idle.js'
import { liveFiguresOf } from '../transfer-status/live-figures.js'
import { queueFiguresOf } from '../transfer-status/queue-figures.js'
import type { Figures, Receipt, Snapshot } from '../transfer-status/snapshot.js'
import { hasManyTransfers } from './many.js'
import { Meter } from './meter.js'
import type { Receipts } from './receipts.js'
import { countsOf, type RetainedTransfer } from './retained-transfer.js'

export interface TransfersOptions {
  /** How long a name keeps its final state, in milliseconds. */
  readonly lingerMs: number
  /** The clock of the pipes, in milliseconds. */
  readonly now: () => number
  /** Unix time in milliseconds. */
  readonly wallClock: () => number
}

/** The state of each name. */
export class Transfers {
  /** Of the pipes that have been sampled while they streamed: most are over before that. */
  readonly #meters = new WeakMap<PipeView, Meter>()

  constructor(
    readonly pipes: Pick<Pipes, 'get' | 'all'>,
    readonly receipts: Receipts,
    readonly options: TransfersOptions,
  ) {}

  /** Samples every transfer. Call it once a second. */
  sampleAll(): void {
    for (const pipe of this.pipes.all()) if (pipe.state === 'streaming') this.sample(pipe)
  }

  /** @param pipe one that streams */
  sample(pipe: PipeView): void {
    const bytes = arrived(pipe)
    this.#meter(pipe).sample(this.options.now(), bytes, bytes < pipe.bytesOut)
  }

  /** How fast it was since it began. */
  history(pipe: PipeView) {
    return this.#meter(pipe).history.all
  }

  /** The transfer whose final state the name still has. */
  lingering(key: string): RetainedTransfer | undefined {
    const last = this.receipts.last(key)
    // What goes on with the next one has no final state.
    if (last === undefined || hasManyTransfers(last)) return undefined
    return this.options.now() - last.endedAt <= this.options.lingerMs ? last : undefined
  }

  snapshot(key: string): Snapshot {
    const pipe = this.pipes.get(key)
    const retained = this.receipts.last(key)
    const last = retained === undefined ? null : this.receipts.read(retained)
    if (pipe !== undefined) return this.#live(pipe, last)
    const final = this.lingering(key)
    return final === undefined ? { ...IDLE, last } : over(this.receipts.read(final), last)
  }

  /** The transfer with this id on this name, running or over. */
  byId(key: string, transferId: string): Snapshot | undefined {
    const pipe = this.#running(key, transferId)
    if (pipe !== undefined) return this.#live(pipe, null)
    const retained = this.receipts.get(key, transferId)
    return retained && over(this.receipts.read(retained), null)
  }

  #running(key: string, transferId: string): PipeView | undefined {
    const pipe = this.pipes.get(key)
    if (pipe === undefined || !hasManyTransfers(pipe)) return pipe?.transferId === transferId ? pipe : undefined
    for (const each of this.pipes.all()) if (each.key === key && each.transferId === transferId) return each
    return undefined
  }

  figures(pipe: PipeView): Figures {
    const { expectedBytes, pairedAt, receiversPresent: receivers } = pipe
    const bytes = arrived(pipe)
    const common = {
      bytes,
      bytesTransferred: bytes,
      // A hint that has turned out to be too small is ignored.
      totalBytes: expectedBytes === undefined || expectedBytes < bytes ? null : expectedBytes,
      receivers,
      activeReceivers: receivers,
      totalReceivers: (pipe.live ?? pipe.queue ?? pipe.ask ?? pipe.topic ?? pipe.duplex) ? null : pipe.receiversWanted,
      ...countsOf(pipe),
      ...queueFiguresOf(pipe.queue),
      ...askFiguresOf(pipe.ask),
      ...duplexFiguresOf(pipe.duplex),
      inFlight: pipe.bytesOut - bytes,
      receiverBytes: pipe.live === undefined ? eachOf(pipe) : null,
    }
    if (pairedAt === undefined) return { ...common, ...UNKNOWN }
    const now = this.options.now()
    const meter = this.#meter(pipe)
    const speed = meter.speed(now, bytes)
    const eta = meter.eta(now, bytes, common.totalBytes)
    return {
      ...common,
      speed,
      mbps: megabytes(speed),
      avgSpeed: now > pairedAt ? Math.round((bytes / (now - pairedAt)) * 1000) : null,
      eta,
      etaSec: eta,
      elapsed: Math.round((now - pairedAt) / 100) / 10,
    }
  }

  #live(pipe: PipeView, last: Receipt | null): Snapshot {
    const { pairedAt, transferId } = pipe
    return {
      state: pipe.state === 'streaming' ? 'streaming' : 'waiting',
      kind: pipe.duplex === undefined ? pipe.kind : duplexKind(pipe.duplex),
      transferId: transferId === '' ? null : transferId,
      hasSender: pipe.hasSender,
      ...this.figures(pipe),
      reason: null,
      message: null,
      sha256: pipe.sha256 ?? null,
      startedAt: pairedAt === undefined ? null : this.#unixTime(pairedAt),
      waitingSince: pairedAt === undefined ? this.#unixTime(pipe.openedAt) : null,
      ...labelOf(pipe),
      looks: pipe.looks,
      last,
    }
  }

  /** @param time a reading of the clock of the pipes */
  #unixTime(time: number): number {
    return Math.round(this.options.wallClock() - (this.options.now() - time))
  }

  #meter(pipe: PipeView): Meter {
    let meter = this.#meters.get(pipe)
    if (meter === undefined) {
      meter = new Meter(pipe.pairedAt!)
      this.#meters.set(pipe, meter)
    }
    return meter
  }
}

/** What has reached the machine of the slowest receiver. Of a live stream, whose viewers come and go, what was sent. */
function arrived({ fanOut, bytesOut, live }: PipeView): number {
  return fanOut === undefined || live !== undefined ? bytesOut : Math.min(fanOut.delivered, bytesOut)
}

/** Of each receiver, if there are several. */
function eachOf({ fanOut, receiversWanted }: PipeView): Figures['receiverBytes'] {
  if (receiversWanted === 1 || fanOut === undefined || fanOut.deliveries.length === 0) return null
  return fanOut.deliveries.map(({ delivered, present }) => (present ? delivered : null))
}

const UNKNOWN = { speed: null, mbps: null, avgSpeed: null, eta: null, etaSec: null, elapsed: null } as const

function over(receipt: Receipt, last: Receipt | null): Snapshot {
  const { state, transferId, bytes, totalBytes, duration, avgSpeed, receivers, totalReceivers } = receipt
  const { reason, message, sha256, startedAt } = receipt
  return {
    ...IDLE,
    ...liveFiguresOf(receipt),
    kind: receipt.kind ?? 'pipe',
    state,
    transferId,
    bytes,
    bytesTransferred: bytes,
    totalBytes,
    avgSpeed,
    elapsed: duration,
    receivers,
    activeReceivers: receivers,
    totalReceivers,
    reason,
    message,
    sha256,
    startedAt,
    last,
  }
}

function labelOf({ head }: PipeView): Pick<Snapshot, 'fileName' | 'mediaType'> {
  const { fileName = null, mediaType = null } = head === undefined ? {} : streamLabel(head)
  return { fileName, mediaType }
}

function megabytes(speed: number | null): number | null {
  return speed === null ? null : Math.round(speed / 100_000) / 10
}
