/** The program as a whole: its command line, its log, and how it stops. */

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { flagOf } from '../../../gateway/config/setting-names.js'
import { SETTING_KEYS } from '../../../gateway/config/settings.js'
import { sharedCertificate } from '../../support/certificate.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { MAIN, PROJECT, Program, runProgram, startProgram } from '../../support/program.js'
import { connect, type RawClient } from '../../support/raw.js'

// Most of these wait for processes; two cores run four of them as fast as one.
t.jobs = 4

const VERSION = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')).version
const MIB = 1024 * 1024
/** Far more than an exit takes, far less than any time-out that a forgotten connection would add. */
const AT_ONCE_MS = 3000
/** What curl says of a transfer that was cut: partial file, failed write, failed read. */
const CUT = [18, 55, 56]

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** Resolves when so many pipes wait and so many transfers stream. */
async function holds(url: (name: string) => string, waiting: number, streaming: number): Promise<void> {
  await eventually(async () => {
    const health = await curlDone(['-gk', url('health')])
    const found = JSON.parse(health.stdout.toString())
    return (found.waiting === waiting && found.streaming === streaming) || `holds ${health.stdout}`
  })
}

/** A port that nobody had a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

/** Sends a request on a connection that is kept, and waits for the answer. */
async function ask(client: RawClient, request: string): Promise<ReturnType<RawClient['waitForResponse']>> {
  const from = client.receivedBytes
  await client.send(`${request} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return client.waitForResponse({ from })
}

t.test('more connections than file descriptors: those are turned away, and the others are served', async (t) => {
  const command = ['sh', '-c', 'ulimit -n 256; exec "$@"', 'sh', process.execPath, MAIN] as const
  const program = await startProgram(t, [], { command })
  const receiver = curl(['-N', program.url('through')])
  await holds((name) => program.url(name), 1, 0)
  const crowd = await Promise.all(Array.from({ length: 300 }, () => connect({ port: program.port })))
  const line = await program.waitForLog(
    'turned away: no file descriptor is left, raise the limit of open files (ulimit -n)',
  )
  t.ok(Number(line.connections) > 10, `${line.connections} connections were turned away`)
  await eventually(() => crowd.filter((client) => client.isClosed).length > 10 || 'nobody was turned away')
  for (const client of crowd.slice(0, 20)) client.destroy()
  const stayed = crowd.filter((client) => !client.isClosed)
  for (const client of stayed) client.destroy()
  await eventually(async () => (await curlDone([program.url('health')])).code === 0 || 'nobody is served')
  t.equal((await curlDone(['-T', '-', program.url('through')], { input: 'all the same' })).code, 0)
  t.equal((await receiver.result).stdout.toString(), 'all the same')
})

/** A transfer whose sender writes piece by piece: running, with its first bytes delivered. */
async function runningTransfer(url: (name: string) => string, name: string) {
  const receiver = curl(['-N', url(name)])
  // "-T ." and not "-T -": that one waits for its input and does not look at the answer meanwhile.
  const sender = curl(['-N', '-T', '.', url(name)])
  sender.stdin.write('first\n')
  await receiver.waitFor('first\n')
  await sender.waitFor('Streaming')
  return { receiver, sender }
}

t.test('--version prints the version of the package, --help every flag', async (t) => {
  const version = await runProgram(t, ['--version'])
  t.same([version.code, version.stdout, version.stderr], [0, `${VERSION}\n`, ''])
  for (const flag of ['--help', '-h']) {
    const help = await runProgram(t, [flag])
    t.same([help.code, help.stderr], [0, ''])
    t.match(help.stdout, /^Usage: pipegate serve /)
    const words = help.stdout.replaceAll('[no-]', '').split(/\s+/)
    const missing = [...SETTING_KEYS, 'config', 'printConfig'].map(flagOf).filter((name) => !words.includes(name))
    t.same(missing, [], 'every flag is explained')
  }
})

t.test('--print-config prints what --config takes', async (t) => {
  const file = join(t.testdir(), 'printed.yaml')
  const given = ['--port', '9', '--drain=7', '--window', '2MiB', '--no-bare-names', '--log-level', 'warn']
  const first = await runProgram(t, ['--print-config', ...given], { env: { PIPEGATE_WAIT: '11' } })
  t.same([first.code, first.stderr], [0, ''])
  const found = parse(first.stdout)
  t.same(Object.keys(found), [...SETTING_KEYS])
  t.match(found, { port: 9, drain: 7, window: '2MiB', bareNames: false, logLevel: 'warn', wait: 11 })
  t.match(first.stdout, /^drain: 7 # flag --drain$/m)
  t.match(first.stdout, /^wait: 11 # env PIPEGATE_WAIT$/m)
  t.match(first.stdout, /^idle: 3600 # default$/m)
  writeFileSync(file, first.stdout)
  const second = await runProgram(t, ['serve', '--print-config', '--config', file])
  t.same([second.code, second.stderr], [0, ''])
  t.same(parse(second.stdout), found)
  t.ok(second.stdout.includes(`drain: 7 # file ${file}\n`), second.stdout)
})

