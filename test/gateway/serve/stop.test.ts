/** How the program stops. */

import { execFileSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { sharedCertificate } from '../../support/certificate.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { Program, startProgram } from '../../support/program.js'
import { connect, type RawClient } from '../../support/raw.js'
import { sample } from '../../support/thorough.js'
import { AT_ONCE_MS, ask, CUT, holds, lines, MIB, runningTransfer } from './process.js'

// Most of these wait for processes; two cores run several of them as fast as one.
t.jobs = 2

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
  for (const gapMs of sample([0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8], 3)) {
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
