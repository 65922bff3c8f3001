/** The parts of `pipegate watch` that need no process: addresses, arguments, the line, who is followed, when to come back. */

import t from 'tap'
import { WrongUsage } from '../../../client/cli/wrong-usage.js'
import { safeJson, safeText } from '../../../client/safe-text.js'
import { type Client, events } from '../../../client/watch/connection.js'
import { description } from '../../../client/watch/description.js'
import { LiveDisplay, PlainDisplay } from '../../../client/watch/display.js'
import { liveLine, plainLine } from '../../../client/watch/line.js'
import { type Options, readOptions } from '../../../client/watch/options.js'
import { over } from '../../../client/watch/outcome.js'
import { TransferTracker } from '../../../client/watch/transfer-tracker.js'
import type { View } from '../../../client/watch/view.js'
import { readAddress } from '../../../client/wire/address.js'
import { backoffMs, retryAfterMs } from '../../../client/wire/backoff.js'
import type { ProgressEvent } from '../../../client/wire/events.js'
import { ConnectionLost } from '../../../client/wire/failures.js'
import type { Receipt, Snapshot } from '../../../plugins/transfer-status/snapshot.js'
import { valuesOf } from '../cli/line.js'
import { ProgressServer, receipt, snapshot, streaming, TRANSFER } from './progress-server.js'

t.test('addresses', async (t) => {
  const cases: [written: string, server: string, target: string][] = [
    ['http://pipe.test/jobs', 'pipe.test', '/jobs?progress'],
    ['pipe.test/jobs', 'pipe.test', '/jobs?progress'],
    ['localhost:8080/jobs/', 'localhost:8080', '/jobs/?progress'],
    ['HTTPS://pipe.test:8443/api/v1/pipe/jobs', 'pipe.test:8443', '/api/v1/pipe/jobs?progress'],
    ['http://[::1]:8080/jobs', '::1:8080', '/jobs?progress'],
    ['pipe.test/jobs?progress', 'pipe.test', '/jobs?progress'],
    ['pipe.test/jobs?progress&sig=a.b-c', 'pipe.test', '/jobs?progress&sig=a.b-c'],
    ['pipe.test/jobs?sig=a.b-c&progress=0&&x=%2f', 'pipe.test', '/jobs?progress&sig=a.b-c&x=%2f'],
    ['pipe.test/jobs?progressive=1#part', 'pipe.test', '/jobs?progress&progressive=1'],
    // Names are compared as they are written.
    ['pipe.test/a/../b/./%41', 'pipe.test', '/a/../b/./%41?progress'],
    ['pipe.test/café au lait', 'pipe.test', '/caf%C3%A9%20au%20lait?progress'],
    ['pipe.test//jobs', 'pipe.test', '//jobs?progress'],
  ]
  for (const [written, server, target] of cases) {
    const address = readAddress(written)!
    const { hostname, port } = address.server
    t.equal(port === undefined ? hostname : `${hostname}:${port}`, server, written)
    t.equal(address.target('progress'), target, written)
    t.equal(address.secure, /^https/i.test(written), written)
  }
  t.equal(readAddress('pipe.test/api/v1/pipe/logs/today')!.name, 'logs/today')
  t.equal(readAddress('pipe.test/a\x1b[2J')!.name, 'a%1B[2J')
  t.equal(readAddress('http://anna:pass%40word@pipe.test/a')!.credentials, 'anna:pass@word')
  t.equal(readAddress('http://anna:p@ss@pipe.test/a')!.server.hostname, 'pipe.test')
  const wrong = [
    '',
    'jobs',
    '/jobs',
    'http://pipe.test',
    'http://pipe.test/',
    'ftp://pipe.test/a',
    'http:///a',
    'a b/c',
  ]
  for (const written of [...wrong, 'pipe.test:99999/a', 'http://%zz@pipe.test/a', 'pipe.test?progress']) {
    t.equal(readAddress(written), undefined, written)
  }
})

