/** The two lines that are put together by hand are what pino would write, for whatever text a client sends. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import { END_REASONS, type PipeView } from '../../../core/index.js'
import type { RequestRecord } from '../../../gateway/http/request-record.js'
import { requestJson, transferJson } from '../../../gateway/log/json-lines.js'
import { loggable } from '../../../gateway/log/loggable.js'

const RUNS = { numRuns: 3000, ...(process.env.PIPEGATE_SEED && { seed: Number(process.env.PIPEGATE_SEED) }) }

/** Names as they are, and as nobody should send them: control characters, lone surrogates, line separators, quotes. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)), maxLength: 100 }),
  fc.constantFrom(
    'a"b',
    'a\\b',
    '\u2028',
    '\ud800',
    '\udc00x',
    '\x00',
    '\x7f',
    'é',
    '😀',
    'x'.repeat(1200),
    'x'.repeat(1201),
  ),
)
const amount = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const reason = fc.option(fc.constantFrom(...END_REASONS), { nil: undefined })

const record: fc.Arbitrary<RequestRecord> = fc.record({
  id: amount,
  remoteAddress: text,
  method: text,
  path: text,
  status: fc.nat({ max: 999 }),
  outcome: fc.constantFrom('answered', 'complete', 'cut', 'aborted'),
  reason,
  code: fc.option(text, { nil: undefined }),
  bytesIn: amount,
  bytesOut: amount,
  ms: amount,
})

const count = fc.nat({ max: 4096 })
const live = fc.record({ viewers: count, peak: count, skips: count, cuts: count })

const pipe = fc.record({
  kind: fc.constantFrom('pipe', 'live', 'queue'),
  live: fc.option(live, { nil: undefined }),
  key: text,
  transferId: text,
  endReason: reason,
  receiversWanted: fc.nat({ max: 256 }),
  bytesIn: amount,
  bytesOut: amount,
  bytesSkipped: fc.nat({ max: 2 }),
  openedAt: fc.nat({ max: 1e9 }),
  pairedAt: fc.option(fc.nat({ max: 1e9 }), { nil: undefined }),
  endedAt: fc.option(fc.nat({ max: 1e9 }), { nil: undefined }),
}) as unknown as fc.Arbitrary<PipeView>

/** What pino makes of these fields. */
function byPino(fields: object, message: string, time: number): string {
  let written = ''
  const log = pino(
    { base: null, timestamp: () => `,"time":${time}` },
    {
      write(line: string) {
        written = line
      },
    },
  )
  log.info(fields, message)
  return written
}

t.test('a request', async () => {
  fc.assert(
    fc.property(record, amount, (record, time) => {
      const { remoteAddress, method, path, code } = record
      const shown = { remoteAddress: loggable(remoteAddress), method: loggable(method), path: loggable(path) }
      const fields = { ...record, ...shown, ...(code !== undefined && { code: loggable(code) }) }
      const line = requestJson(record, time)
      same(line, byPino(fields, 'request', time))
    }),
    RUNS,
  )
})

t.test('a transfer', async () => {
  fc.assert(
    fc.property(pipe, amount, (pipe, time) => {
      const streamingFrom = pipe.pairedAt ?? pipe.endedAt ?? pipe.openedAt
      const fields = {
        pipe: loggable(pipe.key),
        transferId: loggable(pipe.transferId),
        reason: pipe.endReason,
        kind: pipe.kind === 'pipe' ? undefined : pipe.kind,
        receivers: pipe.live?.peak ?? pipe.receiversWanted,
        skips: pipe.live?.skips,
        cuts: pipe.live?.cuts,
        bytesIn: pipe.bytesIn,
        bytesOut: pipe.bytesOut,
        bytesSkipped: pipe.bytesSkipped > 0 ? pipe.bytesSkipped : undefined,
        waitedMs: Math.round(streamingFrom - pipe.openedAt),
        streamedMs: Math.round((pipe.endedAt ?? streamingFrom) - streamingFrom),
      }
      const line = transferJson(pipe, time)
      same(line, byPino(fields, 'transfer', time))
    }),
    RUNS,
  )
})

function same(line: string, expected: string): void {
  assert.deepEqual(JSON.parse(line), JSON.parse(expected))
  // What reaches a reader is UTF-8, which has no lone surrogates.
  assert.deepEqual(JSON.parse(Buffer.from(line).toString()), JSON.parse(expected))
  // To the byte, but for lone surrogates, which pino leaves as they are in short texts.
  if (!/\p{Surrogate}/u.test(expected)) assert.equal(line, expected)
  assert.equal(line.indexOf('\n'), line.length - 1, 'one line')
}
