/**
 * Slow, quiet and frozen, but alive. uWebSockets by itself closes such connections after 8 to 12 seconds, so each case
 * here lasts longer than that: the time is what is tested.
 */
import { randomBytes } from 'node:crypto'
import { connect as tcpConnect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { parseResponse } from '../../support/raw.js'

const MIB = 1024 * 1024
const LONGER_THAN_ITS_TIMERS_MS = 13_500
/** More than the kernel and the gateway take. */
const UNREAD = Buffer.alloc(64 * MIB)
const FRAMINGS = ['length', 'chunked'] as const

t.jobs = 32

for (const tls of [false, true]) {
  const transport = tls ? 'TLS' : 'plain'

  for (const framing of FRAMINGS) {
    const head = (bytes: number) => (framing === 'length' ? `Content-Length: ${bytes}` : 'Transfer-Encoding: chunked')
    const piece = (text: string) => (framing === 'length' ? text : `${text.length.toString(16)}\r\n${text}\r\n`)
    const end = framing === 'length' ? '' : '0\r\n\r\n'

    for (const [what, size] of [
      ['the sender is held back', 32 * MIB],
      // Within the window and what the kernel takes.
      ['the sender has uploaded all', 1.25 * MIB],
    ] as const) {
      t.test(
        `${transport}, ${framing}: a receiver that stops reading gets every byte in the end; ${what}`,
        async (t) => {
          const gateway = await startGateway(t, {}, { tls })
          const body = randomBytes(size)
          const receiver = await gateway.connect({ pauseOnConnect: true })
          await receiver.send('GET /frozen HTTP/1.1\r\nHost: x\r\n\r\n')
          await gateway.holds(1, 0)
          const sender = await gateway.connect()
          await sender.send(`PUT /frozen HTTP/1.1\r\nHost: x\r\n${head(size)}\r\n\r\n`)
          const sent = sender.send(
            framing === 'length'
              ? body
              : Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), body, Buffer.from(`\r\n${end}`)]),
          )
          await eventually(() => (gateway.gateway.table.get('frozen')?.bytesIn ?? 0) > MIB || 'nothing flows')
          await sleep(LONGER_THAN_ITS_TIMERS_MS)
          t.equal(gateway.gateway.table.get('frozen')?.state, 'streaming', 'nobody is told that the receiver has all')
          receiver.resume()
          await sent
          // Looking into a response reads all of it again, every few milliseconds.
          await eventually(() => receiver.receivedBytes > size || 'bytes are missing', { timeoutMs: 40_000 })
          const response = await receiver.waitForResponse()
          t.ok(response.complete && response.body.equals(body), 'every byte')
          await sender.waitFor('Transfer complete.')
          t.ok((await sender.waitForResponse()).complete)
          sender.destroy()
          receiver.destroy()
        },
      )
    }

    t.test(`${transport}, ${framing}: a sender that is quiet for long goes on`, async (t) => {
      const gateway = await startGateway(t, {}, { tls })
      const receiver = curl(['-N', `${gateway.origin}/quiet`])
      await gateway.holds(1, 0)
      const sender = await gateway.connect()
      await sender.send(`PUT /quiet HTTP/1.1\r\nHost: x\r\n${head(2)}\r\n\r\n`)
      await sleep(LONGER_THAN_ITS_TIMERS_MS)
      await sender.send(piece('a'))
      await receiver.waitFor('a')
      await sleep(LONGER_THAN_ITS_TIMERS_MS)
      await sender.send(piece('b') + end)
      t.equal((await receiver.result).stdout.toString(), 'ab')
      await sender.waitFor('Transfer complete.')
      sender.destroy()
    })

    t.test(`${transport}, ${framing}: a sender waits for long, before and after its first bytes`, async (t) => {
      const gateway = await startGateway(t, {}, { tls })
      const body = randomBytes(8 * MIB)
      const early = await gateway.connect()
      await early.send(`PUT /early HTTP/1.1\r\nHost: x\r\n${head(2)}\r\n\r\n`)
      const upload = framing === 'length' ? ['-X', 'PUT', '--data-binary', '@-'] : ['-T', '-']
      const full = curl([...upload, `${gateway.origin}/full`], { input: body })
      await gateway.holds(2, 0)
      await sleep(LONGER_THAN_ITS_TIMERS_MS)
      const told = parseResponse(early.received).body.toString()
      t.match(told, /Still waiting for 1 of 1 receiver\(s\)\.\.\.\n/, 'it was told that it still waits')
      const receivers = ['early', 'full'].map((name) => curl([`${gateway.origin}/${name}`]))
      await early.send(piece('ok') + end)
      t.equal((await receivers[0]!.result).stdout.toString(), 'ok')
      t.ok((await receivers[1]!.result).stdout.equals(body))
      t.equal((await full.result).code, 0)
      early.destroy()
    })
  }

  t.test(`${transport}: a receiver waits for long`, async (t) => {
    const gateway = await startGateway(t, {}, { tls })
    const receiver = curl([`${gateway.origin}/patient`])
    await gateway.holds(1, 0)
    await sleep(LONGER_THAN_ITS_TIMERS_MS)
    await curl(['-T', '-', `${gateway.origin}/patient`], { input: 'at last' }).result
    t.equal((await receiver.result).stdout.toString(), 'at last')
  })

  t.test(`${transport}: a receiver that reads slowly, but reads, is neither idle nor stalled`, async (t) => {
    const gateway = await startGateway(t, { idle: '5' }, { tls })
    for (const framing of FRAMINGS) {
      const upload = framing === 'length' ? ['-X', 'PUT', '--data-binary', '@-'] : ['-T', '-']
      // Not a curl with --limit-rate: after a burst that one reads nothing at all for as long as it takes.
      const where = { port: gateway.port, host: '127.0.0.1' }
      const reader = tls ? tlsConnect({ ...where, rejectUnauthorized: false }) : tcpConnect(where)
      reader.write(`GET /slow-${framing} HTTP/1.1\r\nHost: x\r\n\r\n`)
      reader.on('readable', () => {})
      const reading = setInterval(() => reader.read(Math.min(20_000, reader.readableLength)), 100)
      const sender = curl([...upload, `${gateway.origin}/slow-${framing}?stall=5`], { input: randomBytes(16 * MIB) })
      t.teardown(() => {
        clearInterval(reading)
        reader.destroy()
        sender.kill()
      })
    }
    await gateway.holds(0, 2)
    await sleep(LONGER_THAN_ITS_TIMERS_MS)
    const ended = gateway.lines.filter((line) => line.msg === 'transfer')
    t.same(ended, [], 'both go on')
  })

  for (const way of ['reset', 'destroy'] as const) {
    t.test(
      `${transport}: a waiting sender that dies (${way}) with its body unread is noticed, and frees its place`,
      async (t) => {
        const gateway = await startGateway(t, {}, { tls })
        const receiver = curl([`${gateway.origin}/dead?n=2`])
        await gateway.holds(1, 0)
        const sender = await gateway.connect()
        await sender.send(`PUT /dead?n=2 HTTP/1.1\r\nHost: x\r\nContent-Length: ${64 * MIB}\r\n\r\n`)
        void sender.send(UNREAD)
        await sender.waitFor('Waiting for 2')
        sender[way]()
        await eventually(
          () => gateway.gateway.table.get('dead')?.hasSender === false || 'the dead sender is still joined',
          {
            timeoutMs: 15_000,
          },
        )
        const others = [
          curl([`${gateway.origin}/dead?n=2`]),
          curl(['-T', '-', `${gateway.origin}/dead?n=2`], { input: 'new' }),
        ]
        t.equal((await receiver.result).stdout.toString(), 'new')
        for (const run of others) t.equal((await run.result).code, 0)
      },
    )
  }
}

t.test('a ?reply=end sender that dies with its body unread is noticed, if it expects 100 Continue', async (t) => {
  const gateway = await startGateway(t)
  const sender = await gateway.connect()
  const head = `Expect: 100-continue\r\nContent-Length: ${64 * MIB}`
  await sender.send(`PUT /dead-end?reply=end HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`)
  void sender.send(UNREAD)
  await gateway.holds(1, 0)
  const patient = await gateway.connect()
  await patient.send(`PUT /alive-end?reply=end&wait=14 HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`)
  void patient.send(UNREAD)
  await gateway.holds(2, 0)
  sender.destroy()
  await eventually(() => gateway.gateway.table.get('dead-end') === undefined || 'the dead sender is still joined', {
    timeoutMs: 16_000,
  })
  await patient.waitFor('HTTP/1.1 408', 10_000)
  t.match(
    patient.text,
    /^(HTTP\/1.1 100 Continue\r\n\r\n){2}HTTP\/1.1 408 /,
    'one who lives sees interim responses first',
  )
  patient.destroy()
})