t.test('arguments', async (t) => {
  const read = (argv: string[], env = {}): Options => readOptions(valuesOf(description, argv), env)
  const authorization = (argv: string[], env = {}) => read(argv, env).headers.authorization
  t.equal(authorization(['h/a'], { PIPEGATE_TOKEN: 'one' }), 'Bearer one')
  t.equal(authorization(['h/a'], { PIPEGATE_TOKEN: '' }), undefined)
  t.equal(authorization(['u:p@h/a'], { PIPEGATE_TOKEN: 'one' }), `Basic ${Buffer.from('u:p').toString('base64')}`)
  t.equal(authorization(['u:p@h/a', '--token', 'two'], { PIPEGATE_TOKEN: 'one' }), 'Bearer two')
  t.equal(authorization(['h/a', '--token=-three']), 'Bearer -three')
  t.equal(authorization(['h/a', '--token', 'two', '--header', 'authorization: Mine']), 'Mine')
  t.match(read(['h/a', '--header', 'X-One: 1', '--header', 'x-two:2']), { headers: { 'x-one': '1', 'x-two': '2' } })
  t.match(read(['--timeout', '60', 'h/a', '--last', '--json', '--quiet']), {
    timeoutMs: 60_000,
    last: true,
    json: true,
    quiet: true,
  })
  const wrong = [
    [],
    ['h/a', 'h/b'],
    ['http://u:SECRET@h'],
    ['ftp://u:SECRET@h/a'],
    ['h/a', '--token', 'SECRET\x1b'],
    ['h/a', '--token'],
    ['h/a', '--tokn=SECRET'],
    ['h/a', '--last=SECRET'],
    ['h/a', '--header', 'SECRET'],
    ['h/a', '--header', 'K: SECRET\r\nX: y'],
    ['h/a', '--header', ': SECRET'],
    ...['0', '1.5', '-1', 'x', '3000000', ''].map((s) => ['h/a', `--timeout=${s}`]),
  ]
  for (const argv of wrong) {
    const error = t.throws(() => read(argv)) as Error
    t.ok(error instanceof WrongUsage && !error.message.includes('SECRET'), argv.join(' '))
  }
})

const view = (change: Partial<View> = {}): View => {
  const now = streaming({
    bytes: 3_200_000_000,
    totalBytes: 7_600_000_000,
    speed: 283_000,
    eta: 15_548,
    elapsed: 11_307,
  })
  return { name: 'logs/migration', snapshot: now, loss: undefined, moves: 7, stillMs: 100, ...change }
}
const lost = { why: 'connection refused', retryMs: 2900 }
const blocked = receipt({ state: 'failed', message: 'The sender disconnected.', bytes: 5 })

t.test('the line: what matters most stays when there is little room', async (t) => {
  const lines: [columns: number, line: string][] = [
    [105, 'logs/migration  [███████▌          ]  42 %   3.2 GB of 7.6 GB   283 kB/s   ETA 4 h 19 m   1 of 1 receiver'],
    [79, 'logs/migration  [███▊     ]  42 %   3.2 GB of 7.6 GB   283 kB/s   ETA 4 h 19 m'],
    [70, 'logs/migration  42 %   3.2 GB of 7.6 GB   283 kB/s   ETA 4 h 19 m'],
    [60, 'logs/migration  42 %   283 kB/s   ETA 4 h 19 m'],
    [40, '42 %   283 kB/s   ETA 4 h 19 m'],
    [30, '42 %   283 kB/s'],
    [9, '42 %'],
    [2, '42'],
    [0, ''],
    [-1, ''],
  ]
  for (const [columns, line] of lines) t.equal(liveLine(view(), columns, true), line, `${columns} columns`)
  const ascii = liveLine(view({ name: 'jobs' }), 79, false)
  t.equal(ascii, 'jobs  [########-----------]  42 %   3.2 GB of 7.6 GB   283 kB/s   ETA 4 h 19 m')
})

const LIVE = { kind: 'live', live: true, viewers: 3, peak: 3, skips: 0, cuts: 0, totalReceivers: null } as const

const QUEUE = {
  kind: 'queue',
  queue: true,
  waitingSenders: 0,
  waitingReceivers: 3,
  running: 0,
  totalReceivers: null,
} as const

