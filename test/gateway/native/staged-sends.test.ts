/** What many receivers get of one read without a copy for each: every byte, for whoever is slow, stops, or dies meanwhile. */

import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { nativeHelper } from '../../../gateway/native/helper.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'

const MIB = 1024 * 1024
const helper = nativeHelper() as { stageFrom(sends: number): void; sentStaged(): number }

/** What the tests of the whole gateway have: more receivers than that take part at once. */
const FROM = 3

type Habit = 'fast' | 'slow' | 'stops' | 'dies' | 'HTTP/1.0'

interface Receiver {
  readonly habit: Habit
  readonly socket: Socket
  /** Of the body. */
  readonly hash: ReturnType<typeof createHash>
  bytes: number
  isOver: boolean
}

function receive(port: number, name: string, n: number, habit: Habit): Receiver {
  const socket = connect({ port, host: '127.0.0.1' })
  const receiver: Receiver = { habit, socket, hash: createHash('sha256'), bytes: 0, isOver: false }
  socket.write(`GET /${name}?n=${n} HTTP/1.${habit === 'HTTP/1.0' ? 0 : 1}\r\nHost: x\r\nConnection: close\r\n\r\n`)
  let head = ''
  socket.on('error', () => {}).on('close', () => (receiver.isOver = true))
  socket.on('data', (bytes: Buffer) => {
    let body = bytes
    if (!head.includes('\r\n\r\n')) {
      const before = head.length
      head += bytes.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      body = bytes.subarray(end + 4 - before)
    }
    receiver.hash.update(body)
    receiver.bytes += body.length
    if (habit === 'dies' && receiver.bytes > 3 * MIB) socket.resetAndDestroy()
    if (habit === 'slow') {
      socket.pause()
      setTimeout(() => socket.resume(), 1)
    }
    if (habit === 'stops' && receiver.bytes > 2 * MIB && receiver.bytes < 4 * MIB) {
      socket.pause()
      setTimeout(() => socket.resume(), 300)
    }
  })
  return receiver
}

/** Sends as much as the gateway takes, in pieces of this size. */
async function upload(t: Test, port: number, name: string, body: Buffer, n: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  let answer = ''
  socket.on('data', (bytes) => (answer += bytes.toString()))
  socket.write(`PUT /${name}?n=${n} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`)
  socket.write(body)
  await new Promise((resolve) => socket.on('close', resolve))
  return answer
}

async function fanOut(t: Test, bytes: number, habits: readonly Habit[]) {
  const gateway = await startGateway(t)
  const body = randomBytes(bytes)
  const before = helper.sentStaged()
  const receivers = habits.map((habit) => receive(gateway.port, 'crowd', habits.length, habit))
  t.teardown(() => {
    for (const { socket } of receivers) socket.destroy()
  })
  const answer = await upload(t, gateway.port, 'crowd', body, habits.length)
  t.match(answer, /Transfer complete|left/, 'the sender knows')
  await eventually(() => receivers.every(({ isOver }) => isOver) || 'not all are over', { timeoutMs: 60_000 })
  const digest = createHash('sha256').update(body).digest('hex')
  for (const { habit, hash, bytes } of receivers) {
    if (habit === 'dies') t.ok(bytes < body.length, 'it died in the middle')
    else t.same([bytes, hash.digest('hex')], [body.length, digest], `every byte: ${habit}`)
  }
  return helper.sentStaged() - before
}

t.beforeEach(() => helper.stageFrom(FROM))

const crowd = (...groups: readonly (readonly [number, Habit])[]): Habit[] =>
  groups.flatMap(([count, habit]) => new Array<Habit>(count).fill(habit))

t.test('receivers that keep up', async (t) => {
  const staged = await fanOut(t, 64 * MIB, crowd([6, 'fast']))
  t.ok(staged > 64 * MIB, `${staged} bytes were not copied`)
})

t.test('receivers of all kinds', async (t) => {
  const habits = crowd([6, 'fast'], [2, 'slow'], [2, 'stops'], [2, 'dies'], [2, 'HTTP/1.0'])
  const staged = await fanOut(t, 48 * MIB, habits)
  t.ok(staged > 0, `${staged} bytes were not copied`)
})

t.test('a crowd, of which not all are served at once', async (t) => {
  const staged = await fanOut(t, 16 * MIB, crowd([70, 'fast'], [5, 'slow'], [5, 'dies']))
  t.ok(staged > 0, `${staged} bytes were not copied`)
})

t.test('fewer receivers than it pays for: all is copied', async (t) => {
  t.equal(await fanOut(t, 16 * MIB, crowd([FROM - 1, 'fast'])), 0)
})

t.test('off', async (t) => {
  helper.stageFrom(0)
  t.equal(await fanOut(t, 16 * MIB, crowd([6, 'fast'])), 0)
})
