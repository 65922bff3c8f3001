/** TLS in several threads: each in turn shakes hands, and a connection then goes to the thread that has the name it asks for. */
import { dirname, join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { makeCertificate } from '../../../support/certificate.js'
import { curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import type { Program } from '../../../support/program.js'
import type { RawClient } from '../../../support/raw.js'
import { BREAKS, client, namesOf, request, startThreads, withPlugin } from './rig.js'

t.jobs = 2

/** @param code of a plugin */
function start(t: Test, threads: number, code = '{}'): Promise<Program> {
  const own = withPlugin(t, code)
  const { cert, key } = makeCertificate(dirname(own[1]!))
  return startThreads(t, threads, ['--tls-cert', cert, '--tls-key', key, ...own])
}

async function meet(sender: RawClient, receiver: RawClient, name: string): Promise<void> {
  const [a, b] = [sender.receivedBytes, receiver.receivedBytes]
  void receiver.send(request('GET', `/${name}`))
  void sender.send(request('PUT', `/${name}`, `for ${name}`))
  const got = await receiver.waitForResponse({ from: b })
  if (got.body.toString() !== `for ${name}`) throw new Error(`${name}: ${got.status} ${got.body}`)
  const told = await sender.waitForResponse({ from: a })
  if (!told.body.toString().includes('Transfer complete.')) throw new Error(`${name}: ${told.body}`)
}

t.test('two that have shaken hands with different threads meet, whichever has the name', async (t) => {
  const program = await start(t, 3)
  // One after the other, so that each thread has shaken hands with one of three in a row.
  const clients: RawClient[] = []
  for (let i = 0; i < 6; i++) clients.push(await client(program, true))
  const names = [0, 1, 2].flatMap((number) => namesOf(number, 3, 6))
  for (const [i, name] of names.entries()) await meet(clients[i % 3]!, clients[3 + ((i + 1 + (i >> 2)) % 3)]!, name)
  t.pass('all have met, on connections that are kept')
})

/** A connection with this session, and whether it was taken up again. */
async function resumed(program: Program, session: Buffer | undefined): Promise<{ socket: TLSSocket; reused: boolean }> {
  const socket = connectTls({
    port: program.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...(session !== undefined && { session }),
  })
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  return { socket, reused: socket.isSessionReused() }
}

t.test('a ticket of one thread is good in all', async (t) => {
  const THREADS = 3
  const program = await start(t, THREADS)
  const { socket } = await resumed(program, undefined)
  const ticket = new Promise<Buffer>((resolve) => socket.once('session', resolve))
  socket.write(request('DELETE', '/x'))
  const session = await ticket
  socket.destroy()
  // Each thread in turn shakes hands, so each sees it more than once.
  for (let i = 0; i < 3 * THREADS; i++) {
    const again = await resumed(program, session)
    t.ok(again.reused, `handshake ${i}`)
    again.socket.destroy()
  }
})

t.test('a thread that dies hurts no connection of another, also one that it has shaken hands for', async (t) => {
  const program = await start(t, 2, BREAKS)
  const [name] = namesOf(1, 2, 1, 'kept')
  // As many handshakes by the one as by the other.
  const kept: RawClient[] = []
  for (let i = 0; i < 4; i++) kept.push(await client(program, true))
  for (const each of kept) {
    await each.send(request('DELETE', `/${name}`))
    await each.waitForResponse()
  }
  const receiver = curl(['-kN', program.url(namesOf(1, 2, 1, 'stream')[0]!)])
  const sender = curl(['-kN', '-T', '.', program.url(namesOf(1, 2, 1, 'stream')[0]!)])
  t.teardown(() => {
    for (const each of [receiver, sender]) each.kill()
  })
  sender.stdin.write('first ')
  await receiver.waitFor('first')
  const breaker = await client(program, true)
  await breaker.send(request('GET', `/${namesOf(0, 2, 1, 'x', '/break')[0]}`))
  await program.waitForLog('a thread has met a defect, and ends what it has')
  await breaker.closed
  await program.waitForLog('a thread has been started again')
  for (const each of kept) {
    t.notOk(each.isClosed)
    const from = each.receivedBytes
    await each.send(request('DELETE', `/${name}`))
    t.equal((await each.waitForResponse({ from })).status, 405)
  }
  sender.stdin.end('last')
  t.equal((await receiver.result).stdout.toString(), 'first last')
  t.equal((await sender.result).code, 0)
  // Also on connections that go to the thread that is new.
  const [mine] = namesOf(0, 2, 1, 'again')
  await meet(kept[0]!, kept[1]!, mine!)
  await eventually(() => kept.every((each) => !each.isClosed) || 'one is closed')
})

t.test('handshakes that come to nothing are counted and logged once, whichever thread had them', async (t) => {
  const dir = t.testdir({ 'pipegate.json': JSON.stringify({ plugins: ['metrics'] }) })
  const { cert, key } = makeCertificate(dir)
  const flags = ['--tls-cert', cert, '--tls-key', key, '--config', join(dir, 'pipegate.json')]
  const program = await startThreads(t, 2, flags)
  for (let i = 0; i < 4; i++) await curlDone([program.url('x').replace('https', 'http')])
  await eventually(async () => {
    const { stdout } = await curlDone(['-k', program.url('metrics')])
    const line = /^pipegate_tls_handshakes_failed_total\{reason="plain_http"\} .*/m.exec(stdout.toString())?.[0]
    return line?.endsWith(' 4') === true || `${line}`
  })
  const logged = () =>
    program.logged('TLS handshakes failed').reduce((sum, { connections }) => sum + Number(connections), 0)
  await eventually(() => logged() === 4 || `${logged()} in the log`)
})
