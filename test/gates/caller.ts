/** One connection that asks one thing after the other, as fast as the answers come. */
import { connectPeer, type Peer, type Way } from '../support/peer.js'
import { ResponseReader } from '../support/response-reader.js'

export interface Told {
  readonly status: number
  readonly text: string
  /** All of it has come. */
  readonly isWhole: boolean
  field(name: string): string
}

export class Caller {
  #peer: Peer | undefined
  #reader = new ResponseReader(() => {})
  #text = ''
  /** Hears of each read, and of the end. */
  #changed = () => {}

  static async open(port: number): Promise<Caller> {
    const caller = new Caller()
    const peer = await connectPeer({
      port,
      onBytes: (bytes) => {
        caller.#reader.push(bytes)
        caller.#changed()
      },
    })
    caller.#peer = peer
    void peer.closed.then(() => caller.#changed())
    return caller
  }

  get isOpen(): boolean {
    return this.#peer?.isClosed === false
  }

  /** Sends a request. Resolves when its answer is whole, or the connection is over. */
  async ask(line: string, { body, fields = '' }: { body?: string; fields?: string } = {}): Promise<Told> {
    this.#text = ''
    this.#reader = new ResponseReader((bytes) => (this.#text += bytes.toString('latin1')))
    const length = body === undefined ? '' : `Content-Length: ${body.length}\r\n`
    void this.#peer!.send(`${line} HTTP/1.1\r\nHost: x\r\n${fields}${length}\r\n${body ?? ''}`)
    return this.until(() => this.#reader.complete)
  }

  /** Some of a body that was announced. */
  send(bytes: string): void {
    void this.#peer!.send(bytes)
  }

  /** Resolves when it is so, or the connection is over. */
  until(isSo: (told: Told) => boolean): Promise<Told> {
    return new Promise((resolve) => {
      const before = this.#changed
      this.#changed = () => {
        before()
        const told = this.#told
        if (!isSo(told) && this.isOpen) return
        this.#changed = before
        resolve(told)
      }
      this.#changed()
    })
  }

  /** The head has come, or the connection is over. */
  begun(): Promise<Told> {
    return this.until(({ status }) => status > 0)
  }

  leave(way: Way = 'destroy'): void {
    this.#peer!.leave(way)
  }

  get #told(): Told {
    const { head, complete } = this.#reader
    const text = this.#text
    return { status: head?.status ?? 0, text, isWhole: complete, field: (name) => head?.headers.get(name) ?? '' }
  }
}
