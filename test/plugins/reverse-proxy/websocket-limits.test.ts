/** Messages that are longer than the gateway passes on: both sides are told, by 1009. */

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { makeCertificate } from '../../support/certificate.js'
import { eventually } from '../../support/eventually.js'
import { startProxy } from '../../support/upstream.js'
import { heard, open, startService, tells } from './websockets.js'

const MOST = 16 * 1024 * 1024
const FIN = 0x80

/** A masked frame with a payload of zeros, of which all or a part is there. */
function frame(first: number, length: number, there = length): Buffer {
  const bytes = Buffer.alloc(14 + there)
  bytes[0] = first
  bytes[1] = 0x80 | 127
  bytes.writeBigUInt64BE(BigInt(length), 2)
  return bytes
}

for (const [what, pieces] of [
  ['one byte too many', [frame(FIN | 2, MOST + 1)]],
  ['the announcement of a terabyte', [frame(FIN | 2, 2 ** 40, 100_000)]],
  ['pieces that are too much together', [frame(2, MOST / 2), frame(0, MOST / 2), frame(FIN, 1)]],
  ['a header in two reads', [frame(FIN | 2, MOST + 1).subarray(0, 7), frame(FIN | 2, MOST + 1).subarray(7)]],
  ['a header behind a message', [Buffer.concat([frame(FIN | 1, 5), frame(FIN | 2, MOST * 2, MOST)])]],
] as const) {
  t.test(`a message of a client: ${what}`, async (t) => {
    const service = await startService(t)
    const gw = await startProxy(t, [{ upstreams: [service.url] }])
    const client = open(t, gw, '/')
    const [answer] = (await once(client, 'upgrade')) as [IncomingMessage]
    await eventually(() => service.socket !== undefined || 'not accepted')
    const [here, there] = [heard(client), heard(service.socket!)]
    for (const piece of pieces) {
      await new Promise((resolve) => answer.socket.write(piece, resolve))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const reason = `closed 1009 a message has more than ${MOST} bytes`
    await tells(here, reason)
    await tells(there, reason)
    t.same(
      there.filter((each) => !each.startsWith('closed')),
      what.includes('behind') ? ['\0'.repeat(5)] : [],
    )
    await eventually(() => gw.gateway.slabs.heldBytes === 0 || `${gw.gateway.slabs.heldBytes} bytes are still held`)
  })
}

t.test('a message of the greatest length passes, in both directions', async (t) => {
  const service = await startService(t)
  const gw = await startProxy(t, [{ upstreams: [service.url] }])
  const client = open(t, gw, '/')
  await once(client, 'open')
  await eventually(() => service.socket !== undefined || 'not accepted')
  const lengths: number[] = []
  for (const each of [client, service.socket!]) each.on('message', (data: Buffer) => lengths.push(data.length))
  client.send(Buffer.alloc(MOST))
  service.socket!.send(Buffer.alloc(MOST))
  await eventually(() => lengths.length === 2 || `${lengths.length} of 2 messages`)
  t.same(lengths, [MOST, MOST])
})

t.test('a message of an upstream that is too long', async (t) => {
  const service = await startService(t)
  const gw = await startProxy(t, [{ upstreams: [service.url] }])
  const client = open(t, gw, '/')
  await once(client, 'open')
  await eventually(() => service.socket !== undefined || 'not accepted')
  const [here, there] = [heard(client), heard(service.socket!)]
  service.socket!.send(Buffer.alloc(MOST + 1))
  await tells(here, 'closed 1009 a message is too big')
  await tells(there, 'closed 1009')
})

t.test('over TLS, too', async (t) => {
  const files = makeCertificate(t.testdir({}))
  const service = await startService(t)
  const flags = { tlsCert: files.cert, tlsKey: files.key }
  const gw = await startProxy(t, [{ upstreams: [service.url] }], { flags })
  const client = open(t, gw, '/')
  await once(client, 'open')
  await eventually(() => service.socket !== undefined || 'not accepted')
  const [here, there] = [heard(client), heard(service.socket!)]
  client.send(Buffer.alloc(MOST + 1))
  const reason = `closed 1009 a message has more than ${MOST} bytes`
  await tells(here, reason)
  await tells(there, reason)
})
