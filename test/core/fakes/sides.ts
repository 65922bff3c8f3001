import type { ReceiverEndpoint, SenderEndpoint, StreamHead } from '../../../core/index.js'
import type { FakeSink } from './sink.js'
import type { FakeSource } from './source.js'
import { lend } from './stream-bytes.js'

/** The head of a stream, with the number by which its bytes are checked. */
export function headOf(stream: number, length: number | undefined): StreamHead {
  return { length, fields: [['stream', String(stream)]] }
}

/** A sender that has joined: the fake connection and the endpoint that it reports to. */
export class FakeSender {
  /** Bytes of the body that were delivered. */
  fed = 0

  constructor(
    readonly stream: number,
    readonly source: FakeSource,
    readonly endpoint: SenderEndpoint,
  ) {}

  /** Tells its head, when it joined without one. */
  open(length?: number): void {
    this.endpoint.opened(headOf(this.stream, length))
  }

  /** Delivers the next bytes of the body. */
  feed(length: number): void {
    lend(this.stream, this.fed, length, (bytes) => {
      this.fed += length
      this.endpoint.feed(bytes)
    })
  }

  end(): void {
    this.endpoint.end()
  }

  leave(): void {
    if (this.endpoint.pipe.state === 'waiting' && this.endpoint.pipe.sender === this.endpoint)
      this.source.disconnected = true
    this.endpoint.left()
  }
}

/** A receiver that has joined. */
export class FakeReceiver {
  constructor(
    readonly sink: FakeSink,
    readonly endpoint: ReceiverEndpoint,
  ) {}

  /** The sink has room for `bytes` more, and says so. */
  drain(bytes = Number.POSITIVE_INFINITY): void {
    this.sink.empty(bytes)
    this.endpoint.drained()
  }

  /** The last byte has been handed on: the late answer to `finish()`. */
  handOn(): void {
    this.sink.finished = true
    this.endpoint.finished()
  }

  leave(): void {
    this.sink.disconnected = true
    this.endpoint.left()
  }
}