t.test('a command line that cannot be understood: one line and exit code 2', async (t) => {
  const wrong: [args: string[], line: RegExp][] = [
    [['serve', '--prot', '1'], /unknown flag --prot; did you mean --port\?/],
    [['serve', '--port'], /--port needs a value/],
    [['serve', '--config', '--port', '1'], /--config needs a value/],
    [['serve', 'twice'], /unexpected argument "twice"/],
    [['sevre'], /unknown command "sevre"/],
    [['--port', '0'], /no command given/],
    [['--version=1'], /--version takes no value/],
  ]
  for (const [args, line] of wrong) {
    const exit = await runProgram(t, args)
    t.same([exit.code, exit.stdout, lines(exit.stderr).length], [2, '', 1], `${args.join(' ')}: ${exit.stderr}`)
    t.match(exit.stderr, /^pipegate: /)
    t.match(exit.stderr, line)
  }
  const nothing = await runProgram(t, [])
  t.same([nothing.code, nothing.stdout], [2, ''])
  t.match(nothing.stderr, /^Usage: /)
})

t.test('a wrong configuration: all of its problems and exit code 1', async (t) => {
  const file = join(t.testdir({ 'wrong.yaml': 'drain: -3\nprot: 80\n' }), 'wrong.yaml')
  const args = ['serve', '--port', '99999', '--config', file]
  const exit = await runProgram(t, args, { env: { PIPEGATE_WAIT: '0', PIPEGATE_HOTS: '::' } })
  t.same([exit.code, exit.stdout], [1, ''])
  const [head, ...problems] = lines(exit.stderr)
  t.equal(head, 'pipegate: configuration: 5 problems')
  const expected = [
    /--port.*99999/,
    /PIPEGATE_WAIT.*"0"/,
    /PIPEGATE_HOTS.*HOST\?/,
    /wrong\.yaml: drain.*-3/,
    /"prot".*"port"/,
  ]
  for (const line of expected) t.equal(problems.filter((problem) => line.test(problem)).length, 1, `${line}`)

  const missing = await runProgram(t, ['serve', '--config', join(PROJECT, 'no-such.yaml')])
  t.same([missing.code, missing.stdout, lines(missing.stderr).length], [1, '', 1])
  t.match(missing.stderr, /^pipegate: configuration: --config: .*no-such\.yaml.*ENOENT/)
})

t.test('flags outrank variables, and variables the file', async (t) => {
  const config = join(t.testdir({ 'pipegate.yaml': 'prefix: /file\nwait: 40\n' }), 'pipegate.yaml')
  const env = { PIPEGATE_CONFIG: config, PIPEGATE_PREFIX: '/variable', PIPEGATE_PORT: '1', PIPEGATE_HOST: '127.0.0.1' }
  const program = await startProgram(t, [], { env: { ...env, PIPEGATE_LOG_LEVEL: 'info' } })
  t.match(program.base, /^http:\/\/127\.0\.0\.1:\d+\/variable\/$/)
  t.not(program.port, 1)
  t.equal((await curlDone(['-o', '/dev/null', '-w', '%{http_code}', program.url('health')])).stdout.toString(), '200')
  const byVariables = new Program(t, ['serve'], { env: { ...env, PIPEGATE_PORT: `${await freePort()}` } })
  await byVariables.waitForLog('listening')
  t.not(byVariables.port, program.port)
})