const VIEWS: Readonly<Record<string, View>> = {
  connecting: view({ snapshot: undefined }),
  'nobody is there yet': view({ snapshot: snapshot() }),
  'nobody is there yet, last failed: sender disconnected after 5 B in 8 h 2 m': view({
    snapshot: snapshot({ last: blocked }),
  }),
  'waiting for a sender, 1 of 2 receivers': view({
    snapshot: snapshot({ state: 'waiting', activeReceivers: 1, totalReceivers: 2 }),
  }),
  'waiting for receivers, 0 of 1 receiver': view({
    snapshot: snapshot({ state: 'waiting', hasSender: true, totalReceivers: 1 }),
  }),
  'streaming, no senders and 3 receivers waiting, 1 transfer running': view({
    snapshot: snapshot({ ...QUEUE, state: 'streaming', running: 1 }),
  }),
  '1 sender and no receivers waiting, no transfers running': view({
    snapshot: snapshot({ ...QUEUE, state: 'waiting', waitingSenders: 1, waitingReceivers: 0 }),
  }),
  'waiting for a sender, 2 viewers': view({
    snapshot: snapshot({ state: 'waiting', ...LIVE, activeReceivers: 2, viewers: 2 }),
  }),
  'waiting for viewers, 1 viewer': view({
    snapshot: snapshot({ state: 'waiting', hasSender: true, ...LIVE, activeReceivers: 1, viewers: 1 }),
  }),
  'streaming, 5.0 kB, 1.0 kB/s, for 5 s, 3 viewers, 2 skips, 1 cut': view({
    snapshot: streaming({ ...LIVE, bytes: 5000, speed: 1000, elapsed: 5.4, activeReceivers: 3, skips: 2, cuts: 1 }),
  }),
  'streaming, 42 %, 3.2 GB of 7.6 GB, 283 kB/s, ETA 4 h 19 m, 1 of 1 receiver': view(),
  'streaming, 5.0 kB, 1.0 kB/s, for 5 s, 1 of 1 receiver': view({
    snapshot: streaming({ bytes: 5000, speed: 1000, elapsed: 5.4 }),
  }),
  'streaming, 5.0 kB, 1 of 1 receiver': view({ snapshot: streaming({ bytes: 5000 }) }),
  'streaming, 0 %, 1 B of 2.0 kB, 1 B/s, ETA unknown, 1 of 1 receiver': view({
    snapshot: streaming({ bytes: 1, totalBytes: 2000, speed: 1 }),
  }),
  // It has just come, and cannot know since when.
  'streaming, 5.0 kB, stalled, 1 of 1 receiver': view({
    snapshot: streaming({ bytes: 5000, speed: 0 }),
    moves: 0,
    stillMs: 9000,
  }),
  'streaming, 5.0 kB, stalled for 9 s, 1 of 1 receiver': view({
    snapshot: streaming({ bytes: 5000, speed: 0 }),
    stillMs: 9900,
  }),
  // The server fell silent while it was fast.
  'streaming, 42 %, 3.2 GB of 7.6 GB, stalled for 5 s, 1 of 1 receiver': view({ stillMs: 5000 }),
  'connection refused, trying again in 3 s, at 3.2 GB (42 %)': view({ loss: lost }),
  'connection refused, trying again': view({ loss: { ...lost, retryMs: 0 }, snapshot: snapshot() }),
}

t.test('the plain line says the same in words', async (t) => {
  for (const [words, each] of Object.entries(VIEWS)) t.equal(plainLine(each), `logs/migration: ${words}`)
})

t.test('no line is wider than the terminal, and none has anything that could steer it', async (t) => {
  const evil = '\x1b[2J\x9b\u202e名\u0301'
  const more = [
    view({ name: evil.repeat(9) }),
    view({ loss: { why: evil, retryMs: 1 } }),
    view({ snapshot: snapshot({ last: { ...blocked, message: evil } }) }),
    ...[0, 1, 38, 39, 76, 77, 1e9].map((moves) => view({ snapshot: streaming({ bytes: 1 }), moves })),
    ...[0, 1, 7_600_000_000, 9e15].map((bytes) => view({ snapshot: streaming({ bytes, totalBytes: 7_600_000_000 }) })),
  ]
  for (const each of [...Object.values(VIEWS), ...more]) {
    for (let columns = -1; columns <= 160; columns++) {
      const unicode = liveLine(each, columns, true)
      const ascii = liveLine(each, columns, false)
      if (unicode.length > Math.max(0, columns) || !/^[ -~▏▎▍▌▋▊▉█]*$/.test(unicode)) t.fail(`${columns}: ${unicode}`)
      if (ascii.length > Math.max(0, columns) || !/^[ -~]*$/.test(ascii)) t.fail(`${columns}: ${ascii}`)
      if (columns >= 10 && unicode === '') t.fail(`nothing is shown at ${columns} columns`)
    }
    if (!/^[ -~]*$/.test(plainLine(each))) t.fail(plainLine(each))
  }
})

t.test('a bar without a total moves when bytes do, and not otherwise', async (t) => {
  const bar = (moves: number) =>
    /\[(.*)\]/.exec(liveLine(view({ snapshot: streaming({ bytes: 1 }), moves }), 60, false))![1]!
  const width = bar(0).length
  t.equal(bar(0), `###${'-'.repeat(width - 3)}`)
  t.equal(bar(1), `-###${'-'.repeat(width - 4)}`)
  t.equal(bar(width - 3), `${'-'.repeat(width - 3)}###`, 'at the right')
  t.equal(bar(2 * (width - 3)), bar(0), 'and back')
})

