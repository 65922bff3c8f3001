/** Duplex pipes where the native helper is off: a half-close arrives late, and a WebSocket cannot be held. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { eventually } from '../../support/eventually.js'
import { type Program, startProgram } from '../../support/program.js'
import { connect } from '../../support/raw.js'
import { chunk, Peer } from './duplex/rig.js'

const MIB = 1024 * 1024

const start = (t: Test) => startProgram(t, ['--socket-helper=no', '--log-level=trace'])

async function joins({ port }: Program): Promise<Peer> {
  const raw = await connect({ port })
  await raw.send('PUT /d?duplex HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  return new Peer(raw)
}

async function opens(t: Test, { port }: Program): Promise<WebSocket> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/d?ws`, { perMessageDeflate: false })
  t.teardown(() => ws.terminate())
  await once(ws, 'open')
  return ws
}

const reasons = (program: Program) => program.logged('transfer').map(({ reason }) => reason)

t.test('two peers over HTTP: a half-close comes when the request of its hearer is over too', async (t) => {
  const program = await start(t)
  const [one, another] = [await joins(program), await joins(program)]
  await one.say('a')
  await another.hears('a')
  await another.say('b')
  await one.hears('b')
  await one.end()
  await another.say('c')
  await one.hears('bc')
  t.equal(another.heardAll, false, 'it has not been told')
  await another.end()
  await another.hearsTheEnd()
  await one.hearsTheEnd()
  await eventually(() => reasons(program).length === 2 || 'not over')
  t.same(reasons(program), ['complete', 'complete'])
})

t.test('much both ways, and one that dies is no end', async (t) => {
  const program = await start(t)
  const [one, another] = [await joins(program), await joins(program)]
  const [a, b] = [randomBytes(8 * MIB), randomBytes(9 * MIB)]
  for (const [peer, words] of [
    [one, a],
    [another, b],
  ] as const) {
    for (let at = 0; at < words.length; at += MIB) void peer.say(words.subarray(at, at + MIB))
    if (peer === one) void peer.end()
  }
  await eventually(() => one.heard.length === b.length || `${one.heard.length}`)
  await eventually(() => another.heard.length === a.length || `${another.heard.length}`)
  t.equal(one.heard, b.toString('latin1'))
  t.equal(another.heard, a.toString('latin1'))
  another.raw.destroy()
  await one.isCut()
})

t.test('WebSockets: what they say goes both ways, and an end has its code', async (t) => {
  const program = await start(t)
  const [one, another] = [await opens(t, program), await opens(t, program)]
  for (const [from, to] of [
    [one, another],
    [another, one],
  ] as const) {
    const heard = once(to, 'message')
    from.send('a word')
    t.match(await heard, [Buffer.from('a word'), false])
  }
  const closed = once(another, 'close')
  one.close(4000, 'enough')
  t.match(await closed, [4000, Buffer.from('enough')])
})

t.test(
  'a fast WebSocket whose partner does not read: 1013 within bounded memory, and the partner is told',
  async (t) => {
    const program = await start(t)
    const [fast, slow] = [await opens(t, program), await opens(t, program)]
    const messages: Buffer[] = []
    slow.on('message', (message: Buffer) => messages.push(message))
    const [fastClosed, slowClosed] = [once(fast, 'close'), once(slow, 'close')]
    slow.pause()
    const before = residentBytes(program)
    let [sent, isOver] = [0, false]
    fast.on('close', () => {
      isOver = true
    })
    while (!isOver && sent < 400) {
      const message = Buffer.alloc(MIB, 'x')
      message.writeUInt32BE(sent++)
      await Promise.race([new Promise((resolve) => fast.send(message, resolve)), fastClosed])
      // What the kernel takes at once resolves at once: without this nothing would be read here.
      await nextTurn()
    }
    t.match(await fastClosed, [1013, /has not taken what came before/])
    t.ok(residentBytes(program) - before < 96 * MIB, `${(residentBytes(program) - before) / MIB} MiB`)
    slow.resume()
    t.match(await slowClosed, [1013, /has not taken/])
    t.ok(messages.length > 0 && messages.length < sent, `${messages.length} of ${sent}`)
    t.ok(
      messages.every((each, i) => each.length === MIB && each.readUInt32BE() === i),
      'whole messages, in their order',
    )
  },
)

function residentBytes({ pid }: Program): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

t.test('an end that comes with the last bytes', async (t) => {
  const program = await start(t)
  for (let round = 0; round < 10; round++) {
    const [one, another] = [await joins(program), await joins(program)]
    const words = randomBytes(1 + round * 100_000)
    void one.raw.send(Buffer.concat([chunk(words), Buffer.from('0\r\n\r\n')]))
    void another.end()
    await Promise.all([one.hearsTheEnd(), another.hearsTheEnd()])
    t.equal(another.heard, words.toString('latin1'))
    for (const each of [one, another]) each.raw.destroy()
    await eventually(() => reasons(program).length === 2 * (round + 1) || 'not over')
  }
})