t.test('an address that cannot be had: one line and exit code 1', async (t) => {
  const holder = createServer()
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as AddressInfo).port))
  })
  t.teardown(() => holder.close())
  const first = await startProgram(t)
  const cases: [flags: string[], line: RegExp][] = [
    [['--port', `${port}`], /^pipegate: cannot listen on 127\.0\.0\.1 port \d+: the port is in use; .*--port\n$/],
    [['--port', `${first.port}`], /^pipegate: cannot listen on 127\.0\.0\.1 port \d+: the port is in use; .*--port\n$/],
    [
      ['--host', '192.0.2.1'],
      /^pipegate: cannot listen on 192\.0\.2\.1 port 0: this machine does not have .*--host\n$/,
    ],
    [['--host', 'no-such-host.invalid'], /^pipegate: .*no-such-host\.invalid.*: no address is known .*--host\n$/],
    [['--host', '::1%lo'], /^pipegate: cannot listen on ::1%lo port 0: (?!.*in use).*--host\n$/],
    ...privileged(),
  ]
  for (const [flags, line] of cases) {
    const exit = await runProgram(t, ['serve', '--port', '0', ...flags])
    t.equal(exit.code, 1, flags.join(' '))
    t.match(exit.stderr, line)
    t.notMatch(exit.stdout, 'listening')
  }
  t.equal((await curlDone([first.url('health')])).code, 0, 'the gateway that has the port goes on')
})

/** Where this user may not open a port below 1024. */
function privileged(): [flags: string[], line: RegExp][] {
  const setting = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
  const lowest = existsSync(setting) ? Number(readFileSync(setting, 'utf8')) : 1024
  if (process.getuid?.() === 0 || lowest <= 1) {
    t.comment('this user may open every port, so that no port is refused for want of rights')
    return []
  }
  return [[['--port', '1'], /^pipegate: .* port 1: this user may not open that port; .*--port\n$/]]
}

t.test('a port can be had again right after its gateway was killed, although connections stood there', async (t) => {
  const first = await startProgram(t)
  const waiting = curl(['-N', first.url('name')])
  await holds((name) => first.url(name), 1, 0)
  await first.endsAfter('SIGKILL')
  await waiting.result
  // What is left of the connection keeps the port from who does not say that it may be used again.
  const again = await startProgram(t, ['--port', `${first.port}`])
  t.equal(again.port, first.port)
})

