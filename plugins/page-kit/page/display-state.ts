/** What is shown after each event. The final line stays until another transfer begins. No DOM. */
import { liveFiguresOf } from '../../transfer-status/live-figures.js'
import type { Figures, Receipt, Snapshot } from '../../transfer-status/snapshot.js'

/** A snapshot with what a page knows that has seen the one before it. */
export interface DisplayState extends Snapshot {
  /** The server does not know the transfer any more that was shown before. */
  readonly lost?: true
}

/** A `state` event, or a snapshot after a break in which anything may have happened. */
export function afterState(shown: DisplayState, next: Snapshot): DisplayState {
  // It comes and goes with those who are there.
  const hasMany = shown.queue || shown.ask || shown.duplex
  if (next.state !== 'idle' || hasMany) return next
  const { state, transferId } = shown
  if (transferId !== null && next.last?.transferId === transferId) return afterDone(shown, next.last)
  if ((state === 'complete' || state === 'failed') && next.last === null) return shown
  return state === 'streaming' || shown.lost ? { ...next, lost: true } : next
}

/** A `progress` event. */
export function afterProgress(shown: DisplayState, figures: Figures): DisplayState {
  return shown.state === 'streaming' ? { ...shown, ...figures } : shown
}

/** A `done` event. */
export function afterDone(shown: DisplayState, receipt: Receipt): DisplayState {
  const { state, transferId, bytes, totalBytes, duration, avgSpeed, receivers, totalReceivers } = receipt
  const { reason, message, sha256, startedAt } = receipt
  return {
    ...liveFiguresOf(receipt),
    kind: shown.kind,
    state,
    transferId,
    hasSender: false,
    bytes,
    bytesTransferred: bytes,
    totalBytes,
    speed: null,
    mbps: null,
    avgSpeed,
    eta: null,
    etaSec: null,
    elapsed: duration,
    receivers,
    activeReceivers: receivers,
    totalReceivers,
    inFlight: 0,
    receiverBytes: null,
    reason,
    message,
    sha256,
    startedAt,
    waitingSince: null,
    fileName: shown.fileName,
    mediaType: shown.mediaType,
    looks: shown.looks,
    last: receipt,
  }
}
