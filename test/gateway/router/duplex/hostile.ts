/** Peers that want to hurt the other one, or to make what is cut look whole. */
import { randomBytes } from 'node:crypto'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { amount } from '../../../support/thorough.js'
import { BINARY, CLOSE, CONTINUATION, closeFrame, frame, handshake, opensRaw, PING, PONG, TEXT } from './raw-socket.js'
import { chunk, joins, LAST, nothingLeft, Peer, pair, part, peers } from './rig.js'

const EURO = Buffer.from('€')

part('frames cut at every byte, with control frames between fragments and characters cut in two', async (t) => {
  const gateway = await startGateway(t)
  const stream = Buffer.concat([
    frame(TEXT!, 'one'),
    frame(TEXT!, Buffer.concat([Buffer.from('a'), EURO.subarray(0, 1)]), { fin: false }),
    frame(PING!, 'are you there'),
    frame(CONTINUATION!, EURO.subarray(1, 2), { fin: false }),
    frame(CONTINUATION!, '', { fin: false }),
    frame(PONG!, 'nobody asked'),
    frame(CONTINUATION!, Buffer.concat([EURO.subarray(2), Buffer.from('b')])),
    frame(BINARY!, 'x'.repeat(200)),
    frame(TEXT!, ''),
  ])
  const wanted = ['one', 'a€b', 'x'.repeat(200), '']
  const [one, another] = [await opensRaw(gateway), await opensRaw(gateway)]
  for (let cut = 0; cut <= stream.length; cut++) {
    await one.raw.send(stream.subarray(0, cut))
    await new Promise(setImmediate)
    await one.raw.send(stream.subarray(cut))
  }
  for (const octet of stream) {
    await one.raw.send(Buffer.of(octet))
    await new Promise(setImmediate)
  }
  await another.hears(...Array.from({ length: stream.length + 2 }, () => wanted).flat())
  await one.raw.send(closeFrame(1000))
  t.equal(await another.isClosed(), 1000)
  await another.raw.send(closeFrame(1000))
  await nothingLeft(gateway)
})

/** What RFC 6455 forbids. Behind it stands a message that nobody may hear. */
const FORBIDDEN: Readonly<Record<string, readonly Buffer[]>> = {
  'no mask': [frame(TEXT!, 'hello', { masked: false })],
  'a reserved bit': [frame(TEXT!, 'hello', { rsv: 4 })],
  'another reserved bit': [frame(BINARY!, 'hello', { rsv: 1 })],
  'a reserved opcode': [frame(3, 'hello')],
  'a reserved control opcode': [frame(11, 'hello')],
  'a continuation of nothing': [frame(CONTINUATION!, 'hello')],
  'a message within another': [frame(TEXT!, 'hel', { fin: false }), frame(TEXT!, 'lo')],
  'a ping in fragments': [frame(PING!, 'hello', { fin: false })],
  'a long ping': [frame(PING!, 'x'.repeat(126))],
  'text that is none': [frame(TEXT!, Buffer.of(0x61, 0xff))],
  'text that is cut in a character': [frame(TEXT!, EURO.subarray(0, 2))],
  'text that is none, over two fragments': [
    frame(TEXT!, EURO.subarray(0, 2), { fin: false }),
    frame(CONTINUATION!, 'x'),
  ],
  'a close code that means nothing': [closeFrame(999)],
  'a close code that is never sent': [closeFrame(1006)],
  'a close reason that is no text': [frame(CLOSE!, Buffer.of(0x0f, 0xa0, 0xff))],
  'a length of 63 bits': [frame(BINARY!, '', { length: 2n ** 62n })],
  'a length of 64 bits': [frame(BINARY!, '', { length: 2n ** 64n - 1n })],
}

for (const [what, frames] of Object.entries(FORBIDDEN)) {
  part(`${what}: an end for both, and no clean one`, async (t) => {
    const gateway = await startGateway(t)
    const [one, another] = [await opensRaw(gateway), await opensRaw(gateway)]
    await one.raw.send(Buffer.concat([frame(TEXT!, 'before'), ...frames, frame(TEXT!, 'behind')]))
    t.not(await another.isClosed(), 1000)
    t.not(another.code, 1005)
    t.same(another.messages, ['before'])
    await one.raw.waitForClose()
    await nothingLeft(gateway)
  })
}

