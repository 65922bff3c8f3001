/** From one process to the next on the same port: the old one finishes, new requests reach the new one, and what a load balancer sees. */

import { createHash } from 'node:crypto'
import t from 'tap'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { type Program, runProgram, startProgram } from '../support/program.js'
import { connect } from '../support/raw.js'

t.jobs = 3

async function status(url: string, ...args: string[]): Promise<string> {
  const { stdout, code } = await curlDone(['-o', '/dev/null', '-w', '%{http_code}', ...args, url])
  return code === 0 ? stdout.toString() : `curl exits with ${code}`
}

/** A transfer that runs: its sender goes on when it is told to. */
async function running(program: Program, name: string) {
  const receiver = curl(['-N', program.url(name)])
  const sender = curl(['-N', '-T', '.', program.url(name)])
  const first = Buffer.alloc(3_000_000, 'first')
  sender.stdin.write(first)
  await sender.waitFor('Streaming')
  return { receiver, sender, first }
}

t.test('the next process takes the port over while the first one finishes', async (t) => {
  // With port 0 the system lets nobody else have the port as long as a connection of it is left.
  const port = `${await freePort()}`
  const old = await startProgram(t, ['--port', port])
  const { receiver, sender, first } = await running(old, 'long')
  const waiting = curl(['-i', old.url('early')])
  await eventually(async () => (await curlDone([old.url('health')])).stdout.includes('"waiting":1') || 'nobody waits')

  old.kill('SIGTERM')
  await old.waitForLog('draining')
  // The port is closed when that line is written: no attempt has to be repeated.
  const next = await startProgram(t, ['--port', port])
  const told = (await waiting.result).stdout.toString()
  t.match(told, /^HTTP\/1\.1 503 [\s\S]*^Retry-After: \d+\r$[\s\S]*\[ERROR\] Server shutting down\.\n$/m)

  const again = curl([old.url('early')])
  const early = await curlDone(['-d', 'met again', old.url('early')])
  t.same([early.code, (await again.result).stdout.toString()], [0, 'met again'])
  t.equal(old.exit, undefined, 'the first one is still there, for its transfer')

  const last = Buffer.alloc(3_000_000, 'last')
  sender.stdin.end(last)
  const [sent, received] = await Promise.all([sender.result, receiver.result])
  t.same([sent.code, received.code], [0, 0])
  const sum = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex')
  t.equal(sum(received.stdout), sum(first, last))
  const exit = await old.ends()
  t.same([exit.code, exit.signal, exit.stderr], [0, null, ''])
  t.same(
    [old, next].map((program) => program.logged('transfer').map(({ pipe, reason }) => `${pipe} ${reason}`)),
    [['early shutting_down', 'long complete'], ['early complete']],
  )
})

t.test('a health check with a new connection is refused at once, one on a kept connection is 503', async (t) => {
  const program = await startProgram(t)
  const { receiver, sender } = await running(program, 'long')
  const kept = await connect({ port: program.port })
  const ask = async () => {
    const from = kept.receivedBytes
    await kept.send('GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n')
    return kept.waitForResponse({ from })
  }
  t.equal((await ask()).status, 200)
  program.kill('SIGTERM')
  await program.waitForLog('draining')
  t.equal(await status(program.url('health')), 'curl exits with 7')
  const answer = await ask()
  t.equal(answer.status, 503)
  t.match(answer.headers['retry-after']?.[0], /^[1-9]\d*$/)
  const health = await runProgram(t, ['health', '--port', `${program.port}`])
  t.equal(health.code, 1)
  sender.stdin.end()
  t.same([(await sender.result).code, (await receiver.result).code], [0, 0])
})
