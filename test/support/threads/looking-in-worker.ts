/** Asks threads of gateways what they have, while the test waits. */
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { parentPort, workerData } from 'node:worker_threads'
import { ANSWER_BYTES, HEAD_BYTES, type Look, type Question } from './looking-in.js'

const { memory, path } = workerData as { memory: SharedArrayBuffer; path: string }
const threads = new Map<string, Set<Socket>>()
const ends = new Map<string, Look[]>()
let waiting: { readonly missing: Set<Socket>; readonly looks: Look[] } | undefined

const server = createServer((socket) => {
  let gateway = ''
  const gone = () => {
    threads.get(gateway)?.delete(socket)
    answered(socket)
  }
  socket.on('error', () => {}).on('close', gone)
  createInterface({ input: socket }).on('line', (line) => {
    const said = JSON.parse(line) as { gateway?: string; look?: Look; end?: Look }
    if (said.gateway !== undefined) {
      gateway = said.gateway
      threads.set(gateway, (threads.get(gateway) ?? new Set()).add(socket))
      socket.write('?\n')
    }
    if (said.end !== undefined) ends.set(gateway, [...(ends.get(gateway) ?? []), said.end])
    if (said.look !== undefined) answered(socket, said.look)
  })
})

function answered(socket: Socket, look?: Look): void {
  if (!waiting?.missing.delete(socket)) return
  if (look !== undefined) waiting.looks.push(look)
  if (waiting.missing.size === 0) tell(waiting.looks)
}

function tell(looks: readonly Look[]): void {
  waiting = undefined
  const octets = Buffer.from(JSON.stringify(looks))
  if (octets.length > ANSWER_BYTES) throw new Error(`an answer of ${octets.length} bytes`)
  new Uint8Array(memory, HEAD_BYTES).set(octets)
  const head = new Int32Array(memory, 0, 2)
  Atomics.store(head, 1, octets.length)
  Atomics.store(head, 0, 1)
  Atomics.notify(head, 0)
}

server.listen(path, () => {
  parentPort!.on('message', ({ gateway, isOver }: Question) => {
    if (isOver) return tell(ends.get(gateway) ?? [])
    const missing = new Set(threads.get(gateway))
    if (missing.size === 0) return tell([])
    waiting = { missing, looks: [] }
    for (const socket of missing) socket.write('?\n')
  })
})