part('the head of a large message, and nothing behind it: its memory is not taken, and it holds nobody', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = [await opensRaw(gateway), await opensRaw(gateway)]
  await one.raw.send(frame(BINARY!, '', { length: 1024n * 1024n }))
  await another.raw.send(frame(TEXT!, 'the other way is free'))
  await one.hears('the other way is free')
  t.ok(gateway.gateway.slabs.heldBytes < 2 * 1024 * 1024)
  one.raw.destroy()
  t.equal(await another.isClosed(), 1011)
  await nothingLeft(gateway)
})

part('100 000 tiny frames in one write', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = [await opensRaw(gateway), await opensRaw(gateway)]
  const count = amount(100_000, 1_000_000)
  await one.raw.send(Buffer.concat(Array.from({ length: count }, (_, i) => frame(TEXT!, `${i % 10}`))))
  await one.raw.send(closeFrame(4000))
  t.equal(await another.isClosed(), 4000)
  const { messages } = another
  t.equal(messages.length, count)
  t.ok(
    messages.every((each, i) => each === `${i % 10}`),
    'in their order',
  )
  await nothingLeft(gateway)
})

part('both close at once, one closes while it is held, and one says more behind its close', async (t) => {
  const gateway = await startGateway(t, { window: '256KiB' })
  for (let round = 0; round < 10; round++) {
    const [one, another] = [await opensRaw(gateway), await opensRaw(gateway)]
    await Promise.all([one.raw.send(closeFrame(1000)), another.raw.send(closeFrame(4001))])
    for (const each of [one, another]) t.ok([1000, 4001].includes(await each.isClosed()), `${each.code}`)
    await nothingLeft(gateway)
  }
  const [one, another] = [await opensRaw(gateway), await opensRaw(gateway)]
  another.raw.pause()
  const message = 'x'.repeat(1_000_000)
  const count = 24
  for (let i = 0; i < count; i++) void one.raw.send(Buffer.concat([frame(BINARY!, message), frame(PING!, `${i}`)]))
  void one.raw.send(Buffer.concat([closeFrame(4000, 'at last'), frame(TEXT!, 'behind the end')]))
  await eventually(() => gateway.gateway.slabs.heldBytes > 200_000 || 'it is not held')
  another.raw.resume()
  t.equal(await another.isClosed(), 4000)
  const { messages } = another
  t.equal(messages.length, count)
  t.ok(messages.every((each) => each === message))
  t.same(
    one.frames.filter(({ opcode }) => opcode === PONG).map(({ body }) => body.toString()),
    Array.from({ length: count }, (_, i) => `${i}`),
  )
  await nothingLeft(gateway)
})

part('one that goes during its handshake, and right behind it', async (t) => {
  const gateway = await startGateway(t)
  const text = handshake()
  for (const at of [1, 20, text.length - 1, text.length]) {
    const raw = await gateway.connect()
    await raw.send(text.slice(0, at))
    raw.reset()
    await nothingLeft(gateway)
  }
  const waits = await opensRaw(gateway)
  await peers(gateway, 1)
  const raw = await gateway.connect()
  await raw.send(text)
  await raw.waitFor('101')
  raw.reset()
  t.equal(await waits.isClosed(), 1011)
  await nothingLeft(gateway)
})

part('what comes with the handshake in one packet is heard', async (t) => {
  const gateway = await startGateway(t)
  const another = await opensRaw(gateway)
  const raw = await gateway.connect()
  await raw.send(Buffer.concat([Buffer.from(handshake()), frame(TEXT!, 'at once'), closeFrame(4002)]))
  await another.hears('at once')
  t.equal(await another.isClosed(), 4002)
  await nothingLeft(gateway)
})

part('HTTP: a peer that closes its side behind its body hears the rest', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await pair(gateway)
  await one.say('all I have')
  await one.end()
  if (!gateway.tls) one.raw.halfClose()
  await another.hearsTheEnd()
  const words = randomBytes(3_000_000)
  await another.say(words)
  await another.end()
  await one.hearsTheEnd()
  t.equal(one.heard, words.toString('latin1'))
  await nothingLeft(gateway)
})

part('HTTP: a peer that closes its side behind its body, and is gone', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await pair(gateway)
  await one.end()
  await another.hearsTheEnd()
  one.raw.destroy()
  await another.raw.waitForClose()
  t.match(await gateway.ended('d', 2), 'receivers_left')
  await nothingLeft(gateway)
})

part('half a close code counts as none', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = [await opensRaw(gateway), await opensRaw(gateway)]
  await one.raw.send(Buffer.concat([frame(TEXT!, 'before'), frame(CLOSE!, 'x'), frame(TEXT!, 'behind')]))
  t.equal(await another.isClosed(), 1000)
  t.same(another.messages, ['before'])
  await nothingLeft(gateway)
})

