import type { Socket } from 'node:net'
import { SocketBroken, type Traffic } from '../carry.js'
import { costOf, FRAME_MOST, ProtocolBroken, WINDOW, writeControl } from './control.js'

/** What the local program says, as frames, as far as the other side's window goes. */
export class Outward {
  /** The end has been sent, and all before it is acknowledged. */
  isDone = false
  readonly done: Promise<void>
  #setDone!: () => void
  #setBroken!: (error: Error) => void
  #socket: Socket | undefined
  /** Units that are sent and not acknowledged. */
  #underWay = 0
  /** Read already: one read at most. */
  readonly #kept: Buffer[] = []
  #isEnded = false
  #hasSaidEnd = false

  constructor(readonly send: (message: string | Buffer) => void) {
    this.done = new Promise((resolve, reject) => {
      this.#setDone = resolve
      this.#setBroken = reject
    })
    this.done.catch(() => {})
  }

  /** Nothing is on its way to the other side. */
  get isIdle(): boolean {
    return this.#underWay === 0
  }

  attach(socket: Socket, traffic: Traffic): void {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      traffic.sent += chunk.length
      for (let at = 0; at < chunk.length; at += FRAME_MOST) this.#kept.push(chunk.subarray(at, at + FRAME_MOST))
      this.#go()
    })
    // A write that finds the connection reset takes the error, and a read that comes before its callback gets an end.
    socket.once('end', () => setImmediate(() => this.#end()))
    socket.once('close', () => {
      if (!this.#isEnded) this.#setBroken(new SocketBroken('its program has broken it'))
    })
    socket.resume()
  }

  #end(): void {
    if (this.#socket!.errored) return
    this.#isEnded = true
    this.#go()
  }

  /** @throws ProtocolBroken */
  acknowledged(units: number): void {
    if (units > this.#underWay) throw new ProtocolBroken('more was acknowledged than had been sent')
    this.#underWay -= units
    this.#go()
  }

  #go(): void {
    for (let frame = this.#kept[0]; frame !== undefined; frame = this.#kept[0]) {
      const cost = costOf(frame)
      if (this.#underWay + cost > WINDOW) {
        this.#socket!.pause()
        return
      }
      this.#kept.shift()
      this.#underWay += cost
      this.send(frame)
    }
    if (!this.#isEnded) {
      this.#socket!.resume()
      return
    }
    if (!this.#hasSaidEnd) this.send(writeControl({ t: 'fin' }))
    this.#hasSaidEnd = true
    if (this.#underWay > 0) return
    this.isDone = true
    this.#setDone()
  }
}