t.test('what a server says cannot steer a terminal', async (t) => {
  t.equal(
    safeText('a\x1b[2J\x07\r\n\x9b1m\u202e\u2028é名', true),
    'a\\u{1b}[2J\\u{7}\\u{d}\\u{a}\\u{9b}1m\\u{202e}\\u{2028}é名',
  )
  t.equal(safeText('é\x1b', false), '\\u{e9}\\u{1b}')
  const value = { 'a\x9b': '\x1b\x7f\u202e\u{e0001}é"' }
  t.match(safeJson(value), /^[ -~é]+$/)
  t.same(JSON.parse(safeJson(value)), value)
})

t.test('when to come back', async (t) => {
  t.same(
    [1, 2, 3, 6, 7, 50, 5000].map((attempt) => backoffMs(attempt, 0)),
    [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000],
  )
  t.equal(backoffMs(1, 1), 250)
  const now = Date.parse('2026-11-21T07:00:00Z')
  t.same(
    ['7', '0', undefined, 'soon', '', '99999999999', '-5'].map((value) => retryAfterMs(value, now)),
    [7000, 0, 0, 0, 0, 86_400_000, 0],
  )
  t.equal(retryAfterMs('Sat, 21 Nov 2026 07:00:30 GMT', now), 30_000)
  t.equal(retryAfterMs('Sat, 21 Nov 2026 06:00:30 GMT', now), 0)
})

const state = (data: Snapshot): ProgressEvent => ({ event: 'state', data })
const done = (data: Receipt): ProgressEvent => ({ event: 'done', data })
const OTHER = 'transfer-number-2'

t.test('who is followed', async (t) => {
  const waiting = snapshot({ state: 'waiting', hasSender: true, transferId: TRANSFER })
  const ended = (change: Partial<Snapshot> = {}) => streaming({ state: 'failed', message: 'Gone.', ...change })
  const other = receipt({ transferId: OTHER })
  const stories: [what: string, events: ProgressEvent[], last: boolean, step: string][] = [
    ['nothing yet', [state(snapshot())], false, 'on'],
    ['an older transfer is no end', [state(snapshot({ last: receipt() }))], false, 'on'],
    ['unless it counts', [state(snapshot({ last: receipt() }))], true, `over ${TRANSFER}`],
    ['there is none that could count', [state(snapshot())], true, 'nothing'],
    ['something runs: the last one does not count', [state(streaming({ last: other }))], true, 'on'],
    ['the end', [state(streaming()), done(receipt())], false, `over ${TRANSFER}`],
    ['it has just ended', [state(ended()), done(receipt({ state: 'failed' }))], false, `over ${TRANSFER}`],
    ['the wait ran out', [state(waiting), done(receipt({ state: 'failed' }))], false, `over ${TRANSFER}`],
    [
      'another sender came while nothing flowed',
      [state(waiting), state(streaming({ transferId: OTHER })), done(other)],
      false,
      `over ${OTHER}`,
    ],
    ['the sender that waited left', [state(waiting), state(snapshot())], false, 'on'],
    ['another end', [state(streaming()), done(other)], false, `missed ${TRANSFER}`],
    [
      'missed, and told as the last',
      [state(streaming()), state(snapshot({ last: receipt() }))],
      false,
      `over ${TRANSFER}`,
    ],
    [
      'missed, and another is the last',
      [state(streaming()), state(snapshot({ last: other }))],
      false,
      `missed ${TRANSFER}`,
    ],
    [
      'missed, and another flows',
      [state(streaming()), state(streaming({ transferId: OTHER, last: receipt() }))],
      false,
      `over ${TRANSFER}`,
    ],
    ['missed, and nobody knows', [state(streaming()), state(snapshot())], true, `missed ${TRANSFER}`],
    [
      'missed, and somebody waits',
      [state(streaming()), state({ ...waiting, transferId: OTHER })],
      false,
      `missed ${TRANSFER}`,
    ],
    ['the same again', [state(streaming()), state(streaming({ bytes: 9 }))], false, 'on'],
  ]
  for (const [what, told, last, wanted] of stories) {
    const follower = new TransferTracker(last)
    const step = told.map((event) => follower.take(event)).at(-1)!
    const id =
      step.kind === 'over' ? ` ${step.receipt.transferId}` : step.kind === 'missed' ? ` ${step.transferId}` : ''
    t.equal(step.kind + id, wanted, what)
  }
  const follower = new TransferTracker(false)
  follower.take(state(streaming()))
  t.equal(follower.ended, undefined)
  follower.take({ event: 'progress', data: { ...streaming(), bytes: 77 } })
  t.equal(follower.snapshot?.bytes, 77)
  follower.take(state(ended({ elapsed: 4 })))
  t.match(follower.ended, { state: 'failed', message: 'Gone.', duration: 4 }, 'the state says how, if `done` gets lost')
})

