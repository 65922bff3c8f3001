/** Examples of answers. */

const ID = '8JrCZUzMtGv3Qp0c2nWkXw'

/** What a sender reads. */
export const LINES = [
  '[INFO] Waiting for 1 receiver(s) to connect...',
  '[INFO] 1 receiver(s) already connected.',
  '[INFO] Streaming to 1 receiver(s)...',
  '[INFO] Upload complete.',
  '[INFO] Transfer complete.',
  '',
].join('\n')

export const RECEIPT = {
  state: 'complete',
  transferId: ID,
  bytes: 6,
  bytesTransferred: 6,
  totalBytes: 6,
  duration: 0.5,
  durationSec: 0.5,
  avgSpeed: 12,
  receivers: 1,
  totalReceivers: 1,
  reason: null,
  message: null,
  sha256: null,
  startedAt: 1795248000000,
  endedAt: 1795248000500,
}

export const LINK = { url: 'https://pipe.example.org/jobs?sig=AbC', right: 'watch', expires: '2026-11-21T09:00:00Z' }
