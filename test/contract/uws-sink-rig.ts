/** The gateway's sink on a real connection, with a real client at its far end. */

import { eventually } from '../support/eventually.js'
import { type Peer, WAYS, type Way } from '../support/peer.js'
import { ResponseReader } from '../support/response-reader.js'
import { SinkDriver, type SinkPlan } from './sink-driver.js'
import type { OpenedSink, Place, Receiver, SinkRig } from './sink-rig.js'
import { nextResponse, SINK_OPTIONS, seatSink, type UwsHost } from './uws-host.js'

export class UwsSinkRig implements SinkRig {
  readonly name: string
  /** What the kernel holds for a receiver that reads nothing: 4 MiB to be sent and 6 MiB received, as Linux is set up. */
  readonly frozenBytes = 12 * 1024 * 1024
  readonly ways: readonly Way[]

  constructor(
    readonly host: UwsHost,
    readonly announced: boolean,
  ) {
    // A client that only closes its side goes on reading: test/gateway/uws/door.
    this.ways = WAYS.filter((way) => way !== 'halfClose')
    this.name = `${announced ? 'with a length' : 'chunked'}, ${host.tls === undefined ? 'plain' : 'TLS'}`
  }

  async open(
    plan: Omit<SinkPlan, 'announced'>,
    { readBytes }: { readonly readBytes?: number } = {},
  ): Promise<OpenedSink> {
    const receiver = new UwsReceiver()
    receiver.peer = await this.host.connect((bytes) => receiver.take(bytes), readBytes)
    const joined = new Promise<SinkDriver>((resolve) => {
      const name = this.host.serve((exchange) => {
        const sink = exchange.toSink(SINK_OPTIONS)
        const driver = new SinkDriver(sink, { ...plan, announced: this.announced })
        seatSink(sink, {
          drained: () => driver.drained(),
          finished: () => driver.sinkFinished(),
          left: () => driver.left(),
          fault: () => driver.fault(),
        })
        resolve(driver)
      })
      void receiver.peer!.send(`GET ${name} HTTP/1.1\r\nHost: x\r\n\r\n`)
    })
    return { driver: await joined, receiver }
  }

  at(place: Place, run: () => void): Promise<void> {
    return this.host.at(place, run)
  }
}

class UwsReceiver implements Receiver {
  peer: Peer | undefined
  readonly #pieces: Buffer[] = []
  #reader = new ResponseReader((bytes) => this.#pieces.push(Buffer.from(bytes)))

  take(bytes: Buffer): void {
    this.#reader.push(bytes)
  }

  get body(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces.splice(0, this.#pieces.length, Buffer.concat(this.#pieces))
    return this.#pieces[0]!
  }

  get outcome(): Receiver['outcome'] {
    const { complete, head, problem, excess } = this.#reader
    if (problem !== undefined) return this.peer!.isClosed ? 'cut' : 'open'
    if (excess > 0) throw new Error(`${excess} bytes behind the end of the response`)
    if (complete) return head!.status === 200 ? 'complete' : 'refused'
    return this.peer!.isClosed ? 'cut' : 'open'
  }

  freeze(): void {
    this.peer!.pause()
  }

  thaw(): void {
    this.peer!.resume()
  }

  leave(way: Way): void {
    this.peer!.leave(way)
  }

  async isUsable(): Promise<boolean> {
    const { reader, text } = nextResponse()
    this.#reader = reader
    await this.peer!.send('GET /usable HTTP/1.1\r\nHost: x\r\n\r\n')
    await eventually(() => reader.complete || this.peer!.isClosed || 'no answer to the next request')
    return text() === 'usable'
  }

  close(): void {
    this.peer!.leave('destroy')
  }
}
