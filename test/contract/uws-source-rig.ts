/** The gateway's source on a real connection, with a real client at its far end. */

import type { SenderEndpoint, SenderEvent } from '../../core/index.js'
import { newsLines } from '../../gateway/http/response/sender-lines.js'
import { eventually } from '../support/eventually.js'
import { type Peer, WAYS, type Way } from '../support/peer.js'
import { ResponseReader } from '../support/response-reader.js'
import type { Place } from './sink-rig.js'
import { PIPE, SourceDriver } from './source-driver.js'
import type { OpenedSource, SenderEnd, SourceRig } from './source-rig.js'
import { nextResponse, SOURCE_OPTIONS, type UwsHost } from './uws-host.js'

const ALL_NEWS: readonly SenderEvent[] = [
  'waiting',
  'still_waiting',
  'receiver_joined',
  'receiver_left',
  'streaming',
  'given_back',
  'uploaded',
]
/** What the native helper lets one read bring. */
const READ_BYTES = 448 * 1024

export interface UwsSourceForm {
  readonly announced: boolean
  readonly replyAtEnd: boolean
  /** The stream is a file in a form. */
  readonly isForm: boolean
}

const BOUNDARY = 'between-parts'
const BEFORE = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n`
const AFTER = `\r\n--${BOUNDARY}--\r\n`

export class UwsSourceRig implements SourceRig {
  readonly name: string
  readonly tellsNews: boolean
  readonly readBytes = READ_BYTES
  readonly ways: readonly Way[]

  constructor(
    readonly host: UwsHost,
    readonly form: UwsSourceForm,
  ) {
    this.tellsNews = !form.replyAtEnd
    // A client that closes its side behind its body goes on reading: test/gateway/uws/door.
    this.ways = WAYS.filter((way) => way !== 'halfClose')
    const framing = form.announced ? 'with a length' : 'chunked'
    const reply = form.replyAtEnd ? ', answered at the end' : ''
    this.name = `${form.isForm ? 'a form ' : ''}${framing}, ${host.tls === undefined ? 'plain' : 'TLS'}${reply}`
  }

  async open(bytes: number): Promise<OpenedSource> {
    const sender = new UwsSenderEnd(this.form)
    const peer = await this.host.connect((received) => sender.reader.push(received))
    sender.peer = peer
    const joined = new Promise<SourceDriver>((resolve) => {
      const { announced, replyAtEnd, isForm } = this.form
      const form = isForm ? { boundary: BOUNDARY, head: { length: undefined, fields: [] } } : undefined
      const name = this.host.serve((exchange) => {
        const source = exchange.toSource({ ...SOURCE_OPTIONS, isChunked: !announced, replyAtEnd, form })
        const driver = new SourceDriver(source, bytes)
        source.joined(driver as unknown as SenderEndpoint)
        resolve(driver)
      })
      const framing = announced
        ? `Content-Length: ${isForm ? BEFORE.length + bytes + AFTER.length : bytes}`
        : 'Transfer-Encoding: chunked'
      void peer.send(`PUT ${name} HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`)
    })
    const driver = await joined
    sender.stream = driver.stream
    return { driver, sender }
  }

  at(place: Place, run: () => void): Promise<void> {
    return this.host.at(place, run)
  }
}

class UwsSenderEnd implements SenderEnd {
  peer: Peer | undefined
  stream: Uint8Array = new Uint8Array()
  text = ''
  reader = new ResponseReader((bytes) => {
    this.text += bytes.toString('latin1')
  })
  #sent = 0
  #begun = false

  constructor(readonly form: UwsSourceForm) {}

  sendUpTo(bytes: number): void {
    const { announced, isForm } = this.form
    const isLast = bytes === this.stream.length
    const parts = [Buffer.from(this.stream.subarray(this.#sent, bytes))]
    if (isForm && !this.#begun) parts.unshift(Buffer.from(BEFORE))
    if (isForm && isLast) parts.push(Buffer.from(AFTER))
    const piece = Buffer.concat(parts)
    this.#begun = true
    this.#sent = bytes
    const send = (data: string | Uint8Array) => void this.peer!.send(data)
    if (announced) send(piece)
    else this.#sendChunks(piece, send)
    if (!announced && isLast) send('0\r\n\r\n')
  }

  /** In chunks of any size, to have some that end in the middle of a read. */
  #sendChunks(piece: Uint8Array, send: (data: string | Uint8Array) => void): void {
    const most = 70_001
    for (let at = 0; at < piece.length; at += most) {
      const chunk = piece.subarray(at, at + most)
      send(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]))
    }
  }

  get heard(): readonly SenderEvent[] {
    const lines = this.text.split('\n').slice(0, -1)
    return lines.flatMap((line) => ALL_NEWS.filter((news) => newsLines(news, PIPE)[0] === line))
  }

  get outcome(): SenderEnd['outcome'] {
    const { complete, head } = this.reader
    if (complete) return head!.status === 200 ? 'complete' : 'refused'
    return this.peer!.isClosed ? 'cut' : 'open'
  }

  leave(way: Way): void {
    this.peer!.leave(way)
  }

  async isUsable(): Promise<boolean> {
    const { reader, text } = nextResponse()
    this.reader = reader
    await this.peer!.send('GET /usable HTTP/1.1\r\nHost: x\r\n\r\n')
    await eventually(() => reader.complete || this.peer!.isClosed || 'no answer to the next request')
    return text() === 'usable'
  }

  close(): void {
    this.peer!.leave('destroy')
  }
}
