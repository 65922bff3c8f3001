import type { Socket } from 'node:net'
import type { Traffic } from '../carry.js'
import { ACK_EVERY, costOf, FRAME_MOST, ProtocolBroken, WINDOW, writeControl } from './control.js'

/** What the other side's program says, acknowledged when the local connection has taken it. */
export class Inward {
  /** The other side has said that no more comes. */
  isEnded = false
  /** All of it has been given to the local connection, and its end. */
  readonly done: Promise<void>
  #setDone!: () => void
  #socket: Socket | undefined
  #traffic: Traffic | undefined
  /** What came before there was a connection. */
  readonly #early: Buffer[] = []
  /** Units that came and are not acknowledged. */
  #open = 0
  /** Those of them that are written. */
  #owed = 0
  #writing = 0
  #isEnding = false

  constructor(readonly send: (message: string) => void) {
    this.done = new Promise((resolve) => {
      this.#setDone = resolve
    })
  }

  attach(socket: Socket, traffic: Traffic): void {
    this.#socket = socket
    this.#traffic = traffic
    for (const frame of this.#early.splice(0)) this.#write(frame)
    this.#endWhenWritten()
  }

  /** @throws ProtocolBroken: who does not keep to the window would fill the memory */
  frame(bytes: Buffer): void {
    if (this.isEnded) throw new ProtocolBroken('bytes came behind the end')
    if (bytes.length === 0 || bytes.length > FRAME_MOST)
      throw new ProtocolBroken(`a frame of ${bytes.length} bytes came`)
    this.#open += costOf(bytes)
    if (this.#open > WINDOW) throw new ProtocolBroken('more came than the window allows')
    if (this.#socket === undefined) this.#early.push(bytes)
    else this.#write(bytes)
  }

  /** @throws ProtocolBroken */
  end(): void {
    if (this.isEnded) throw new ProtocolBroken('a second end came')
    this.isEnded = true
    this.#endWhenWritten()
  }

  #write(bytes: Buffer): void {
    this.#traffic!.received += bytes.length
    this.#writing++
    this.#socket!.write(bytes, (error) => {
      this.#writing--
      if (error) return
      this.#owed += costOf(bytes)
      if (this.#owed >= ACK_EVERY) this.#acknowledge()
      this.#endWhenWritten()
    })
  }

  #acknowledge(): void {
    if (this.#owed === 0) return
    this.send(writeControl({ t: 'ack', n: this.#owed }))
    this.#open -= this.#owed
    this.#owed = 0
  }

  #endWhenWritten(): void {
    if (!this.isEnded || this.#writing > 0 || this.#isEnding || this.#socket === undefined) return
    this.#isEnding = true
    this.#acknowledge()
    this.#socket.once('finish', this.#setDone).end()
  }
}
