/** `pipegate watch` as a process: its output and its exit code for every way a transfer can end, and for every way to stop it. */

import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { MAIN, Program } from '../../support/program.js'
import { ProgressServer, receipt, snapshot, streaming, TRANSFER } from './progress-server.js'
import { COMPLETE, FAILED, FAILED_LINE, isEnd, OTHER, PATIENCE_MS, UTF8, watch } from './watch-command.js'

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
  await Promise.all(
    outcomes.map(async ([state, code, line]) => {
      const { next, ends } = await watch(t, ['--last'])
      ;(await next()).state(state)
      isEnd(t, await ends(), code, line)
    }),
  )
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
  const [quiet, busy] = await Promise.all([watch(t, ['--timeout', '3']), watch(t, ['--timeout', '3'])])
  ;(await quiet.next()).state(snapshot())
  ;(await busy.next()).refuse(503, 'Later.', { 'retry-after': '3600' })
  for (const { ends } of [quiet, busy]) isEnd(t, await ends(), 3, 'pipegate: not over after 3 s\n')
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
