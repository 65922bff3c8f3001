/**
 * `pipegate watch` as a process: its exit code for every way a transfer can end, and what it does when the connection is lost.
 * First against a server that says what the test wants, then against the gateway with curl.
 */

import t, { type Test } from 'tap'
import type { LoadedPlugin } from '../../gateway/plugin-host.js'
import authBearer from '../../plugins/auth-bearer/index.js'
import { makeToken } from '../../plugins/auth-bearer/token.js'
import progress from '../../plugins/progress/index.js'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { startGateway } from '../support/gateway.js'
import { type Exit, MAIN, Program, startProgram } from '../support/program.js'
import { ProgressServer, receipt, snapshot, streaming, TRANSFER, type Visit } from '../support/progress-server.js'

/** For a machine that is loaded and slow. */
const PATIENCE_MS = 30_000
const OTHER = 'transfer-number-2'
const UTF8 = { LC_ALL: 'C.UTF-8' }
const COMPLETE = 'complete: 7.6 GB in 8 h 2 m, average 283 kB/s\n'
const FAILED = receipt({ state: 'failed', reason: 'sender_left', message: 'The sender disconnected.', bytes: 1.2e9 })
const FAILED_LINE = 'failed: sender disconnected after 1.2 GB in 8 h 2 m\n'

interface Watching {
  readonly server: ProgressServer
  readonly program: Program
  /** The next request that comes. */
  next(): Promise<Visit>
  ends(): Promise<Exit>
}

async function watch(t: Test, flags: readonly string[] = [], env: Record<string, string> = UTF8): Promise<Watching> {
  const server = await ProgressServer.start(t)
  const program = new Program(t, ['watch', server.url('jobs'), ...flags], { env })
  return { server, program, next: () => server.next(), ends: () => program.ends(PATIENCE_MS) }
}

function isEnd(t: Test, exit: Exit, code: number, last: string | RegExp): void {
  t.equal(exit.code, code, `exit code, with ${exit.stdout} and ${exit.stderr}`)
  const shown = (exit.stdout + exit.stderr).split('\n').at(-2) ?? ''
  if (typeof last === 'string') t.equal(`${shown}\n`, last)
  else t.match(shown, last)
}

t.test('from nobody to complete', async (t) => {
  const { next, ends, program } = await watch(t, [], { ...UTF8, PIPEGATE_TOKEN: 'sesame' })
  const visit = await next()
  t.equal(visit.url, '/jobs?progress')
  t.match(visit.headers, { accept: 'text/event-stream', authorization: 'Bearer sesame' })
  visit.state(snapshot())
  visit.state(snapshot({ state: 'waiting', hasSender: true, transferId: TRANSFER, totalReceivers: 1 }))
  visit.state(streaming({ totalBytes: 2000 }))
  visit.progress({ bytes: 1000, totalBytes: 2000, speed: 500, eta: 2 })
  visit.state(streaming({ state: 'complete' }))
  visit.done(receipt())
  const exit = await ends()
  isEnd(t, exit, 0, COMPLETE)
  t.equal(
    exit.stdout,
    `jobs: nobody is there yet
jobs: waiting for receivers, 0 of 1 receiver
jobs: streaming, 0 %, 0 B of 2.0 kB, ETA unknown, 1 of 1 receiver
${COMPLETE}`,
  )
  t.equal(exit.stderr, '')
  t.equal(program.stdout.includes('sesame'), false)
})

t.test('the stream may come in any pieces', async (t) => {
  const { next, ends } = await watch(t)
  const visit = await next()
  const text = `event: state\ndata: ${JSON.stringify(streaming())}\n\nevent: done\ndata: ${JSON.stringify({ ...FAILED, message: 'Völlig weg.' })}\n\n`
  for (const byte of Buffer.from(text)) visit.write(Uint8Array.of(byte))
  isEnd(t, await ends(), 1, 'failed: Völlig weg after 1.2 GB in 8 h 2 m\n')
})

