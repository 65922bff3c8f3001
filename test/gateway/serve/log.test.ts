/** What the program logs. */

import t from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { Program, startProgram } from '../../support/program.js'
import { holds, VERSION } from './process.js'

// Most of these wait for processes; two cores run several of them as fast as one.
t.jobs = 2

t.test('two curls meet, and the log has all of it and no secret', async (t) => {
  const program = await startProgram(t)
  const secrets = ['in-the-query', 'in-a-header', 'in-the-body', 'in-a-cookie', 'in-x-piping']
  const url = (name: string) => program.url(`${name}?token=${secrets[0]}`)
  const headers = [
    '-H',
    `Authorization: Bearer ${secrets[1]}`,
    '-b',
    `a=${secrets[3]}`,
    '-H',
    `X-Piping: ${secrets[4]}`,
  ]
  const receiver = curl([...headers, url('logged')])
  await holds((name) => program.url(name), 1, 0)
  const body = `secret ${secrets[2]}`
  const sender = await curlDone([...headers, '-T', '-', url('logged')], { input: body })
  const received = await receiver.result
  t.same([sender.code, received.code, received.stdout.toString()], [0, 0, body])
  await curlDone([...headers, '-d', body, url('health')])
  await curlDone([...headers, '-d', body, `${url('logged')}&n=0`])
  const path = '/api/v1/pipe/logged'
  // All but the questions of holds().
  const asked = () => program.logged('request').filter((line) => line.path === path || line.method !== 'GET')
  await eventually(() => asked().length >= 4 || `${asked().length} requests are logged`)
  const exit = await program.endsAfter('SIGTERM')
  t.equal(exit.stderr, '')

  const requests = asked()
  t.equal(requests.length, 4, 'one line a request')
  const fields = ['level', 'time', 'id', 'remoteAddress', 'method', 'path', 'status', 'outcome', 'bytesIn', 'bytesOut']
  for (const line of requests) {
    const more = line.method === 'PUT' ? ['reason'] : line.method === 'POST' ? ['code'] : []
    t.same(Object.keys(line), [...fields.slice(0, 8), ...more, ...fields.slice(8), 'ms', 'msg'])
    t.equal(line.remoteAddress, '127.0.0.1')
    t.ok(Number.isInteger(line.ms) && (line.ms as number) >= 0, `${line.ms} ms`)
  }
  t.equal(new Set(requests.map(({ id }) => id)).size, 4, 'every request has an id of its own')
  const of = (method: string) => requests.find((line) => line.method === method)
  const bytes = body.length
  t.match(of('GET'), { path, status: 200, outcome: 'complete', bytesIn: 0, bytesOut: bytes })
  const delivered = { outcome: 'complete', reason: 'complete', bytesIn: bytes, bytesOut: sender.stdout.length }
  t.match(of('PUT'), { path, status: 200, ...delivered })
  const refused = requests
    .filter((line) => line.method === 'POST')
    .map((line) => [line.path, line.status, line.outcome])
  t.same(refused, [
    ['/api/v1/pipe/health', 400, 'answered'],
    [path, 400, 'answered'],
  ])
  const transfers = program.logged('transfer')
  t.equal(transfers.length, 1, 'one line a transfer')
  t.match(transfers[0], { pipe: 'logged', reason: 'complete', receivers: 1, bytesIn: bytes, bytesOut: bytes })
  t.match(transfers[0], { transferId: /^[\w-]{16,64}$/, waitedMs: Number, streamedMs: Number })
  for (const secret of secrets) t.notOk(exit.stdout.includes(secret), `nothing ${secret} is logged`)
  t.match(program.logged('listening')[0], { version: VERSION, node: process.version })
})

t.test('--log-format pretty writes for people', async (t) => {
  const program = new Program(t, ['serve', '--port', '0', '--log-format', 'pretty'], {})
  await eventually(() => /http:\/\/127\.0\.0\.1:\d+\S+/.test(program.stdout) || `no address: ${program.stdout}`)
  const [base] = /http:\/\/127\.0\.0\.1:\d+[^\s"]+/.exec(program.stdout)!
  await curlDone([`${base}health`])
  await eventually(() => program.stdout.includes('/api/v1/pipe/health') || `no request: ${program.stdout}`)
  const exit = await program.endsAfter('SIGTERM')
  t.equal(exit.code, 0)
  t.match(exit.stdout, /^\d\d:\d\d:\d\d · listening {2}http:\S+\/ {2}version \S+, node \S+$/m)
  t.match(exit.stdout, /^\d\d:\d\d:\d\d · GET \/api\/v1\/pipe\/health {2}200, \d+ B out, \d+ ms, 127\.0\.0\.1$/m)
  t.match(exit.stdout, /^\d\d:\d\d:\d\d · stopped$/m)
  t.notMatch(exit.stdout, /^(?!\d\d:\d\d:\d\d . )./m, 'every line begins with the time and a mark')
  t.notMatch(exit.stdout, /\x1b/)
})

t.test('--log-level error logs nothing of what succeeds', async (t) => {
  const port = await freePort()
  const program = new Program(t, ['serve', '--port', `${port}`, '--log-level', 'error'], {})
  const url = (name: string) => `http://127.0.0.1:${port}/${name}`
  await eventually(
    async () => (await curlDone([url('help')])).code === 0 || `nothing on port ${port}: ${program.stderr}`,
  )
  const receiver = curl([url('quiet')])
  const sender = await curlDone(['-d', 'hush', url('quiet')])
  t.same([sender.code, (await receiver.result).stdout.toString()], [0, 'hush'])
  const exit = await program.endsAfter('SIGTERM')
  t.same([exit.code, exit.stdout, exit.stderr], [0, '', ''])
})