t.test('plain lines: each change, and every ten seconds while bytes flow', async (t) => {
  let now = 0
  let text = ''
  const out = { write: (more: string) => (text += more) }
  const display = new PlainDisplay(out, out, true, () => now)
  const printed = () => text.split('\n').length - 1
  const update = (each: View, news: Parameters<PlainDisplay['update']>[1]) => {
    display.update(each, news)
    return printed()
  }
  const idle = view({ snapshot: snapshot() })
  t.equal(update(view({ snapshot: undefined }), undefined), 0)
  t.equal(update(idle, state(snapshot())), 1)
  now = 60_000
  t.equal(update(idle, undefined), 1, 'nothing is new')
  t.equal(update(view(), state(streaming())), 2)
  now += 9999
  t.equal(update(view(), undefined), 2)
  now += 1
  t.equal(update(view(), undefined), 3)
  const away = { event: 'lost', data: lost } as const
  t.equal(update(view({ loss: lost }), away), 4)
  t.equal(update(view({ loss: { ...lost, retryMs: 9000 } }), away), 4, 'the same trouble again')
  t.equal(
    update(view({ loss: { why: 'no network', retryMs: 1 } }), { ...away, data: { ...lost, why: 'no network' } }),
    5,
  )
  t.equal(update(view(), state(streaming())), 6, 'back again')
  t.equal(update(view({ snapshot: streaming({ state: 'complete' }) }), state(streaming({ state: 'complete' }))), 6)
  display.end(over(receipt()))
  t.equal(text.split('\n').at(-2), 'complete: 7.6 GB in 8 h 2 m, average 283 kB/s')
})

t.test('colour for the end, where there is colour', async (t) => {
  for (const colour of [true, false]) {
    let text = ''
    const out = { write: (more: string) => (text += more) }
    new LiveDisplay(out, out, { unicode: true, colour }).end(over(receipt({ bytes: 1, duration: 1, avgSpeed: 1 })))
    t.equal(
      text,
      colour ? '\x1b[32mcomplete: 1 B in 1 s, average 1 B/s\x1b[39m\n' : 'complete: 1 B in 1 s, average 1 B/s\n',
    )
  }
})

t.test('a server that says nothing is lost, one that says a comment is not', async (t) => {
  const server = await ProgressServer.start(t)
  const silenceMs = 2000
  const client: Client = {
    address: readAddress(server.url('x'))!,
    headers: {},
    silenceMs,
    signal: new AbortController().signal,
  }
  const stream = events(client, undefined, () => {})
  const first = stream.next()
  const visit = await server.next()
  visit.state(snapshot())
  t.match(await first, { value: { event: 'state' } })
  let commentAt = 0
  setTimeout(() => {
    commentAt = performance.now()
    visit.write(': still here\n\n')
  }, silenceMs / 4)
  await t.rejects(stream.next(), new ConnectionLost('nothing was heard for 2 s'))
  t.ok(performance.now() - commentAt >= silenceMs, 'counted from the comment')
})

t.test('what is no progress, or too much of it, is a lost connection', async (t) => {
  const server = await ProgressServer.start(t)
  const address = readAddress(server.url('x'))!
  const client: Client = { address, headers: {}, silenceMs: 30_000, signal: new AbortController().signal }
  const endOf = async (text: string) => {
    const stream = events(client, undefined, () => {})
    const first = stream.next()
    ;(await server.next()).write(text)
    const result = await first
    await stream.return(undefined)
    return result
  }
  const none = new ConnectionLost('the server sent something that is no progress')
  await t.rejects(endOf('event: state\ndata: {\n\n'), none)
  await t.rejects(endOf('event: state\ndata: {"state":"asleep"}\n\n'), none)
  await t.rejects(endOf('event: done\ndata: {"state":"complete"}\n\n'), none)
  await t.rejects(endOf(`data: ${'x'.repeat(70_000)}`), new ConnectionLost('the server sent an event that is too long'))
  const odd =
    'event: news\ndata: 1\n\nevent: toString\ndata: 1\n\n: word\n\nevent: state\ndata: {"state":"idle","bytes":"many"}\n\n'
  t.match(await endOf(odd), { value: { event: 'state', data: { state: 'idle', bytes: 0, last: null } } })
})