t.test('failed is 1, and what the server says cannot steer the terminal', async (t) => {
  const evil = 'Bad\x1b[2J\x07\x9b1m\r\nnews\u202e.'
  const { next, ends } = await watch(t)
  const visit = await next()
  visit.state(streaming())
  visit.done({ ...FAILED, message: evil })
  const exit = await ends()
  isEnd(t, exit, 1, 'failed: bad\\u{1b}[2J\\u{7}\\u{9b}1m\\u{d}\\u{a}news\\u{202e} after 1.2 GB in 8 h 2 m\n')
  t.match(exit.stdout, /^[ -~\n]*$/)
})

t.test('the last transfer of an idle name', async (t) => {
  const outcomes = [
    [snapshot({ last: receipt() }), 0, COMPLETE],
    [snapshot({ last: FAILED }), 1, FAILED_LINE],
    [snapshot(), 1, 'unknown: nothing goes on there, and no transfer is remembered\n'],
  ] as const
  for (const [state, code, line] of outcomes) {
    const { next, ends } = await watch(t, ['--last'])
    ;(await next()).state(state)
    isEnd(t, await ends(), code, line)
  }
  const { next, ends, program } = await watch(t)
  const visit = await next()
  visit.state(snapshot({ last: FAILED }))
  await eventually(() => program.stdout === `jobs: nobody is there yet, last ${FAILED_LINE}` || program.stdout, {
    timeoutMs: PATIENCE_MS,
  })
  visit.state(streaming({ transferId: OTHER }))
  visit.done(receipt({ transferId: OTHER }))
  isEnd(t, await ends(), 0, COMPLETE)
})

t.test('a name that keeps its final state ends it at once', async (t) => {
  for (const [last, code, line] of [
    [receipt(), 0, COMPLETE],
    [FAILED, 1, FAILED_LINE],
  ] as const) {
    const { next, ends } = await watch(t, ['--quiet'])
    const visit = await next()
    visit.state(streaming({ state: last.state, last }))
    visit.done(last)
    visit.end()
    const exit = await ends()
    isEnd(t, exit, code, line)
    t.equal(exit.stdout, line, 'and nothing else with --quiet')
  }
})

/** Sees a transfer flow, loses the connection, and comes back. */
async function loses(t: Test, lose: (visit: Visit) => void = (visit) => visit.cut()) {
  const watching = await watch(t)
  const visit = await watching.next()
  visit.state(streaming({ bytes: 1.2e9, totalBytes: 7.5e9 }))
  await eventually(() => watching.program.stdout.includes('streaming') || 'it has not seen the stream', {
    timeoutMs: PATIENCE_MS,
  })
  lose(visit)
  return { ...watching, again: await watching.next() }
}

t.test('a lost connection: it says so, comes back, and goes on', async (t) => {
  const { again, ends } = await loses(t)
  again.state(streaming({ bytes: 2e9, totalBytes: 7.5e9 }))
  again.done(receipt())
  const exit = await ends()
  isEnd(t, exit, 0, COMPLETE)
  t.match(exit.stdout, /^jobs: connection lost, trying again in \d+ s, at 1.2 GB \(16 %\)$/m)
})

t.test('the server may end the connection, as it does after half an hour', async (t) => {
  const { again, ends } = await loses(t, (visit) => visit.end())
  again.state(streaming())
  again.done(FAILED)
  const exit = await ends()
  isEnd(t, exit, 1, FAILED_LINE)
  t.match(exit.stdout, /^jobs: the server ended the connection, trying again/m)
})

t.test('over while nobody listened: the last transfer tells, if it is the same one', async (t) => {
  for (const [last, code, line] of [
    [receipt(), 0, COMPLETE],
    [FAILED, 1, FAILED_LINE],
  ] as const) {
    const { again, ends } = await loses(t)
    again.state(snapshot({ last }))
    isEnd(t, await ends(), code, line)
  }
})

t.test('over while nobody listened, and another one since: its receipt tells', async (t) => {
  const { again, next, ends } = await loses(t)
  again.state(streaming({ transferId: OTHER, bytes: 5, last: receipt({ transferId: 'transfer-number-3' }) }))
  const question = await next()
  t.equal(question.url, `/jobs?status&transfer=${TRANSFER}`)
  question.json(
    streaming({ state: 'failed', message: 'The sender disconnected.', bytes: 1.2e9, elapsed: 28_920, startedAt: 1 }),
  )
  isEnd(t, await ends(), 1, FAILED_LINE)
})

