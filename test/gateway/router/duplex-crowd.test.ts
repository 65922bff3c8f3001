/** Many pairs of WebSockets, half of them with a peer that reads slowly: what is held is bounded, and the others do not notice. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { eventually } from '../../support/eventually.js'
import { startProgram } from '../../support/program.js'
import { amount } from '../../support/thorough.js'

const MIB = 1024 * 1024
const PAIRS = amount(80, 1000)
const MEMORY = amount(48, 256) * MIB
/** Each sender to a slow peer says so much, in messages of a MiB, which is more than what sockets and window hold. */
const SAID = amount(20, 32)
const MEASURED_MS = amount(1500, 20_000)

/** What they were closed with. */
const closed = new Map<WebSocket, string>()

async function opens(t: Test, url: string): Promise<WebSocket> {
  const ws = new WebSocket(url, { perMessageDeflate: false })
  t.teardown(() => ws.terminate())
  ws.on('error', () => {})
  ws.on('close', (code, reason) => closed.set(ws, `${code} ${reason}`))
  await once(ws, 'open')
  return ws
}

/** Reads a little ten times a second. */
function readsSlowly(ws: WebSocket, t: Test): { readonly stop: () => void; bytes: number; messages: number } {
  const socket = (ws as unknown as { readonly _socket: Socket })._socket
  const seen = { bytes: 0, messages: 0, stop: () => clearInterval(timer) }
  socket.on('data', ({ length }) => {
    seen.bytes += length
    socket.pause()
  })
  ws.on('message', () => seen.messages++)
  const timer = setInterval(() => socket.resume(), 100)
  t.teardown(seen.stop)
  return seen
}

t.test(`${PAIRS} pairs`, { timeout: 300_000 }, async (t) => {
  const program = await startProgram(t, ['--memory', `${MEMORY}`, '--max-waiting', '5000'])
  const { port } = program
  const url = (name: string) => `ws://127.0.0.1:${port}/${name}?ws`
  const body = randomBytes(MIB)
  const slow: { readonly from: WebSocket; readonly to: WebSocket; readonly seen: ReturnType<typeof readsSlowly> }[] = []
  const quick: WebSocket[] = []
  for (let i = 0; i < PAIRS; i++) {
    const [one, another] = [await opens(t, url(`p${i}`)), await opens(t, url(`p${i}`))]
    if (i % 2 === 0) {
      slow.push({ from: one, to: another, seen: readsSlowly(another, t) })
    } else {
      another.on('message', (data: Buffer) => another.send(data))
      quick.push(one)
    }
  }
  for (const { from } of slow) for (let k = 0; k < SAID; k++) from.send(body)
  await eventually(() => slow.every(({ seen }) => seen.bytes > 0) || 'some have heard nothing', { timeoutMs: 60_000 })
  let most = 0
  const heldBytes = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/pipe/health`)
    const { heldBytes } = (await response.json()) as { readonly heldBytes: number }
    most = Math.max(most, heldBytes)
    return heldBytes
  }
  const times: number[] = []
  const until = performance.now() + MEASURED_MS
  while (performance.now() < until) {
    await heldBytes()
    for (const each of quick) {
      const at = performance.now()
      each.send('ping')
      await once(each, 'message')
      times.push(performance.now() - at)
    }
  }
  times.sort((a, b) => a - b)
  const [p50, p99] = [times[times.length >> 1]!, times[Math.floor(times.length * 0.99)]!]
  t.comment(`${times.length} answers: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms; held ${most} bytes at most`)
  t.ok(most > MIB, 'senders are ahead of their readers')
  t.ok(most <= MEMORY, `${most} bytes held`)
  t.ok(
    slow.some(({ from }) => from.bufferedAmount > 0),
    'senders are held back',
  )
  // On a machine that has much else to do. What it is on a quiet one is in docs/performance.md.
  t.ok(p99 < 1000, `p99 ${p99} ms`)
  for (const { seen, to } of slow) {
    seen.stop()
    const socket = (to as unknown as { readonly _socket: Socket })._socket
    socket.removeAllListeners('pause')
    socket.pause = () => socket
    socket.resume()
  }
  await eventually(
    () => {
      const missing = slow.filter(({ seen }) => seen.messages < SAID)
      const [first] = missing
      return (
        first === undefined ||
        `${missing.length} have not heard everything, ${first.seen.messages} of ${SAID}: ${closed.get(first.to)}`
      )
    },
    { timeoutMs: 120_000 },
  )
  for (const { from } of slow) from.close()
  for (const each of quick) each.close()
  await eventually(async () => {
    const held = await heldBytes()
    return held === 0 || `${held} bytes are held`
  })
})
