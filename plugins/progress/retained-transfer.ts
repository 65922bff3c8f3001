import { type EndReason, endingOf, type Failure, type KindName, type PipeView } from '../../gateway/host/plugin-api.js'
import type { LiveFigures, Receipt, TopicFigures } from '../transfer-status/snapshot.js'

/**
 * What is retained of a transfer. Every transfer leaves one, however short it is, and few are ever read: so it is small, its times
 * are whole milliseconds, and the receipt is made when a client asks for it.
 */
export class RetainedTransfer {
  readonly key: string
  readonly transferId: string
  readonly reason: EndReason
  readonly failure: Failure | undefined
  readonly bytes: number
  readonly total: number | undefined
  readonly receivers: number
  readonly kind: KindName
  /** Null for a live stream, and for a topic. */
  readonly wanted: number | null
  readonly counts: LiveFigures | TopicFigures | undefined
  /** By the clock of the pipes; undefined when it never streamed. */
  readonly startedAt: number | undefined
  readonly endedAt: number
  readonly sha256: string | undefined
  /** The transfers before and after it on the same key. */
  older: RetainedTransfer | undefined = undefined
  newer: RetainedTransfer | undefined = undefined

  /** @param pipe one that has just ended, with its sender */
  constructor(pipe: PipeView) {
    this.key = pipe.key
    this.transferId = pipe.transferId
    this.reason = pipe.endReason!
    this.failure = pipe.endFailure
    // What was sent and had not arrived is lost with the connection.
    const isAll = this.reason === 'complete' || countsOf(pipe) !== undefined
    this.bytes = isAll ? pipe.bytesOut : Math.min(pipe.bytesOut, pipe.fanOut?.delivered ?? pipe.bytesOut)
    this.total = this.reason === 'complete' ? this.bytes : pipe.expectedBytes
    this.receivers = pipe.receiversPresent
    this.kind = pipe.kind
    this.counts = countsOf(pipe)
    this.wanted = this.counts === undefined ? pipe.receiversWanted : null
    this.startedAt = pipe.pairedAt === undefined ? undefined : Math.round(pipe.pairedAt)
    this.endedAt = Math.round(pipe.endedAt!)
    this.sha256 = pipe.sha256
  }

  /** What a question or an answer ended with is told without saying which of the two it was. */
  get #asEnded(): Parameters<typeof endingOf>[1] {
    const { failure: endFailure, kind } = this
    return kind === 'duplex' ? { endFailure, kind } : { endFailure }
  }

  /** @param epoch Unix time in milliseconds at which the clock of the pipes was 0 */
  receipt(epoch: number): Receipt {
    const { bytes, endedAt, startedAt = endedAt } = this
    const ms = endedAt - startedAt
    const failed = this.reason !== 'complete'
    return {
      state: failed ? 'failed' : 'complete',
      transferId: this.transferId,
      bytes,
      bytesTransferred: bytes,
      totalBytes: this.total ?? null,
      duration: ms / 1000,
      durationSec: ms / 1000,
      avgSpeed: ms > 0 ? Math.round((bytes / ms) * 1000) : null,
      receivers: this.receivers,
      totalReceivers: this.wanted,
      ...(this.kind !== 'pipe' && { kind: this.kind }),
      ...this.counts,
      reason: failed ? this.reason : null,
      message: failed ? sentence(endingOf(this.reason, this.#asEnded).line) : null,
      sha256: this.sha256 ?? null,
      startedAt: this.startedAt === undefined ? null : Math.round(epoch + startedAt),
      endedAt: Math.round(epoch + endedAt),
    }
  }
}

/** What a live stream or a topic counts, as it is told. */
export function countsOf({ live, topic }: PipeView): LiveFigures | TopicFigures | undefined {
  if (live !== undefined) return { live: true, ...live }
  if (topic === undefined) return undefined
  const { subscribers, peak, publishers, waiting: waitingMessages, messages, cuts } = topic
  return { topic: true, subscribers, peak, publishers, waitingMessages, messages, cuts }
}

/** What stands behind `[ERROR] `, without the words that every failure begins with. */
function sentence(line: string): string {
  const rest = line.replace(/^Transfer failed: /, '')
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}
