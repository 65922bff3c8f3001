/** What people read of a transfer's numbers, on the page and in the terminal. */

import t from 'tap'
import {
  formatBytes,
  formatDuration,
  formatPercent,
  formatReceipt,
  formatSpeed,
  shareOf,
} from '../../../plugins/transfer-status/format.js'
import type { Receipt } from '../../../plugins/transfer-status/snapshot.js'

t.test('bytes: powers of 1000, and a value that is rounded up moves to the next unit', async (t) => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [999.6, '1.0 kB'],
    [1000, '1.0 kB'],
    [99_949, '99.9 kB'],
    [99_950, '100 kB'],
    [283_400, '283 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [7_600_000_000, '7.6 GB'],
    [999_999_999_999, '1.0 TB'],
    [Number.MAX_SAFE_INTEGER, '9.0 PB'],
    [5e21, '5000 EB'],
  ]
  for (const [bytes, text] of cases) t.equal(formatBytes(bytes), text)
  t.equal(formatSpeed(283_400), '283 kB/s')
  t.equal(formatSpeed(0), '0 B/s')
})

t.test('durations: two units, cut off', async (t) => {
  const cases: [number, string][] = [
    [0, '0 s'],
    [0.0404, '40 ms'],
    [0.9999, '999 ms'],
    [4, '4 s'],
    [4.27, '4.2 s'],
    [9.99, '9.9 s'],
    [10.7, '10 s'],
    [59.9, '59 s'],
    [60, '1 m 0 s'],
    [125, '2 m 5 s'],
    [3599, '59 m 59 s'],
    [28_920, '8 h 2 m'],
    [86_399, '23 h 59 m'],
    [273_600, '3 d 4 h'],
  ]
  for (const [seconds, text] of cases) t.equal(formatDuration(seconds), text)
})

t.test('percent: never more than there is', async (t) => {
  t.equal(formatPercent(0), '0 %')
  t.equal(formatPercent(0.999_999), '99 %')
  t.equal(formatPercent(0.999_999, 1), '99.9 %')
  t.equal(formatPercent(1, 1), '100.0 %')
  t.equal(formatPercent(0.29), '29 %', '0.29 × 100 is a little below 29')
  t.equal(shareOf(5, 10), 0.5)
  t.equal(shareOf(5, null), null)
  t.equal(shareOf(11, 10), null, 'the hint was too small')
  t.equal(shareOf(0, 0), null)
})

t.test('the line that stays', async (t) => {
  const receipt: Receipt = {
    state: 'complete',
    transferId: 'a',
    bytes: 7_600_000_000,
    bytesTransferred: 7_600_000_000,
    totalBytes: null,
    duration: 28_920,
    durationSec: 28_920,
    avgSpeed: 283_000,
    receivers: 1,
    totalReceivers: 1,
    reason: null,
    message: null,
    sha256: null,
    startedAt: 0,
    endedAt: 28_920_000,
  }
  t.equal(formatReceipt(receipt), 'complete: 7.6 GB in 8 h 2 m, average 283 kB/s')
  t.equal(formatReceipt({ ...receipt, bytes: 5, duration: 0.999, avgSpeed: 5 }), 'complete: 5 B in 999 ms')
  t.equal(formatReceipt({ ...receipt, bytes: 5, duration: 1, avgSpeed: 5 }), 'complete: 5 B in 1 s, average 5 B/s')
  t.equal(formatReceipt({ ...receipt, avgSpeed: null, bytes: 0, duration: 0 }), 'complete: 0 B in 0 s')
  const failed: Receipt = { ...receipt, state: 'failed', reason: 'sender_left', message: 'The sender disconnected.' }
  t.equal(formatReceipt(failed), 'failed: sender disconnected after 7.6 GB in 8 h 2 m')
  t.equal(formatReceipt({ ...failed, startedAt: null }), 'failed: sender disconnected')
  t.equal(formatReceipt({ ...failed, startedAt: null, message: null }), 'failed: sender left')
  t.equal(formatReceipt({ ...failed, startedAt: null, message: 'SLA over.' }), 'failed: SLA over')
  t.equal(
    formatReceipt({ ...failed, startedAt: null, message: 'Timed out waiting for receivers.' }),
    'failed: timed out waiting for receivers',
  )
})
