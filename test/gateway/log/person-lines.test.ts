/** What a person reads on a terminal. */
import t from 'tap'
import { END_REASONS, type PipeView } from '../../../core/index.js'
import type { RequestRecord } from '../../../gateway/http/request-record.js'
import { logTo } from '../../../gateway/log/log.js'
import { loggableError } from '../../../gateway/log/loggable.js'
import { bytesInWords, durationInWords } from '../../../gateway/log/words.js'

const lines: string[] = []
const log = logTo({ write: (line: string) => void lines.push(line) }, { logLevel: 'info', logFormat: 'pretty' })

/** The line, without the time that it begins with. */
function said(say: () => void): string {
  lines.length = 0
  say()
  t.equal(lines.length, 1)
  t.match(lines[0], /^\d\d:\d\d:\d\d [^\n]+\n$/, 'one line, which begins with the time')
  return lines[0]!.slice(9, -1)
}

const pipe: PipeView = Object.freeze({
  id: 1,
  key: 'migration',
  kind: 'pipe',
  live: undefined,
  state: 'ended',
  transferId: 'hN3kq0Yx5m2VtA8w',
  hasSender: true,
  head: undefined,
  receiversWanted: 1,
  receiversPresent: 0,
  bytesIn: 3_000_000,
  bytesOut: 3_000_000,
  fanOut: undefined,
  bytesSent: 3_000_000,
  bytesSkipped: 0,
  heldBackMs: 0,
  expectedBytes: undefined,
  sha256: undefined,
  openedAt: 1000,
  pairedAt: 2000,
  endedAt: 2011,
  endReason: 'complete',
  endFailure: undefined,
})
const request: RequestRecord = {
  id: 7,
  remoteAddress: '127.0.0.1',
  method: 'PUT',
  path: '/migration',
  status: 200,
  outcome: 'complete',
  reason: 'complete',
  code: undefined,
  bytesIn: 3_000_000,
  bytesOut: 174,
  ms: 15,
}

t.test('transfers', async (t) => {
  const line = (changes: Partial<PipeView>) => said(() => log.transfer!({ ...pipe, ...changes }))
  t.equal(line({}), '✓ migration  3.0 MB in 11 ms, 1 receiver')
  t.equal(line({ receiversWanted: 3, endedAt: 64_000 }), '✓ migration  3.0 MB in 1 min 2 s, 3 receivers')
  const live = { viewers: 0, peak: 3, skips: 2, cuts: 0 }
  t.equal(line({ live }), '✓ migration  3.0 MB in 11 ms, 3 viewers at most')
  t.equal(line({ live: { ...live, peak: 1, cuts: 1 } }), '✓ migration  3.0 MB in 11 ms, 1 viewer at most, 1 cut')
  t.equal(
    line({ endReason: 'sender_left' }),
    '✗ migration  the sender disconnected before its last byte, 3.0 MB in 11 ms, 1 receiver',
  )
  t.equal(
    line({ endReason: 'no_receivers', pairedAt: undefined, endedAt: 301_000 }),
    '✗ migration  timed out waiting for receivers, after a wait of 5 min 0 s',
  )
  const endFailure = { code: 'X', status: 403, message: 'Closed\x1b[2J for today.', hint: '' }
  t.equal(
    line({ endReason: 'stopped', endFailure }),
    '✗ migration  closed?[2J for today, 3.0 MB in 11 ms, 1 receiver',
    'in the words of who stopped it, which do not reach the terminal as they are',
  )
  for (const endReason of END_REASONS.filter((reason) => reason !== 'complete'))
    t.match(line({ endReason }), /^✗ migration {2}[a-z][^_]+, 3\.0 MB in 11 ms/, endReason)
  t.match(line({ key: 'a\x1b[31m\u202e\nb' }), '✓ a?[31m??b  ')
})

t.test('requests', async (t) => {
  const line = (changes: Partial<RequestRecord>) => said(() => log.request!({ ...request, ...changes }))
  t.equal(line({}), '· PUT /migration  200, 3.0 MB in, 174 B out, 15 ms, 127.0.0.1')
  const refused = { reason: undefined, bytesIn: 0, bytesOut: 0 }
  t.equal(
    line({ ...refused, status: 400, outcome: 'answered', code: 'BAD_PARAMETER' }),
    '✗ PUT /migration  400, bad parameter, 15 ms, 127.0.0.1',
  )
  t.equal(
    line({ ...refused, status: 0, outcome: 'aborted' }),
    '✗ PUT /migration  the client left before the answer, 15 ms, 127.0.0.1',
  )
  t.match(line({ outcome: 'aborted', reason: undefined }), '✗ PUT /migration  200, the client left, 3.0 MB in')
  t.match(line({ outcome: 'cut', reason: 'idle' }), '✗ PUT /migration  200, transfer idle for too long, 3.0 MB in')
  t.match(line({ outcome: 'cut', reason: undefined }), '200, cut before its end')
  t.match(line({ ...refused, status: 502, outcome: 'answered' }), '✗ PUT /migration  502, failed, 15 ms')
  t.match(line({ path: '/\x9b\x00', method: '\x1b' }), '· ? /??  200')
})

t.test('everything else', async (t) => {
  const { logger } = log
  t.equal(
    said(() => logger.info({ url: 'http://127.0.0.1:8080/', version: '1.2.3' }, 'listening')),
    '· listening  http://127.0.0.1:8080/  version 1.2.3',
  )
  t.equal(
    said(() => logger.warn({ connections: 3 }, 'turned away')),
    '! turned away  connections 3',
  )
  t.equal(
    said(() => logger.info({ plugins: ['cors: Lets pages in. (onRequest)', 'pages: Sends.'] }, 'plugins')),
    '· plugins  cors, pages',
  )
  const child = logger.child({ plugin: 'guests' }, { serializers: { err: loggableError } })
  t.match(
    said(() => child.error({ err: new RangeError('no\nroom'), left: { seats: 0 } }, 'cannot seat')),
    /^✗ guests: cannot seat {2}no\?room \(RangeError at .*person-lines\.test\.[jt]s:\d+:\d+\)?\), left \{"seats":0\}$/,
  )
  for (const thrown of [
    undefined,
    null,
    'text',
    { message: 5 },
    {
      get message() {
        throw new Error()
      },
    },
  ])
    t.match(
      said(() => child.error({ err: thrown }, 'odd')),
      /^✗ guests: odd/,
    )
})

t.test('figures', async (t) => {
  for (const [bytes, words] of [
    [0, '0 B'],
    [64, '64 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9949, '9.9 kB'],
    [9950, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [3_040_000, '3.0 MB'],
    [1.5e12, '1.5 TB'],
    [5e18, '5000 PB'],
  ] as const)
    t.equal(bytesInWords(bytes), words)
  for (const [ms, words] of [
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [59_949, '59.9 s'],
    [59_950, '1 min 0 s'],
    [3_599_499, '59 min 59 s'],
    [3_599_500, '1 h 0 min'],
    [93_600_000, '26 h 0 min'],
  ] as const)
    t.equal(durationInWords(ms), words)
})
