/**
 * Chunked bodies of every shape, cut into packets at random places: what arrives is what was sent, nothing is taken for
 * broken, and what stands behind the body is the next request.
 */
import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Random } from '../../model/random.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import type { RawClient } from '../../support/raw.js'

const MIB = 1024 * 1024
const NOISE = randomBytes(2 * MIB)

/** Which sizes a sender gives its chunks. */
const SHAPES = {
  bytes: (random: Random) => random.between(1, 3),
  small: (random: Random) => random.between(1, 600),
  mixed: (random: Random) => (random.chance(60) ? random.between(1, 40) : random.between(1, 90_000)),
  large: (random: Random) => random.between(100_000, 700_000),
  one: () => Number.POSITIVE_INFINITY,
} as const

type Shape = keyof typeof SHAPES

interface Wire {
  readonly body: Buffer
  readonly wire: Buffer
}

/** A body, and how it stands on the wire. */
function chunked(random: Random, shape: Shape, most: number): Wire {
  const start = random.below(MIB)
  const body = NOISE.subarray(start, start + random.below(most))
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const data = body.subarray(at, at + SHAPES[shape](random))
    const digits = random.chance(50) ? data.length.toString(16) : data.length.toString(16).toUpperCase()
    parts.push(Buffer.from(`${'0'.repeat(random.below(3))}${digits}\r\n`), data, Buffer.from('\r\n'))
    at += data.length
  }
  parts.push(Buffer.from(`${'0'.repeat(random.between(1, 3))}\r\n\r\n`))
  return { body, wire: Buffer.concat(parts) }
}

/** Sends bytes in packets of random sizes, often with a turn of the event loop between them. */
async function scatter(random: Random, client: RawClient, bytes: Buffer): Promise<void> {
  const fine = bytes.length < 3000
  for (let at = 0; at < bytes.length; ) {
    const length = fine || random.chance(30) ? random.between(1, 60) : random.between(1, 200_000)
    const sent = client.send(bytes.subarray(at, at + length))
    at += length
    if (random.chance(40)) await sent
    if (random.chance(60)) await turn()
  }
}

const seed = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const ROUNDS = 30

for (const tls of [false, true]) {
  for (const [i, shape] of (Object.keys(SHAPES) as Shape[]).entries()) {
    t.test(
      `${tls ? 'TLS' : 'plain'}, ${shape}: every byte arrives, and the connections serve the next request`,
      async (t) => {
        const gateway = await startGateway(t, {}, { tls })
        const random = new Random(seed + i)
        const receiver = await gateway.connect()
        const sender = await gateway.connect()
        let heard = 0
        let told = 0
        for (let round = 0; round < ROUNDS; round++) {
          const name = `${shape}-${round}`
          const { body, wire } = chunked(random, shape, random.chance(30) ? 200 : shape === 'bytes' ? 20_000 : MIB)
          await receiver.send(`GET /${name} HTTP/1.1\r\nHost: x\r\n\r\n`)
          const head = `PUT /${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`
          // uWebSockets answers a request line that comes in pieces with 505, so that is left whole.
          const first = random.below(Math.min(60, wire.length))
          await sender.send(Buffer.concat([Buffer.from(head), wire.subarray(0, first)]))
          await scatter(random, sender, wire.subarray(first))
          const download = await receiver.waitForResponse({ from: heard })
          const upload = await sender.waitForResponse({ from: told })
          heard += download.end
          told += upload.end
          const fine = download.body.equals(body) && upload.body.toString().endsWith('Transfer complete.\n')
          if (!fine) t.fail(`seed ${seed + i}, round ${round}: ${download.body.length} of ${body.length} bytes`)
        }
        t.pass(`${ROUNDS} bodies from seed ${seed + i}`)
        receiver.destroy()
        sender.destroy()
      },
    )
  }
}

t.test('a sender of one-byte chunks does not slow down others', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect({ keep: false })
  await receiver.send('GET /crumbs HTTP/1.1\r\nHost: x\r\n\r\n')
  const sender = await gateway.connect()
  await sender.send('PUT /crumbs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  await sender.waitFor('Streaming to 1')
  const crumbs = Buffer.from('1\r\nx\r\n'.repeat(MIB))
  const sent = sender.send(crumbs)
  const before = performance.eventLoopUtilization()
  await sent
  await eventually(() => gateway.gateway.table.get('crumbs')?.bytesOut === MIB || 'the crumbs are still coming')
  const { active } = performance.eventLoopUtilization(before)
  // One callback for each of a million chunks takes the gateway more than a second.
  t.ok(active < 500, `a million chunks kept the event loop busy for ${Math.round(active)} ms`)
  sender.destroy()
  await receiver.waitForClose()
})
