import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { parseDisposition } from '../../gateway/stream/disposition.js'
import { safeFileName } from '../../gateway/stream/file-name.js'
import { type Description, readDescription } from '../wire/description.js'
import { lost, type Place } from '../wire/exchange.js'
import { asSentence, ConnectionLost } from '../wire/failures.js'
import type { ServerStatus } from '../wire/server-status.js'

/** What has come is not all, or not what was sent. `message` is for people. */
export class Incomplete extends Error {}

/** So often, and so far apart in milliseconds, the server is asked for the digest of what has just ended. */
const LOOKS = 20
const LOOK_MS = 100

/** A transfer that has begun, from the receiver's side. */
export class Incoming {
  /** What the sender says of it; of one that is not pipegate: what its head tells. */
  readonly description: Description
  /** Bytes that will come, undefined when that is not known. */
  readonly length: number | undefined
  /** About how many, when `length` is not known. */
  readonly about: number | undefined
  /** Offset of the first byte that comes: what was received before is left out. */
  readonly from: number
  /** Bytes that have come. */
  bytes = 0
  readonly #transferId: string | undefined
  readonly #hash

  /** @param isVerified compare SHA-256 digests with the server */
  constructor(
    readonly response: IncomingMessage,
    readonly status: ServerStatus,
    isVerified: boolean,
    place: Place,
  ) {
    this.#hash = isVerified ? createHash('sha256') : undefined
    const { headers } = response
    this.description = readDescription(headers['x-piping']) ?? describedBy(headers, place)
    const length = headers['content-length']
    this.length = length === undefined ? undefined : Number(length)
    this.about = this.length ?? this.description.bytes
    this.from = Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? 0)
    const id = headers['x-pipe-transfer-id']
    this.#transferId = typeof id === 'string' ? id : undefined
  }

  /** What was here before of the same stream: all of it, up to `from`. */
  before(chunk: Uint8Array): void {
    this.#hash?.update(chunk)
  }

  /** @throws Incomplete when the stream is cut */
  async *body(onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.response as AsyncIterable<Buffer>) {
        this.#hash?.update(chunk)
        this.bytes += chunk.length
        onBytes(this.bytes)
        yield chunk
      }
    } catch (error) {
      throw new Incomplete(await this.#whyCut(lost(error as Error)))
    }
    if (!this.response.complete) throw new Incomplete(await this.#whyCut(new ConnectionLost('connection was lost')))
  }

  /**
   * The SHA-256 of the whole stream, when the server has the same.
   * @returns undefined when there is nothing to compare
   * @throws Incomplete
   */
  async verify(): Promise<string | undefined> {
    if (this.#hash === undefined || this.#transferId === undefined) return undefined
    const own = this.#hash.digest('hex')
    for (let look = 0; look < LOOKS; look++) {
      const receipt = await this.status.of(this.#transferId)
      if (receipt === undefined) return undefined
      if (receipt.state === 'failed') {
        throw new Incomplete(`The server says that the transfer failed: ${receipt.message ?? receipt.reason}`)
      }
      if (receipt.state === 'complete') {
        if (receipt.sha256 === null) return undefined
        if (receipt.sha256 === own) return own
        throw new Incomplete('What has come is not what was sent: the SHA-256 differs.')
      }
      // Its last receiver is still reading.
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    return undefined
  }

  async #whyCut(error: Error): Promise<string> {
    const receipt = this.#transferId === undefined ? undefined : await this.status.of(this.#transferId)
    if (receipt?.state === 'failed' && receipt.message !== null) return receipt.message
    return error instanceof ConnectionLost ? asSentence(error) : error.message
  }
}

/** Of a sender that is curl, or a browser. */
function describedBy(headers: IncomingMessage['headers'], { address }: Place): Description {
  const { filename } = parseDisposition(headers['content-disposition'] ?? '')
  const isText = filename === undefined && /^text\/plain\b/i.test(headers['content-type'] ?? '')
  if (isText) return { kind: 'text' }
  return { kind: 'file', name: filename ?? lastSegment(address.name) }
}

function lastSegment(name: string): string {
  const segment = name.slice(name.lastIndexOf('/') + 1)
  try {
    return safeFileName(decodeURIComponent(segment))
  } catch {
    return safeFileName(segment)
  }
}