t.test('nobody knows how it ended: that is no success', async (t) => {
  for (const state of [
    snapshot(),
    snapshot({ last: receipt({ transferId: OTHER }) }),
    streaming({ transferId: OTHER }),
  ]) {
    const { again, next, ends } = await loses(t)
    again.state(state)
    ;(await next()).refuse(404, '[ERROR] This name has no transfer with that id.')
    const lost =
      'unknown: the connection was lost after 1.2 GB (16 %), and the server does not know how the transfer ended\n'
    isEnd(t, await ends(), 1, lost)
  }
})

t.test('the state tells the end, if the connection is lost before the receipt comes', async (t) => {
  const { again, ends } = await loses(t)
  again.state(streaming({ state: 'complete', bytes: 7.6e9, elapsed: 28_920, avgSpeed: 283_000, startedAt: 1 }))
  again.end()
  isEnd(t, await ends(), 0, COMPLETE)
})

t.test('the end of another transfer is not taken for this one, and 204 asks for this one', async (t) => {
  const { again, next, ends } = await loses(t)
  again.done(receipt({ transferId: OTHER }))
  ;(await next()).refuse(503, 'Later.')
  const third = await next()
  t.equal(third.headers['last-event-id'], OTHER)
  third.response.writeHead(204).end()
  const question = await next()
  t.equal(question.url, `/jobs?status&transfer=${TRANSFER}`)
  question.json(streaming({ state: 'complete', bytes: 7.6e9, elapsed: 28_920, avgSpeed: 283_000, startedAt: 1 }))
  isEnd(t, await ends(), 0, COMPLETE)
})

t.test('a server that is away for a while, and one that asks for patience', async (t) => {
  const { server, next, program, ends } = await watch(t, ['--json'])
  ;(await next()).state(streaming())
  await eventually(() => program.stdout.includes('streaming') || 'nothing is printed', { timeoutMs: PATIENCE_MS })
  await server.stop()
  await eventually(() => program.stdout.includes('connection refused') || program.stdout, { timeoutMs: PATIENCE_MS })
  await server.listen()
  const second = await next()
  second.refuse(503, '[ERROR] Server shutting\x9b down.', { 'retry-after': '2' })
  const third = await next()
  // Both clocks are this process's own: the answer left after `at`, the next request came before its `at`.
  t.ok(third.at - second.at >= 2000, `it came back after ${third.at - second.at} ms`)
  third.refuse(429, '<p>no</p>', { 'content-type': 'text/html' })
  const fourth = await next()
  fourth.state(streaming())
  fourth.done(receipt())
  const exit = await ends()
  t.equal(exit.code, 0)
  t.notMatch(exit.stdout, /[\x7f-\x9f]/)
  const lines = exit.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.equal(lines[0].event, 'state')
  const told = lines.filter(({ event }) => event === 'lost').map(({ data }) => data)
  t.equal(told[0].why, 'connection lost')
  t.same(
    told.slice(-2).map(({ why }) => why),
    ['Server shutting\x9b down.', 'The server answered 429 Too Many Requests.'],
  )
  t.ok(told.at(-2).retrySec >= 2)
  const end = { state: 'complete', exitCode: 0, line: COMPLETE.trim(), receipt: { transferId: TRANSFER } }
  t.match(lines.at(-1), { event: 'outcome', data: end })
})