t.test('two curls meet, and the log tells all of it and no secret', async (t) => {
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
  t.match(exit.stdout, /^\[[\d:.]+\] INFO: listening$/m)
  t.match(exit.stdout, /^\[[\d:.]+\] INFO: request$/m)
  t.match(exit.stdout, /^\[[\d:.]+\] INFO: stopped$/m)
  t.notMatch(exit.stdout, /^\{/m)
  t.notMatch(exit.stdout, /\x1b/)
})

t.test('--log-level error says nothing of what goes well', async (t) => {
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

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} with nothing to do: exit code 0 at once`, async (t) => {
    const program = await startProgram(t)
    const exit = await program.endsAfter(signal)
    t.same([exit.code, exit.signal, exit.stderr], [0, null, ''])
    t.ok(exit.ms < AT_ONCE_MS, `${Math.round(exit.ms)} ms`)
    t.match(program.logged('draining')[0], { signal, drainSeconds: 30 })
    t.equal(program.log.at(-1)?.msg, 'stopped')
  })
}

t.test('connections without a request do not delay the exit', async (t) => {
  const program = await startProgram(t)
  const { port } = program
  const [kept, silent, half] = await Promise.all([connect({ port }), connect({ port }), connect({ port })])
  t.equal((await ask(kept, 'GET /help')).status, 200)
  await half.send('GET /half HTTP/1.1\r\nHo')
  const exit = await program.endsAfter('SIGTERM')
  t.same([exit.code, exit.signal], [0, null])
  t.ok(exit.ms < AT_ONCE_MS, `${Math.round(exit.ms)} ms`)
  for (const client of [kept, silent, half]) await client.waitForClose()
})

t.test('a waiting sender is told that the server stops', async (t) => {
  const program = await startProgram(t)
  const uploading = curl(['-N', '-T', '.', program.url('uploading')])
  uploading.stdin.write('more to come')
  const uploaded = curl(['-N', '-d', 'all there is', program.url('uploaded')])
  const atEnd = curl(['-i', '-d', 'x', program.url('at-end?reply=end')])
  await uploading.waitFor('Waiting')
  await uploaded.waitFor('Waiting')
  await holds((name) => program.url(name), 3, 0)
  const exit = await program.endsAfter('SIGTERM')
  t.same([exit.code, exit.signal, exit.stderr], [0, null, ''])
  t.ok(exit.ms < AT_ONCE_MS, `${Math.round(exit.ms)} ms`)
  // A curl that has nothing to send does not notice that its connection was closed.
  uploading.stdin.end('too late')
  for (const sender of [uploading, uploaded]) {
    const { code, stdout } = await sender.result
    t.ok(CUT.includes(code ?? 0), `curl exits with ${code}`)
    t.match(stdout.toString(), /^\[INFO\] Waiting .*\n\[ERROR\] Server shutting down\.\n$/)
  }
  const { code, stdout } = await atEnd.result
  t.equal(code, 0)
  t.match(stdout.toString(), /^HTTP\/1\.1 503 [\s\S]*^Retry-After: \d+\r$[\s\S]*\[ERROR\] Server shutting down\.\n$/m)
  const reasons = program.logged('transfer').map((line) => line.reason)
  t.same(reasons, ['shutting_down', 'shutting_down', 'shutting_down'])
})

t.test('a waiting receiver is told by a status that the server stops', async (t) => {
  const program = await startProgram(t)
  const shown = curl(['-i', program.url('shown')])
  const failing = curl(['-f', program.url('failing')])
  await holds((name) => program.url(name), 2, 0)
  const exit = await program.endsAfter('SIGTERM')
  t.same([exit.code, exit.signal], [0, null])
  t.ok(exit.ms < AT_ONCE_MS, `${Math.round(exit.ms)} ms`)
  const { code, stdout } = await shown.result
  t.equal(code, 0)
  t.match(
    stdout.toString(),
    /^HTTP\/1\.1 503 [\s\S]*^Retry-After: \d+\r$[\s\S]*\r\n\r\n\[ERROR\] Server shutting down\.\n$/m,
  )
  t.equal((await failing.result).code, 22)
})

t.test('SIGTERM lets a transfer finish and takes no new work', async (t) => {
  const program = await startProgram(t)
  const { port } = program
  const { receiver, sender } = await runningTransfer((name) => program.url(name), 'running')
  const [kept, late] = await Promise.all([connect({ port }), connect({ port })])
  for (const client of [kept, late]) t.equal((await ask(client, 'GET /api/v1/pipe/health')).status, 200)
  program.kill('SIGTERM')
  await program.waitForLog('draining')

  const health = await ask(kept, 'GET /api/v1/pipe/health')
  t.equal(health.status, 503)
  t.match(JSON.parse(health.body.toString()), { status: 'draining', waiting: 0, streaming: 1 })
  for (const request of ['GET /new', 'PUT /new', 'GET /running']) {
    const answer = await ask(late, request)
    t.equal(answer.status, 503, request)
    t.match(answer.headers['retry-after']?.[0], /^[1-9]\d*$/)
    t.match(answer.body.toString(), /^\[ERROR\] .+\n$/)
  }
  const fresh = await curlDone(['-o', '/dev/null', '-w', '%{http_code}', program.url('new')])
  t.ok(fresh.code === 7 || fresh.stdout.toString() === '503', `a new connection: ${fresh.code} ${fresh.stdout}`)

  t.equal(program.exit, undefined, 'the transfer is waited for')
  sender.stdin.end('last\n')
  const ends = await Promise.all([sender.result, receiver.result])
  const from = performance.now()
  const exit = await program.ends()
  t.same([exit.code, exit.signal, exit.stderr], [0, null, ''])
  t.ok(exit.at - from < AT_ONCE_MS, 'and for nothing else')
  t.same(
    ends.map(({ code }) => code),
    [0, 0],
  )
  t.equal(ends[1].stdout.toString(), 'first\nlast\n')
  t.match(ends[0].stdout.toString(), /Upload complete\.\n\[INFO\] Transfer complete\.\n$/)
})

async function standsStill(t: Test, flags: readonly string[], tls: boolean): Promise<void> {
  const program = await startProgram(t, flags)
  const size = 32 * MIB
  const sender = curl(['-N', '-T', '-', program.url('still')], { input: Buffer.alloc(size, 'still') })
  await sender.waitFor('Waiting')
  const alone = await curlDone([program.url('health')])
  const { uptimeSec } = JSON.parse(alone.stdout.toString())
  // Nothing but paused sockets would not keep Node alive; one second of life is more than the turn it would end in.
  await eventually(async () => {
    const health = JSON.parse((await curlDone([program.url('health')])).stdout.toString())
    t.equal(health.waiting, 1)
    return health.uptimeSec >= uptimeSec + 1 || `up for ${health.uptimeSec} s`
  })
  const receiver = await connect({ port: program.port, tls, keep: false })
  await receiver.send('GET /api/v1/pipe/still HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => receiver.receivedBytes > 0 || 'no byte has arrived')
  receiver.pause()
  await sender.waitFor('Streaming')
  const kept = await connect({ port: program.port, tls })
  program.kill('SIGTERM')
  await program.waitForLog('draining')
  await eventually(async () => {
    const { streaming, heldBytes } = JSON.parse((await draining(kept)).body.toString())
    return (streaming === 1 && heldBytes > 0) || `${streaming} streaming, ${heldBytes} bytes held`
  })
  receiver.resume()
  t.equal((await sender.result).code, 0)
  const exit = await program.ends()
  t.same([exit.code, exit.signal], [0, null])
  t.match(program.logged('transfer')[0], { reason: 'complete', bytesIn: size, bytesOut: size })
  t.ok(receiver.receivedBytes > size, `${receiver.receivedBytes} bytes`)
}

t.test('a transfer that stands still is waited for, and so is a paused sender', async (t) => {
  const { cert, key } = sharedCertificate()
  await Promise.all([standsStill(t, [], false), standsStill(t, ['--tls-cert', cert, '--tls-key', key], true)])
})

function draining(kept: RawClient) {
  return ask(kept, 'GET /api/v1/pipe/health')
}

t.test('--drain is how long a transfer may go on', async (t) => {
  for (const seconds of [1, 0]) {
    const program = await startProgram(t, ['--drain', `${seconds}`])
    const { receiver, sender } = await runningTransfer((name) => program.url(name), 'long')
    const exit = await program.endsAfter('SIGTERM')
    t.same([exit.code, exit.signal, exit.stderr], [0, null, ''], `--drain ${seconds}`)
    t.ok(exit.ms >= seconds * 1000 - 50, `${Math.round(exit.ms)} ms are enough`)
    t.ok(exit.ms < seconds * 1000 + AT_ONCE_MS, `${Math.round(exit.ms)} ms are not too much`)
    sender.stdin.end('too late')
    const [sent, received] = await Promise.all([sender.result, receiver.result])
    t.ok(CUT.includes(sent.code ?? 0), `the sender exits with ${sent.code}`)
    t.match(sent.stdout.toString(), /\n\[ERROR\] Server shutting down\.\n$/)
    t.ok([18, 56].includes(received.code ?? 0), `the receiver exits with ${received.code}`)
    t.equal(received.stdout.toString(), 'first\n')
    t.equal(program.logged('transfer')[0]?.reason, 'shutting_down')
  }
})

for (const [first, second] of [
  ['SIGTERM', 'SIGTERM'],
  ['SIGINT', 'SIGTERM'],
] as const) {
  t.test(`${second} after ${first} ends the process at once, with exit code 1`, async (t) => {
    const program = await startProgram(t)
    const { receiver, sender } = await runningTransfer((name) => program.url(name), 'cut')
    program.kill(first)
    await program.waitForLog('draining')
    const exit = await program.endsAfter(second)
    t.same([exit.code, exit.signal, exit.stderr], [1, null, ''])
    t.ok(exit.ms < AT_ONCE_MS, `${Math.round(exit.ms)} ms`)
    t.equal(program.log.at(-1)?.msg, 'stopped at the second signal')
    sender.stdin.end('too late')
    const ends = await Promise.all([sender.result, receiver.result])
    for (const { code } of ends) t.ok(CUT.includes(code ?? 0), `curl exits with ${code}`)
  })
}

t.test('a second signal right behind the first is never deadly', async (t) => {
  // Without a listener, if only for the moment between two of them, the system's own reaction would end the process.
  for (const gapMs of [0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8]) {
    const program = await startProgram(t)
    program.kill('SIGTERM')
    for (const from = performance.now(); performance.now() - from < gapMs; );
    const exit = await program.endsAfter('SIGTERM')
    t.equal(exit.signal, null, `${gapMs} ms apart`)
    t.ok([0, 1].includes(exit.code ?? -1), `exit code ${exit.code}`)
  }
})

t.test('npm start serves, and ends with the signal to its node', async (t) => {
  const npm = await startNpm(t)
  t.match(npm.base, /^http:\/\/127\.0\.0\.1:\d+\/api\/v1\/pipe\/$/)
  t.equal((await curlDone([npm.url('health')])).code, 0)
  const from = performance.now()
  process.kill(nodeUnder(npm.pid), 'SIGTERM')
  const exit = await npm.ends()
  t.equal(exit.code, 0)
  t.ok(exit.at - from < AT_ONCE_MS, `${Math.round(exit.at - from)} ms`)
})

/** `npm start -- --port 0`. What npm prints before the program does is taken away from its output. */
async function startNpm(t: Test): Promise<Program> {
  const npm = new Program(t, ['--port', '0'], { command: ['npm', '--silent', 'start', '--'] })
  t.teardown(() => {
    if (npm.exit === undefined) process.kill(nodeUnder(npm.pid), 'SIGKILL')
  })
  await npm.waitForLog('listening')
  return npm
}

/** The process that npm's shell has started, or has become. */
function nodeUnder(pid: number): number {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const pairs = lines(table).map((line) => line.trim().split(/\s+/).map(Number))
  let last = pid
  for (;;) {
    const child = pairs.find(([, parent]) => parent === last)
    if (child === undefined) return last
    last = child[0]!
  }
}

/** Whether a socket can listen on this address. */
function canListen(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(0, host, () => probe.close(() => resolve(true)))
  })
}

const ipv6 = (await canListen('::1')) ? {} : { skip: 'this machine has no ::1' }

for (const [host, shown, clients, flags] of [
  ['::1', '[::1]', ['[::1]'], []],
  ['::', '[::]', ['[::1]', '127.0.0.1'], []],
  ['::', '[::]', ['[::1]', '127.0.0.1'], ['--no-socket-helper']],
] as const) {
  t.test(`--host ${host} ${flags.join(' ')} serves ${clients.join(' and ')}`, ipv6, async (t) => {
    const program = await startProgram(t, ['--host', host, ...flags])
    t.equal(program.base, `http://${shown}:${program.port}/api/v1/pipe/`)
    for (const client of clients) {
      const url = `http://${client}:${program.port}/six`
      const receiver = curl(['-g', url])
      const sender = await curlDone(['-g', '-d', client, url])
      const received = await receiver.result
      t.same([sender.code, received.code, received.stdout.toString()], [0, 0, client])
    }
    await program.waitForLog('request', clients.length * 2)
    const addresses = program.logged('request').map((line) => line.remoteAddress as string)
    // The long form is readable too; the URL parser shortens it.
    const short = addresses.map((address) =>
      address.includes(':') ? new URL(`http://[${address}]`).hostname : address,
    )
    t.same(
      short,
      clients.flatMap((client) => [client, client]),
    )
  })
}

t.test('localhost works, as the host and as the name of the default one', async (t) => {
  for (const flags of [['--host', 'localhost'], []]) {
    const program = await startProgram(t, flags)
    const url = `http://localhost:${program.port}/here`
    const receiver = curl([url])
    const sender = await curlDone(['-d', 'home', url])
    t.same([sender.code, (await receiver.result).stdout.toString()], [0, 'home'])
  }
})
