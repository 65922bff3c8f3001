/**
 * The strict parser of native/reads.c, one byte at a time: what it must refuse, and what it must accept. Each body comes with
 * its head, right after it, and in two halves, because three different places of the helper read those.
 */

import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect, parseResponse, type RawClient } from '../../support/raw.js'

const HEALTH = 'GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n'

/**
 * Sends these packets as one request, each in a read of its own: an answer to somebody who asks after a packet tells that
 * the packet has been read, for whoever came first is read first.
 */
async function sendPackets(gateway: Running, sender: RawClient, packets: readonly string[]): Promise<void> {
  const witness = await connect({ port: gateway.port })
  for (const packet of packets) {
    await sender.send(Buffer.from(packet, 'latin1'))
    const from = witness.receivedBytes
    await witness.send(HEALTH)
    await witness.waitForResponse({ from })
  }
  witness.destroy()
}

const head = (name: string) => `PUT /${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`

/** The ways in which a body comes. The last one cuts it in its middle. */
function waysToCome(name: string, body: string): string[][] {
  const middle = Math.floor(body.length / 2)
  return [[head(name) + body], [head(name), body], [head(name), body.slice(0, middle), body.slice(middle)]]
}

const WAYS = waysToCome('', '').length
let names = 0

/** A receiver and a sender of one name, and what the sender sends. */
async function transfer(gateway: Running, packetsOf: (name: string) => readonly string[]) {
  const name = `native-${names++}`
  const receiver = await connect({ port: gateway.port })
  await receiver.send(`GET /${name} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await eventually(() => gateway.gateway.table.get(name) !== undefined || 'the receiver is not there')
  const sender = await connect({ port: gateway.port })
  await sendPackets(gateway, sender, packetsOf(name))
  return { name, receiver, sender }
}

/** What went wrong when this body was refused, in one of the ways to come. Undefined: nothing. */
async function takenForComplete(gateway: Running, body: string, way: number): Promise<string | undefined> {
  const { name, receiver, sender } = await transfer(gateway, (name) => waysToCome(name, body)[way]!)
  sender.halfClose()
  const reason = await gateway.ended(name)
  const response = () => (receiver.text.includes('\r\n\r\n') ? parseResponse(receiver.received) : undefined)
  await eventually(() => receiver.isClosed || response()?.complete === true || 'the receiver still hears nothing')
  const complete = response()?.status === 200 && response()?.complete
  receiver.destroy()
  sender.destroy()
  if (reason === 'complete' || complete) return `${JSON.stringify(body)}, way ${way}: ${reason}`
  return undefined
}

/** Bodies that must never look complete, all at once but for the number of connections. */
async function refused(gateway: Running, bodies: readonly string[]): Promise<string[]> {
  const wrong: string[] = []
  const cases = bodies.flatMap((body) => Array.from({ length: WAYS }, (_, way) => ({ body, way })))
  const work = async () => {
    for (let next = cases.pop(); next !== undefined; next = cases.pop()) {
      const problem = await takenForComplete(gateway, next.body, next.way)
      if (problem !== undefined) wrong.push(problem)
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return wrong
}

t.test('with one wrong byte anywhere in the framing the body never looks complete', async (t) => {
  const gateway = await startGateway(t)
  const body = '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  const bodies: string[] = []
  for (let i = 0; i < body.length; i++) {
    if (/[a-e]/.test(body[i]!)) continue
    for (const wrong of ['X', ' ', '\r', '\n', ';', '\0']) {
      if (wrong !== body[i]) bodies.push(body.slice(0, i) + wrong + body.slice(i + 1))
    }
  }
  t.same(await refused(gateway, bodies), [], `${bodies.length} bodies`)
})

t.test('nothing may come before the first size', async (t) => {
  const gateway = await startGateway(t)
  const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).filter((byte) => !/[0-9a-f]/i.test(byte))
  t.same(
    await refused(
      gateway,
      bytes.map((byte) => `${byte}3\r\nabc\r\n0\r\n\r\n`),
    ),
    [],
  )
})

t.test(
  'a size that is too large to count is refused, and one that overflows is not taken for a small one',
  async (t) => {
    const gateway = await startGateway(t)
    const sizes = [
      `${'0'.repeat(32)}3`,
      '20000000000000',
      '8000000000000003',
      '10000000000000003',
      'f0000000000000000000000000000003',
    ]
    const bodies = sizes.flatMap((size) => [`${size}\r\nabc\r\n0\r\n\r\n`, `1\r\nx\r\n${size}\r\nabc\r\n0\r\n\r\n`])
    t.same(await refused(gateway, bodies), [])
  },
)

t.test('the largest size is accepted, and so is a small one with many zeros, wherever it is cut', async (t) => {
  const gateway = await startGateway(t)
  const largest = await transfer(gateway, (name) => [head(name), '1\r\nx\r\n', '1fffffffffffff\r\nabc'])
  await largest.receiver.waitFor('abc')
  t.equal(gateway.gateway.table.get(largest.name)?.state, 'streaming')
  largest.sender.destroy()
  t.equal(await gateway.ended(largest.name), 'sender_left')
  largest.receiver.destroy()

  const body = `${'0'.repeat(31)}3\r\nabc\r\n${'0'.repeat(31)}2\r\nde\r\n${'0'.repeat(32)}\r\n\r\n`
  for (let cut = 0; cut < body.length; cut++) {
    const packets = (name: string) => [head(name) + body.slice(0, cut), body.slice(cut)]
    const { receiver, sender, name } = await transfer(gateway, packets)
    const reason = await gateway.ended(name)
    if (reason !== 'complete') t.fail(`cut at ${cut}: ${reason}`)
    else if ((await receiver.waitForResponse()).body.toString() !== 'abcde') t.fail(`cut at ${cut}: ${receiver.text}`)
    receiver.destroy()
    sender.destroy()
  }
})

t.test('what follows a body is read as a whole request, however the body ends', async (t) => {
  const gateway = await startGateway(t)
  const body = '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  const check = async (cut: number) => {
    const packets = (name: string) => [head(name) + body.slice(0, cut), body.slice(cut) + HEALTH]
    const { receiver, sender, name } = await transfer(gateway, packets)
    t.equal(await gateway.ended(name), 'complete', `cut at ${cut}`)
    t.equal((await receiver.waitForResponse()).body.toString(), 'abcde', `cut at ${cut}`)
    // The request is answered when the response before it is over; until then uWebSockets closes the connection for it.
    await eventually(() => sender.isClosed || sender.text.includes('heldBytes') || 'nobody has read the request')
    t.notMatch(sender.text, /HTTP\/1\.1 (?!200)/, `cut at ${cut}: it is a request`)
    receiver.destroy()
    sender.destroy()
  }
  await Promise.all(Array.from({ length: body.length + 1 }, (_, cut) => check(cut)))
})

t.test('a line break has to follow the last size, however late it comes', async (t) => {
  const gateway = await startGateway(t)
  const cases = ['3\r\nabc\r\n', ''].flatMap((data) => [
    ['', `${data}0\r\n`],
    [`${data}0\r\n`],
    ['', `${data}0\r\n`, '\r'],
    [`${data}0\r\n\r`],
  ])
  /** The head comes with the first of these packets. */
  const comes = ([first, ...more]: readonly string[], last: string) =>
    transfer(gateway, (name) => [head(name) + first, ...more, last])
  const check = async (packets: readonly string[]) => {
    const missing = packets.at(-1)!.endsWith('\r') ? '\n' : '\r\n'
    const { name, receiver, sender } = await comes(packets, missing + HEALTH)
    t.equal(await gateway.ended(name), 'complete', JSON.stringify(packets))
    await eventually(() => sender.isClosed || sender.text.includes('heldBytes') || 'nobody has read the request')
    receiver.destroy()
    sender.destroy()
    for (const wrong of ['', 'x', 'xx', '\r\r', '\n\r', '\n\n'].filter((each) => !each.startsWith(missing))) {
      const { receiver, sender } = await comes(packets, wrong + HEALTH)
      await sender.waitForClose()
      t.notMatch(sender.text, /heldBytes|HTTP\/1\.1 [^2]/, JSON.stringify([...packets, wrong]))
      receiver.destroy()
    }
  }
  await Promise.all(cases.map(check))
})

t.test('the end of a head is not taken for an empty body', async (t) => {
  const gateway = await startGateway(t)
  // The head is cut inside a value: what follows reads like the end of a body, but it is the end of the head.
  const packets = (name: string) => [`${head(name).slice(0, -2)}X: 1`, '0\r\n\r\n\r\n']
  const { name, receiver, sender } = await transfer(gateway, packets)
  sender.halfClose()
  t.not(await gateway.ended(name), 'complete')
  receiver.destroy()
  sender.destroy()
})
