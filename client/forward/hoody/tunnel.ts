import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { lost } from '../../wire/exchange.js'
import { ConnectionLost, refusal } from '../../wire/failures.js'
import { closing, SocketBroken, type Traffic } from '../carry.js'
import { endOnlyAtAnEnd } from '../honest-end.js'
import { NotPossible } from '../link/not-possible.js'
import { reset } from '../reset.js'
import { ProtocolBroken, readControl, VERSION, writeControl } from './control.js'
import { type Counterpart, NobodyCame } from './counterpart.js'
import { Inward } from './inward.js'
import { Outward } from './outward.js'

/** So often the server is asked whether it is there, in milliseconds: proxies cut what is silent for a minute. */
const PING_MS = 20_000
/** So long nothing at all has come from a server that is gone, in milliseconds. */
const DEAD_MS = 75_000

const WHOLE = 1000
const GOING = 1001
const NO_PEER = 4408
const LOCAL_LOST = 4001
const PROTOCOL = 4002

/** One connection over one pair of WebSockets, as version 1 of Hoody's `forwardTcp` has it. */
export class Tunnel implements Counterpart {
  readonly name = 'ws'
  readonly placed: Promise<void>
  readonly there: Promise<void>
  readonly over: Promise<void>
  #isThere = false
  #isOpen = false
  #setThere!: () => void
  /** Rejects when it has ended before both directions had. */
  readonly #broken: Promise<never>
  #break!: (error: Error) => void
  readonly #out = new Outward((message) => this.ws.send(message))
  readonly #in = new Inward((message) => this.ws.send(message))
  #heardAt = performance.now()
  readonly #pings = setInterval(() => this.#ping(), PING_MS)

  /** @param ws which is being opened */
  constructor(readonly ws: WebSocket) {
    this.#broken = new Promise((_, reject) => {
      this.#break = reject
    })
    const hello = new Promise<void>((resolve) => {
      this.#setThere = resolve
    })
    const opened = new Promise<void>((resolve) => ws.once('open', () => resolve()))
    this.placed = Promise.race([opened, this.#broken])
    this.there = Promise.race([hello, this.#broken])
    for (const each of [this.placed, this.there, this.#broken]) each.catch(() => {})
    this.over = new Promise((resolve) => ws.once('close', () => resolve()))
    ws.on('error', (error) => this.#break(this.#isOpen ? new ConnectionLost('connection lost') : unopened(error)))
    ws.on('unexpected-response', (request, response) => {
      void refusal(response, 'The server does not answer as one with WebSockets.').then((error) => {
        this.#break(error)
        // Nothing else ends what has not been opened.
        request.destroy()
        ws.terminate()
      })
    })
    ws.on('open', () => {
      this.#isOpen = true
      ws.send(writeControl({ t: 'hello', v: VERSION }))
    })
    ws.on('message', (data: Buffer, isBinary) => this.#heard(data, isBinary))
    ws.on('pong', () => {
      this.#heardAt = performance.now()
    })
    ws.once('close', (code, reason) => this.#closed(code, reason.toString()))
  }

  async carry(socket: Socket, traffic: Traffic, stopped: Promise<never>): Promise<void> {
    endOnlyAtAnEnd(socket)
    const closed = closing(socket)
    this.#in.attach(socket, traffic)
    this.#out.attach(socket, traffic)
    try {
      await Promise.race([Promise.all([this.#out.done, this.#in.done, closed]), this.#broken, stopped])
      this.ws.close(WHOLE)
    } catch (error) {
      this.cut(error as Error)
      reset(socket)
      throw error
    }
  }

  cut(why: Error): void {
    this.#break(why)
    const { ws } = this
    if (ws.readyState === WebSocket.CONNECTING) ws.terminate()
    else if (why instanceof ProtocolBroken) ws.close(PROTOCOL, why.message)
    else if (why instanceof SocketBroken) ws.close(LOCAL_LOST, why.message.slice(0, 100))
    else ws.close(GOING)
  }

  #heard(data: Buffer, isBinary: boolean): void {
    this.#heardAt = performance.now()
    // What comes behind our own close frame.
    if (this.ws.readyState !== WebSocket.OPEN) return
    try {
      if (!this.#isThere) this.#greeted(data, isBinary)
      else if (isBinary) this.#in.frame(data)
      else this.#told(data.toString())
    } catch (error) {
      this.cut(error as Error)
    }
  }

  #greeted(data: Buffer, isBinary: boolean): void {
    const control = isBinary ? undefined : readControl(data.toString())
    if (control?.t !== 'hello') throw new ProtocolBroken('the first that came was no hello')
    if (control.v !== VERSION) {
      throw new NotPossible(`The other side speaks version ${control.v} of Hoody's forward, and this one ${VERSION}.`)
    }
    this.#isThere = true
    this.#setThere()
  }

  #told(text: string): void {
    const control = readControl(text)
    if (control.t === 'hello') throw new ProtocolBroken('a second hello came')
    if (control.t === 'ack') this.#out.acknowledged(control.n)
    else this.#in.end()
  }

  #closed(code: number, reason: string): void {
    clearInterval(this.#pings)
    // What its program said is here with its end, and it has all that ours did.
    if (code === WHOLE && this.#out.isDone && this.#in.isEnded) return
    this.#break(
      code === NO_PEER ? new NobodyCame('the other side is not there') : new ConnectionLost(whyOf(code, reason)),
    )
  }

  #ping(): void {
    // What is under way stands in front of a ping, for as long as a slow network takes; a server that is gone is found by TCP then.
    const isGone = this.#out.isIdle && performance.now() - this.#heardAt > DEAD_MS
    if (isGone) this.ws.terminate()
    else if (this.ws.readyState === WebSocket.OPEN) this.ws.ping()
  }
}

function unopened(error: Error): Error {
  return /timed out/.test(error.message)
    ? new ConnectionLost('the server does not answer as one with WebSockets')
    : lost(error)
}

function whyOf(code: number, reason: string): string {
  if (code === LOCAL_LOST) return `the other side has lost its connection${reason === '' ? '' : ` (${reason})`}`
  if (code === 1006) return 'connection lost'
  if (code === WHOLE || reason === 'Peer disconnected.') return 'the other side is gone'
  return reason === '' ? `closed with ${code}` : reason
}