for (const [what, bytes] of [
  ['a broken chunk', 'zz\r\n'],
  ['a chunk that is longer than it says', '3\r\nabcdef\r\n'],
  ['a size without an end', `5${';x'.repeat(20_000)}`],
  ['trailers without an end', `0\r\n${'a: b\r\n'.repeat(4000)}`],
] as const) {
  part(`HTTP: ${what} behind a half-close of the other one cuts both`, async (t) => {
    const gateway = await startGateway(t)
    const [one, another] = await pair(gateway)
    await another.end()
    await one.hearsTheEnd()
    await one.say('before')
    await another.hears('before')
    await one.raw.send(bytes)
    await another.isCut()
    await nothingLeft(gateway)
  })
}

part('HTTP: trailers, and a request that waits behind the peer', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await pair(gateway)
  await one.raw.send(`${chunk('words')}0\r\nX-Trailer: 1\r\n\r\nGET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n`)
  await another.hearsTheEnd()
  t.equal(another.heard, 'words')
  await another.say('more')
  await one.hears('more')
  t.notMatch(one.raw.text, '"status"', 'the response behind it waits')
  await another.end()
  await one.raw.waitFor('"status"')
  await nothingLeft(gateway)
})

part('HTTP: one that asks first is invited when it has a partner, or before', async (t) => {
  const gateway = await startGateway(t)
  const one = await joins(gateway, 'd?duplex', 'Expect: 100-continue')
  await peers(gateway, 1)
  const another = await joins(gateway, 'd?duplex', 'Expect: 100-continue')
  for (const each of [one, another]) await each.raw.waitFor(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
  await one.say('a')
  await eventually(() => /\r\n1\r\na(\r\n)?$/.test(another.raw.text) || another.raw.text)
  await one.end()
  await another.end()
  for (const each of [one, another]) await eventually(() => each.raw.text.endsWith(LAST) || each.raw.text)
  await nothingLeft(gateway)
})

part('HTTP/1.0: a peer whose response ends with its connection', async (t) => {
  const gateway = await startGateway(t)
  for (const isCut of [false, true]) {
    const raw = await gateway.connect()
    await raw.send('PUT /d?duplex HTTP/1.0\r\nHost: x\r\nContent-Length: 5\r\n\r\nwords')
    await peers(gateway, 1)
    const another = await joins(gateway)
    await another.hearsTheEnd()
    t.equal(another.heard, 'words')
    await another.say('answer')
    await raw.waitFor(/\r\n\r\nanswer$/)
    if (isCut) another.raw.reset()
    else await another.end()
    await raw.waitForClose()
    if (!gateway.tls) t.equal(raw.endedCleanly, !isCut, 'a cut is a reset')
    await nothingLeft(gateway)
  }
})

part('a peer that reads a little now and then, with a fast partner: bounded, and others are not held up', async (t) => {
  const gateway = await startGateway(t, { window: '256KiB' })
  const [slow, fast] = await pair(gateway)
  slow.raw.pause()
  let isOver = false
  const piece = chunk(Buffer.alloc(64 * 1024, 'x'))
  const pump = (async () => {
    while (!isOver) await fast.raw.send(piece)
  })()
  let most = 0
  for (let i = 0; i < 20; i++) {
    const raw = await gateway.connect()
    await raw.send('GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n')
    await raw.waitForResponse()
    raw.destroy()
    slow.raw.resume()
    await new Promise(setImmediate)
    slow.raw.pause()
    most = Math.max(most, gateway.gateway.slabs.heldBytes)
  }
  t.ok(most <= 1024 * 1024, `${most} bytes held`)
  isOver = true
  slow.raw.destroy()
  await fast.raw.waitForClose()
  await pump
  await nothingLeft(gateway)
})

part('a third that hammers on a pair disturbs nobody', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = [new Peer((await joins(gateway)).raw), await opensRaw(gateway)]
  for (let i = 0; i < 50; i++) {
    const raw = await gateway.connect()
    await raw.send(i % 2 === 0 ? handshake() : 'PUT /d?duplex HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n')
    await raw.waitFor(/^HTTP\/1\.1 409 /)
    raw.reset()
  }
  await one.say('undisturbed')
  await another.hears('undisturbed')
  await one.end()
  t.equal(await another.isClosed(), 1000)
  await another.raw.send(closeFrame(1000))
  await one.hearsTheEnd()
  await nothingLeft(gateway)
})
