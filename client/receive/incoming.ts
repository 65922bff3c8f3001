import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { parseDisposition } from '../../gateway/stream/disposition.js'
import { safeFileName } from '../../gateway/stream/file-name.js'
import { type Description, readDescription } from '../wire/description.js'
import type { Place } from '../wire/exchange.js'
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
  /** Bytes that the stream has in all, undefined when nobody says. */
  readonly #whole: number | undefined

  /** @param isVerified compare SHA-256 digests with the server */
  constructor(
    response: IncomingMessage,
    readonly stream: AsyncIterable<Buffer>,
    readonly status: ServerStatus,
    isVerified: boolean,
    place: Place,
    /** What was asked for: the first byte that is not here yet. */
    asked = 0,
  ) {
    this.#hash = isVerified ? createHash('sha256') : undefined
    const { headers } = response
    this.description = openly(readDescription(headers['x-piping']) ?? describedBy(headers, place))
    const length = headers['content-length']
    this.length = length === undefined ? undefined : Number(length)
    this.about = this.length ?? this.description.bytes
    this.#whole = wholeOf(response, this.description, asked)
    this.from = response.statusCode === 206 ? asked : 0
    const id = headers['x-pipe-transfer-id']
    this.#transferId = typeof id === 'string' ? id : undefined
  }

  /** What was here before of the same stream: all of it, up to `from`. */
  before(chunk: Uint8Array): void {
    this.#hash?.update(chunk)
  }

  /** The memory of a piece is used again once the second one after it is asked for. @throws Incomplete when the stream is cut */
  async *body(onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.stream) {
        this.#hash?.update(chunk)
        this.bytes += chunk.length
        onBytes(this.bytes)
        yield chunk
      }
    } catch (error) {
      throw new Incomplete(await this.#whyCut(error as Error))
    }
    // A proxy that lost the other side may end what it hands on as if it were whole.
    const all = this.from + this.bytes
    if (this.#whole !== undefined && all !== this.#whole)
      throw new Incomplete(`What has come is not all of it, or too much: ${all} bytes instead of ${this.#whole}.`)
  }

  /**
   * The SHA-256 of the whole stream, when the server has the same.
   * @returns undefined when there is nothing to compare
   * @throws Incomplete
   */
  async verify(): Promise<string | undefined> {
    if (this.#hash === undefined) return undefined
    const sha256 = await this.#verified(this.#hash.digest('hex'))
    if (sha256 !== undefined || this.from === 0) return sha256
    throw new Incomplete(
      `All has come, but the server has no digest of it: nobody knows whether the first ${this.from} bytes, which were here, belong to it. Without --resume all is fetched again.`,
    )
  }

  async #verified(own: string): Promise<string | undefined> {
    if (this.#transferId === undefined) return undefined
    for (let look = 0; look < LOOKS; look++) {
      const receipt = await this.status.of(this.#transferId)
      if (receipt === undefined) return undefined
      if (receipt.state === 'failed') {
        throw new Incomplete(`The server says that the transfer failed: ${receipt.message ?? receipt.reason}`)
      }
      if (receipt.state === 'complete') {
        if (receipt.sha256 === null) return undefined
        if (receipt.sha256 === own) return own
        const again =
          this.from === 0 ? '' : ' What was here may be of another file: without --resume all is fetched again.'
        throw new Incomplete(`What has come is not what was sent: the SHA-256 differs.${again}`)
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

/** Who passes on what is encrypted could have written all but its kind: names and permissions are inside, where nobody can. */
function openly(description: Description): Description {
  return description.encrypted ? { kind: description.kind, encrypted: true } : description
}

/**
 * How long the whole stream says that it is.
 * @throws Incomplete for a part of it that is not the rest
 */
function wholeOf({ statusCode, headers }: IncomingMessage, description: Description, asked: number) {
  const said = description.kind === 'file' ? description.bytes : undefined
  if (statusCode !== 206) return said
  const range = headers['content-range'] ?? ''
  const [, first, last, whole] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(range) ?? []
  const isRest = Number(first) === asked && (whole === '*' || Number(last) + 1 === Number(whole))
  if (!isRest) {
    throw new Incomplete(
      `The server was asked for the bytes from ${asked} on, and answers with ${range === '' ? 'a part that it does not name' : `"${range}"`}. Without --resume all is fetched again.`,
    )
  }
  return said ?? (whole === '*' ? undefined : Number(whole))
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
