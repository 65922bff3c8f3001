/** The other side of `--via ws`, as docs/forward.md describes it: a WebSocket with bytes of the test instead of a connection. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { eventually } from '../../support/eventually.js'
import { Forward, Peer, startService } from './rig.js'

const FRAME = 65_536
const WINDOW = 1_048_576

export class HoodyPeer {
  readonly chunks: Buffer[] = []
  bytes = 0
  hellos = 0
  isEnded = false
  closed: { readonly code: number; readonly reason: string } | undefined
  /** Units that it has sent, and those that were acknowledged. */
  sent = 0
  acked = 0
  /** Units that it owes. */
  owed = 0
  /** Whether it acknowledges what comes. */
  acknowledges = true
  readonly #waiting: (Buffer | 'fin')[] = []

  constructor(readonly ws: WebSocket) {
    ws.on('error', () => {})
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    ws.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#frame(data)
      else this.#control(JSON.parse(data.toString()))
    })
  }

  get read(): Buffer {
    return Buffer.concat(this.chunks)
  }

  tell(control: object): void {
    this.ws.send(JSON.stringify(control))
  }

  hello(v = 1): void {
    this.tell({ t: 'hello', v })
  }

  say(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += FRAME) this.#waiting.push(bytes.subarray(at, at + FRAME))
    this.#go()
  }

  fin(): void {
    this.#waiting.push('fin')
    this.#go()
  }

  acknowledge(): void {
    if (this.owed > 0) this.tell({ t: 'ack', n: this.owed })
    this.owed = 0
  }

  async isClosed(code: number, reason: RegExp | string, t: Test): Promise<void> {
    await eventually(() => this.closed !== undefined || 'it is open')
    t.match(this.closed, { code, reason })
  }

  #frame(data: Buffer): void {
    this.chunks.push(data)
    this.bytes += data.length
    this.owed += data.length + 64
    if (this.acknowledges && this.owed >= 262_144) this.acknowledge()
  }

  #control({ t, n = 0 }: { readonly t: string; readonly n?: number }): void {
    if (t === 'hello') this.hellos++
    if (t === 'ack') this.acked += n
    if (t === 'fin') {
      this.isEnded = true
      if (this.acknowledges) this.acknowledge()
    }
    this.#go()
  }

  #go(): void {
    for (let next = this.#waiting[0]; this.hellos > 0 && next !== undefined; next = this.#waiting[0]) {
      if (next === 'fin') this.tell({ t: 'fin' })
      else {
        if (this.sent - this.acked + next.length + 64 > WINDOW) return
        this.sent += next.length + 64
        this.ws.send(next)
      }
      this.#waiting.shift()
    }
  }
}

/** A peer on this name, whose WebSocket is open. */
export async function joins(t: Test, server: string, name: string): Promise<HoodyPeer> {
  const ws = new WebSocket(`${server.replace(/^http/, 'ws')}/${name}?ws`, { perMessageDeflate: false })
  t.teardown(() => ws.terminate())
  const peer = new HoodyPeer(ws)
  await once(ws, 'open')
  return peer
}

/** A forward to a service, and what the service gets. */
export async function connects(t: Test, server: string, name: string, onSocket: (socket: Socket) => void) {
  const fars: Peer[] = []
  const target = await startService(t, (socket) => {
    fars.push(new Peer(socket))
    onSocket(socket)
  })
  const forward = new Forward(t, ['--via', 'ws', '--connect', `${target}`, name], { server })
  await forward.tells('way')
  const far = async () => {
    await eventually(() => fars.length > 0 || `nobody was connected to the service: ${forward.text}`)
    return fars.shift()!
  }
  return { forward, far }
}

export async function listens(t: Test, server: string, name: string) {
  const forward = new Forward(t, ['--via', 'ws', '--listen', '0', name], { server })
  return { forward, port: await forward.port() }
}