t.test('refused: the line of the server, exit code 2, and no secret in it', async (t) => {
  const refusals: [status: number, body: string, type: string, line: string][] = [
    [400, '[ERROR] The name is odd.\nmore', 'text/plain', 'pipegate: The name is odd.\n'],
    [401, '[ERROR] No token.', 'text/plain; charset=utf-8', 'pipegate: No token.\n'],
    [403, '', 'text/plain', 'pipegate: The server answered 403 Forbidden.\n'],
    [404, '<html>', 'text/html', 'pipegate: The server answered 404 Not Found.\n'],
    [501, 'not here', 'text/plain', 'pipegate: not here\n'],
    [200, 'hello', 'text/plain', 'pipegate: The server shows no progress there: it answered with something else.\n'],
    [403, `\x1b]0;evil\x07${'x'.repeat(400)}`, 'text/plain', `pipegate: \\u{1b}]0;evil\\u{7}${'x'.repeat(291)}\n`],
  ]
  await Promise.all(
    refusals.map(async ([status, body, type, line]) => {
      const { next, ends } = await watch(t, ['--token', 'SECRET', '--header', 'X-Key: SECRET'])
      ;(await next()).refuse(status, body, { 'content-type': type })
      const exit = await ends()
      isEnd(t, exit, 2, line)
      t.equal(exit.stdout, '')
      t.equal(exit.stderr.includes('SECRET'), false)
    }),
  )
  const { next, ends } = await watch(t)
  ;(await next()).refuse(301, '', { location: 'https://pipe.test/jobs' })
  isEnd(t, await ends(), 2, 'pipegate: The server points to another address (301): https://pipe.test/jobs\n')
})

t.test('no such server is an end at the start only', async (t) => {
  const server = await ProgressServer.start(t)
  await server.stop()
  const program = new Program(t, ['watch', server.url('jobs')], {})
  isEnd(t, await program.ends(PATIENCE_MS), 2, 'pipegate: connection refused\n')
})

t.test('arguments and help', async (t) => {
  const run = (...argv: string[]) => new Program(t, ['watch', ...argv], {}).ends(PATIENCE_MS)
  const [wrong, help] = await Promise.all([run('http://u:SECRET@h'), run('--help')])
  isEnd(t, wrong, 2, /^usage: pipegate watch URL/)
  t.match(wrong.stderr, /^pipegate: expected an address such as https:\/\/HOST\/NAME\n/)
  t.notMatch(wrong.stderr, /SECRET/)
  t.equal(help.code, 0)
  t.match(help.stdout, /^Usage: pipegate watch URL/)
  t.ok(help.stdout.split('\n').every((line) => line.length <= 100))
})

t.test('--timeout gives up with 3, whatever it waits for', async (t) => {
  const [quiet, busy] = await Promise.all([watch(t, ['--timeout', '1']), watch(t, ['--timeout', '1'])])
  ;(await quiet.next()).state(snapshot())
  ;(await busy.next()).refuse(503, 'Later.', { 'retry-after': '3600' })
  for (const { ends } of [quiet, busy]) isEnd(t, await ends(), 3, 'pipegate: not over after 1 s\n')
})

t.test('a signal ends it as it ends any program; a reader that leaves does too', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const { next, program } = await watch(t)
    ;(await next()).state(snapshot())
    await eventually(() => program.stdout !== '' || 'nothing is printed', { timeoutMs: PATIENCE_MS })
    t.match(await program.endsAfter(signal, PATIENCE_MS), { code: null, signal, stderr: '' })
  }
  const server = await ProgressServer.start(t)
  const piped = 'set -o pipefail; node "$0" watch "$1" | head -n 1; echo "$?"'
  const command = ['bash', '-c', piped, MAIN, server.url('jobs')] as const
  const program = new Program(t, [], { command })
  const visit = await server.next()
  visit.state(snapshot())
  await eventually(() => program.stdout !== '' || 'nothing is printed', { timeoutMs: PATIENCE_MS })
  // Until it has met the closed pipe: head may take a moment to leave.
  const more = setInterval(
    () =>
      visit.state(
        snapshot({
          state: 'waiting',
          totalReceivers: program.stdout.length + visit.response.writableLength + (Date.now() % 250),
        }),
      ),
    50,
  )
  t.teardown(() => clearInterval(more))
  const exit = await program.ends(PATIENCE_MS)
  t.equal(exit.stdout, 'jobs: nobody is there yet\n141\n')
  t.equal(exit.stderr, '')
})

