import type { ClientRequest, IncomingMessage } from 'node:http'
import { lost, type Place, type RequestOptions, send } from '../exchange.js'
import { ConnectionLost } from '../failures.js'
import { BulkConnection } from './bulk-connection.js'
import { Pieces } from './pieces.js'

/** A request for a stream. */
export class Download {
  readonly request: ClientRequest
  readonly #bulk: BulkConnection | undefined

  constructor(place: Place, options: RequestOptions) {
    // Over TLS the bytes come in records of 16 KiB, by Node.
    this.#bulk = place.reach.isSecure ? undefined : new BulkConnection()
    const connect = this.#bulk && { createConnection: this.#bulk.connect }
    this.request = send(place, { ...options, ...connect })
    this.#bulk?.watch(this.request)
  }

  /**
   * The body of a response with 200 or 206. The memory of a piece is used again once the second one after it is asked for.
   * @throws ConnectionLost when it is not whole
   */
  body(response: IncomingMessage): AsyncIterable<Buffer> {
    return this.#bulk?.body() ?? joined(response)
  }
}

/** Small pieces as fewer large ones: each of them is worth a call to a disk. */
function joined(response: IncomingMessage): AsyncIterable<Buffer> {
  const pieces = new Pieces(() => response.resume())
  response.on('data', (chunk: Buffer) => {
    const { room } = pieces
    // Node reads 64 KiB at once, for which there is room as long as it is not paused.
    if (chunk.length > room.length) throw new RangeError(`a chunk of ${chunk.length} bytes`)
    chunk.copy(room)
    if (!pieces.add(chunk.length)) response.pause()
  })
  response.once('error', (error) => pieces.end(lost(error)))
  response.once('end', () => pieces.end(response.complete ? undefined : new ConnectionLost('connection lost')))
  response.once('close', () => pieces.end(new ConnectionLost('connection lost')))
  return pieces.take(() => response.destroy())
}
