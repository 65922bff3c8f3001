/** `pipegate watch` and a connection that is lost: it comes back, and is never wrong about how the transfer ended. */

import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { type ProgressRequest, receipt, snapshot, streaming, TRANSFER } from './progress-server.js'
import { COMPLETE, FAILED, FAILED_LINE, isEnd, OTHER, PATIENCE_MS, watch } from './watch-command.js'

/** Sees a transfer flow, loses the connection, and comes back. */
async function loses(t: Test, lose: (request: ProgressRequest) => void = (request) => request.cut()) {
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
  const outcomes = [
    [receipt(), 0, COMPLETE],
    [FAILED, 1, FAILED_LINE],
  ] as const
  await Promise.all(
    outcomes.map(async ([last, code, line]) => {
      const { again, ends } = await loses(t)
      again.state(snapshot({ last }))
      isEnd(t, await ends(), code, line)
    }),
  )
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
  const another = streaming({ transferId: OTHER })
  const states = [snapshot(), snapshot({ last: receipt({ transferId: OTHER }) }), another]
  const line =
    'unknown: the connection was lost after 1.2 GB (16 %), and the server does not know how the transfer ended\n'
  await Promise.all(
    states.map(async (state) => {
      const { again, next, ends } = await loses(t)
      again.state(state)
      ;(await next()).refuse(404, '[ERROR] This name has no transfer with that id.')
      const exit = await ends()
      isEnd(t, exit, 1, line)
      t.equal(exit.stdout.match(/streaming/g)?.length, 1, 'what was seen last is not told again')
    }),
  )
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
