import type { Snapshot } from './snapshot.js'

/** A name on which nothing is, and nothing is remembered. */
export const IDLE: Snapshot = {
  state: 'idle',
  kind: 'pipe',
  transferId: null,
  hasSender: false,
  bytes: 0,
  bytesTransferred: 0,
  totalBytes: null,
  speed: null,
  mbps: null,
  avgSpeed: null,
  eta: null,
  etaSec: null,
  elapsed: null,
  receivers: 0,
  activeReceivers: 0,
  totalReceivers: 0,
  reason: null,
  message: null,
  sha256: null,
  startedAt: null,
  fileName: null,
  mediaType: null,
  looks: 0,
  last: null,
}
