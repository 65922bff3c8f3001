/** What many receivers get of one read without a copy for each: every byte, for whoever is slow, stops, or dies meanwhile. */

import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { PipeTable } from '../../../core/index.js'
import { nativeHelper } from '../../../gateway/native/helper.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { ResponseReader } from '../../support/response-reader.js'
import { amount } from '../../support/thorough.js'

t.setTimeout(200_000)

const MIB = 1024 * 1024
const helper = nativeHelper() as { stageFrom(sends: number): void; sentStaged(): number }

/** What the tests of the whole gateway have: more receivers than that take part at once. */
const FROM = 3

/** A length, or the sizes of chunks, by turns. */
type Framing = 'length' | readonly number[]

type Habit = 'fast' | 'slow' | 'stops' | 'dies' | 'HTTP/1.0'

interface Receiver {
  readonly habit: Habit
  readonly socket: Socket
  readonly reader: ResponseReader
  /** The first byte that is not what was sent. */
  wrongAt: number | undefined
  isOver: boolean
}

function receive(port: number, n: number, habit: Habit, body: Buffer, stopped: Promise<void>): Receiver {
  const socket = connect({ port, host: '127.0.0.1' })
  const compare = (bytes: Buffer, offset: number) => {
    if (!body.subarray(offset, offset + bytes.length).equals(bytes)) receiver.wrongAt ??= offset
  }
  const reader = new ResponseReader(compare, habit === 'HTTP/1.0')
  const receiver: Receiver = { habit, socket, reader, wrongAt: undefined, isOver: false }
  socket.write(`GET /crowd?n=${n} HTTP/1.${habit === 'HTTP/1.0' ? 0 : 1}\r\nHost: x\r\nConnection: close\r\n\r\n`)
  let pauses = 0
  socket.on('error', () => {}).on('close', () => (receiver.isOver = true))
  socket.on('end', () => reader.ended())
  socket.on('data', (bytes: Buffer) => {
    reader.push(bytes)
    const { bodyBytes } = reader
    if (habit === 'dies' && bodyBytes > 3 * MIB) socket.resetAndDestroy()
    if (habit === 'slow' && bodyBytes > pauses * MIB) {
      pauses++
      socket.pause()
      setTimeout(() => socket.resume(), 5)
    }
    // Whoever has not read yet has a small window, so that it is soon full.
    if (habit === 'stops' && pauses++ === 0) {
      socket.pause()
      void stopped.then(() => socket.resume())
    }
  })
  return receiver
}

function framed(body: Buffer, sizes: readonly number[]): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0, i = 0; at < body.length; i++) {
    const data = body.subarray(at, at + sizes[i % sizes.length]!)
    pieces.push(Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n'))
    at += data.length
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')])
}

/** Sends as much as the gateway takes. Returns what it answers. */
async function upload(t: Test, port: number, body: Buffer, framing: Framing, n: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  let answer = ''
  socket.on('data', (bytes) => (answer += bytes.toString()))
  const how = framing === 'length' ? `Content-Length: ${body.length}` : 'Transfer-Encoding: chunked'
  socket.write(`PUT /crowd?n=${n} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${how}\r\n\r\n`)
  socket.write(framing === 'length' ? body : framed(body, framing))
  await new Promise((resolve) => socket.on('close', resolve))
  return answer
}

/** Resolves when the source is held back by those that have stopped. */
async function heldBack(table: PipeTable, hasStopped: boolean): Promise<void> {
  let before = -1
  await eventually(
    () => {
      const bytesIn = table.get('crowd')?.bytesIn ?? 0
      const isHeld = bytesIn > 2 * MIB && bytesIn === before
      before = bytesIn
      return !hasStopped || isHeld || 'it flows'
    },
    { everyMs: 100 },
  )
}

async function fanOut(t: Test, bytes: number, habits: readonly Habit[], framing: Framing = 'length') {
  const gateway = await startGateway(t)
  const body = randomBytes(bytes)
  const before = helper.sentStaged()
  let goOn = () => {}
  const stopped = new Promise<void>((resolve) => (goOn = resolve))
  const receivers = habits.map((habit) => receive(gateway.port, habits.length, habit, body, stopped))
  t.teardown(() => {
    for (const { socket } of receivers) socket.destroy()
  })
  const uploaded = upload(t, gateway.port, body, framing, habits.length)
  await heldBack(gateway.gateway.table, habits.includes('stops'))
  goOn()
  t.match(await uploaded, /Transfer complete|left/, 'the sender knows')
  await eventually(() => receivers.every(({ isOver }) => isOver) || 'not all are over', { timeoutMs: 60_000 })
  for (const { habit, reader, wrongAt } of receivers) {
    if (habit === 'dies') t.same([wrongAt, reader.complete], [undefined, false], 'it died in the middle')
    else t.same([wrongAt, reader.bodyBytes, reader.complete], [undefined, body.length, true], `every byte: ${habit}`)
  }
  return helper.sentStaged() - before
}

t.beforeEach(() => helper.stageFrom(FROM))

const crowd = (...groups: readonly (readonly [number, Habit])[]): Habit[] =>
  groups.flatMap(([count, habit]) => new Array<Habit>(count).fill(habit))

const KINDS = crowd([6, 'fast'], [2, 'slow'], [2, 'stops'], [2, 'dies'], [2, 'HTTP/1.0'])
const CROWD = crowd([amount(12, 50), 'fast'], [2, 'slow'], [3, 'stops'], [3, 'dies'])
const FRAMINGS: readonly (readonly [string, Framing])[] = [
  ['a length', 'length'],
  ['chunks of 64 KiB', [65_536]],
  ['chunks of odd sizes that come again', [50_001]],
  ['chunks that are longer than a read', [3 * MIB]],
  // Reads in which not every chunk is what was expected are sent as they are otherwise.
  ['chunks of many sizes', [...new Array<number>(20).fill(65_536), 17, 65_536, 9000, 700_000, 65_536]],
]

for (const [what, framing] of FRAMINGS) {
  t.test(`${what}: receivers that keep up`, async (t) => {
    const staged = await fanOut(t, amount(12, 32) * MIB, crowd([6, 'fast']), framing)
    t.ok(staged > MIB, `${staged} bytes were not copied`)
  })

  t.test(`${what}: receivers of all kinds`, async (t) => {
    const staged = await fanOut(t, amount(12, 24) * MIB, KINDS, framing)
    t.ok(staged > 0, `${staged} bytes were not copied`)
  })

  t.test(`${what}: a crowd, of which not all are served at once`, async (t) => {
    const staged = await fanOut(t, amount(24, 64) * MIB, CROWD, framing)
    t.ok(staged > 0, `${staged} bytes were not copied`)
  })
}

t.test('fewer receivers than it pays for: all is copied', async (t) => {
  t.equal(await fanOut(t, 16 * MIB, crowd([FROM - 1, 'fast'])), 0)
})

t.test('off', async (t) => {
  helper.stageFrom(0)
  t.equal(await fanOut(t, 16 * MIB, crowd([6, 'fast'])), 0)
})