const plugin = (each: unknown, config = {}) => ({ plugin: each as LoadedPlugin['plugin'], config })

t.test('the gateway and curl: watch && next', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [plugin(progress)] })
  const url = gateway.url('migration')
  const script = `node "$0" watch "$1" && echo next || echo "no next: $?"`
  const watched = () => new Program(t, [], { command: ['bash', '-c', script, MAIN, url] })

  const good = watched()
  await eventually(() => good.stdout.includes('nobody is there') || good.stdout, { timeoutMs: PATIENCE_MS })
  const receiver = curlDone([url])
  t.equal((await curlDone(['-T', '-', url], { input: Buffer.alloc(3_000_000) })).code, 0)
  t.equal((await receiver).stdout.length, 3_000_000)
  t.match((await good.ends(PATIENCE_MS)).stdout, /\ncomplete: 3\.0 MB in .*\nnext\n$/)

  const late = await watched().ends(PATIENCE_MS)
  t.match(late.stdout, /^complete: 3\.0 MB in .*\nnext\n$/, 'somebody who comes just after the end')

  const second = gateway.url('second')
  const bad = new Program(t, [], { command: ['bash', '-c', script, MAIN, second] })
  await eventually(() => bad.stdout.includes('nobody is there') || bad.stdout, { timeoutMs: PATIENCE_MS })
  const sender = curl(['-N', '-T', '-', second])
  const reader = curl(['-N', second])
  t.teardown(() => {
    sender.kill()
    reader.kill()
  })
  sender.stdin.write('half of it')
  await reader.waitFor('half of it')
  await eventually(() => bad.stdout.includes('streaming') || bad.stdout, { timeoutMs: PATIENCE_MS })
  sender.kill()
  t.match((await bad.ends(PATIENCE_MS)).stdout, /\nfailed: sender disconnected .*after 10 B in .*\nno next: 1\n$/)
})

t.test('the gateway goes away in the middle, and comes back without a memory', async (t) => {
  const spare = await ProgressServer.start(t)
  await spare.stop()
  // A fixed port from the start: one that the system chose cannot be had again while connections to it linger.
  const serve = async () => {
    const program = new Program(t, ['serve', '--port', String(spare.port)], {})
    await program.waitForLog('listening')
    return program
  }
  const first = await serve()
  const url = first.url('migration')
  const watcher = new Program(t, ['watch', url], {})
  const sender = curl(['-N', '-T', '-', url])
  const reader = curl(['-N', url])
  t.teardown(() => {
    sender.kill()
    reader.kill()
  })
  sender.stdin.write('half of it')
  await reader.waitFor('half of it')
  await eventually(() => watcher.stdout.includes('streaming') || watcher.stdout, { timeoutMs: PATIENCE_MS })
  await first.endsAfter('SIGKILL')
  await serve()
  const exit = await watcher.ends(PATIENCE_MS)
  isEnd(
    t,
    exit,
    1,
    /^unknown: the connection was lost after \d+ B, and the server does not know how the transfer ended$/,
  )
})

t.test('a token from the environment, and the server does not mind the variable', async (t) => {
  const { token, hash } = makeToken()
  const tokens = [{ name: 'me', hash, project: 'one' }]
  const gateway = await startGateway(t, {}, { plugins: [plugin(authBearer, { tokens }), plugin(progress)] })
  const run = (env: Record<string, string>) =>
    new Program(t, ['watch', gateway.url('jobs'), '--last'], { env }).ends(PATIENCE_MS)
  const [without, wrong, right] = await Promise.all([
    run({}),
    run({ PIPEGATE_TOKEN: 'pg_wrong' }),
    run({ PIPEGATE_TOKEN: token }),
  ])
  isEnd(t, without, 2, /^pipegate: ./)
  isEnd(t, wrong, 2, /^pipegate: ./)
  t.notMatch(wrong.stderr, /pg_wrong/)
  isEnd(t, right, 1, /^unknown: /)
  const serve = await startProgram(t, [], { env: { PIPEGATE_TOKEN: token } })
  t.equal((await serve.endsAfter('SIGTERM')).code, 0)
})
