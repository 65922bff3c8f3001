/** Downloads that were cut, and that real clients go on with: what they ask for, what they get, and what they make of it. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { command } from '../support/command.js'
import { curl, curlDone } from '../support/curl.js'
import { type Running, startDefaultGateway } from '../support/gateway.js'
import { connect } from '../support/raw.js'

const BYTES = randomBytes(3_000_000)

interface Rig {
  readonly gw: Running
  readonly dir: string
  /** What is sent. */
  readonly sent: string
}

async function rig(t: Test): Promise<Rig> {
  const gw = await startDefaultGateway(t)
  const dir = t.testdir({})
  const sent = join(dir, 'sent')
  writeFileSync(sent, BYTES)
  return { gw, dir, sent }
}

/** A sender that announces the whole file and leaves in the middle of it. */
async function sendPart(gw: Running, name: string, bytes: number): Promise<void> {
  const sender = await connect({ port: gw.port })
  await sender.send(`PUT /${name} HTTP/1.1\r\nHost: x\r\nContent-Length: ${BYTES.length}\r\n\r\n`)
  await sender.send(BYTES.subarray(0, bytes))
  await sender.waitFor('Streaming to 1')
  await gw.holds(0, 1)
  sender.destroy()
}

interface Patient {
  /** A client that is asking for `x` and tries again by itself. */
  readonly patient: Promise<{ readonly code: number | null }>
  /** Where it puts what it gets. */
  readonly file: string
  readonly sent: string
  /** After so many bytes its sender leaves. */
  readonly cutAt: number
  /** Transfers that will have ended then. */
  readonly ended: number
}

/** A download that is cut, and that its client goes on with when the file is sent again. */
async function goesOn(t: Test, gw: Running, { patient, file, sent, cutAt, ended }: Patient): Promise<void> {
  await gw.holds(1, 0)
  await sendPart(gw, 'x', cutAt)
  await gw.ended('x', ended)
  await gw.holds(1, 0)
  t.equal((await curlDone(['-T', sent, gw.url('x')])).code, 0)
  t.equal((await patient).code, 0)
  t.ok(readFileSync(file).equals(BYTES))
  t.equal(lastReceived(gw, 'x').status, 206)
}

/** The last request for this name that received something: what it was answered, and how many bytes it was sent. */
function lastReceived(gw: Running, name: string) {
  const line = gw.lines.findLast(
    (each) => each.msg === 'request' && each.method === 'GET' && `${each.path}`.endsWith(name),
  )
  return { status: line?.status, bytes: line?.bytesOut }
}

t.test('curl -C -', async (t) => {
  const { gw, dir, sent } = await rig(t)
  const file = join(dir, 'got')
  for (const version of ['--http1.1', '-0']) {
    const first = curl([version, '-o', file, gw.url('x')])
    await gw.holds(1, 0)
    await sendPart(gw, 'x', 1_000_000)
    t.not((await first.result).code, 0, 'it notices that it was cut')
    const has = readFileSync(file).length
    t.ok(has > 0 && has <= 1_000_000, `${has} bytes`)
    const sending = curlDone(['-T', sent, gw.url('x')])
    await gw.holds(1, 0)
    const rest = await curlDone([version, '-C', '-', '-o', file, gw.url('x')])
    t.match(rest, { code: 0, stderr: '' })
    t.ok(readFileSync(file).equals(BYTES))
    t.equal((await sending).code, 0, 'the sender is told that all is well')
    t.same(lastReceived(gw, 'x'), { status: 206, bytes: BYTES.length - has })

    const again = curl(['-T', sent, gw.url('x')])
    await gw.holds(1, 0)
    t.equal((await curlDone([version, '-C', '-', '-o', file, gw.url('x')])).code, 0, 'it has everything already')
    t.same(lastReceived(gw, 'x').status, 416)
    await gw.holds(1, 0)
    t.ok((await curlDone([gw.url('x')])).stdout.equals(BYTES), 'and the sender still waits for somebody else')
    await again.result
  }
  writeFileSync(file, 'begun')
  const chunked = curl(['-T', sent, '-H', 'Transfer-Encoding: chunked', gw.url('x')])
  await gw.holds(1, 0)
  t.equal(
    (await curlDone(['-C', '-', '-o', file, gw.url('x')])).code,
    33,
    'without a length curl says that it cannot resume',
  )
  t.not((await chunked.result).code, 0)
})

t.test('wget -c, and wget that tries again by itself', async (t) => {
  const { gw, dir, sent } = await rig(t)
  const wget = (...args: string[]) => command('wget', ['-q', '--waitretry=1', ...args, gw.url('x')])
  const file = join(dir, 'x')
  const first = wget('-t', '1', '-P', dir)
  await gw.holds(1, 0)
  await sendPart(gw, 'x', 1_000_000)
  t.equal((await first).code, 4)
  const has = readFileSync(file).length
  const resumed = wget('-c', '-t', '1', '-P', dir)
  await gw.holds(1, 0)
  t.equal((await curlDone(['-T', sent, gw.url('x')])).code, 0)
  t.equal((await resumed).code, 0)
  t.ok(readFileSync(file).equals(BYTES))
  t.same(lastReceived(gw, 'x'), { status: 206, bytes: BYTES.length - has })

  const whole = wget('-c', '-t', '1', '-P', dir)
  await gw.holds(1, 0)
  const sending = curl(['-T', sent, gw.url('x')])
  t.equal((await whole).code, 0, 'it has everything, and is told so although it came before the sender')
  await gw.holds(1, 0)
  t.ok((await curlDone([gw.url('x')])).stdout.equals(BYTES))
  await sending.result

  const retried = join(dir, 'retried')
  await goesOn(t, gw, { patient: wget('-t', '3', '-O', retried), file: retried, sent, cutAt: 1_500_000, ended: 4 })
})

t.test('aria2c', async (t) => {
  const { gw, dir, sent } = await rig(t)
  const aria2c = (...args: string[]) =>
    command('aria2c', ['-q', '--no-conf', '-c', '--retry-wait=1', '-d', dir, '-o', 'got', ...args, gw.url('x')])
  // It asks without a range first. When that is cut it asks for the rest, by its last byte.
  await goesOn(t, gw, { patient: aria2c('-m', '5'), file: join(dir, 'got'), sent, cutAt: 2_000_000, ended: 1 })
  t.ok(Number(lastReceived(gw, 'x').bytes) < BYTES.length, `${lastReceived(gw, 'x').bytes} bytes were sent again`)

  // Started anew it learns the length by a first request, and hangs up. A sender that tries again serves the second one.
  writeFileSync(join(dir, 'got'), BYTES.subarray(0, 2_000_000))
  let over = false
  const anew = aria2c('-m', '5').finally(() => {
    over = true
  })
  while (!over) await curlDone(['-T', sent, gw.url('x?wait=2')])
  t.equal((await anew).code, 0)
  t.ok(readFileSync(join(dir, 'got')).equals(BYTES))
  t.match(lastReceived(gw, 'x'), { status: 206 })
})
