/**
 * A raw HTTP/1.1 client over TCP or TLS, for tests that must see the bytes and the way a connection ends: half-written requests,
 * readers that stop reading, FIN against RST, truncated bodies.
 */

import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { ClientSocket, connected, openSocket } from './client-socket.js'
import { eventually, USUAL_MS } from './eventually.js'

export interface ConnectOptions {
  readonly port: number
  readonly host?: string
  readonly tls?: boolean
  /** Start without reading: the kernel's buffers fill up and the server meets backpressure. */
  readonly pauseOnConnect?: boolean
  /** `false` counts and hashes what arrives instead of keeping it. Default `true`. */
  readonly keep?: boolean
}

export type BodyFraming = 'length' | 'chunked' | 'none'

export interface RawResponse {
  readonly status: number
  readonly reason: string
  /** Names in lower case; one entry per header line, in the order of arrival. Values are Latin-1. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  /** The decoded body, as far as it arrived. */
  readonly body: Buffer
  /**
   * The framing says that the body ended: the terminating chunk was seen, or Content-Length bytes were. A body without
   * framing ends with the connection, which only the caller sees; it is called complete and is all that arrived.
   */
  readonly complete: boolean
  readonly framing: BodyFraming
  /** Where this response ends in the input. The next one on the same connection starts here. */
  readonly end: number
}

const NOTHING = Buffer.alloc(0)
/** So many bytes are looked at in no time. */
const SMALL = 65_536

/** Opens a connection. Rejects when it cannot be established. */
export async function connect(options: ConnectOptions): Promise<RawClient> {
  const { port, host = '127.0.0.1', tls = false, keep = true } = options
  const { socket, wire } = openSocket(port, host, tls)
  const client = new RawClient(socket, wire, keep)
  if (options.pauseOnConnect === true) client.pause()
  await connected(socket, wire)
  return client
}

export class RawClient extends ClientSocket {
  /** Hears of every read. */
  onRead: ((bytes: Buffer) => void) | undefined
  /** Bytes read so far, also when they are not kept. */
  receivedBytes = 0

  readonly #keep: boolean
  readonly #hash = createHash('sha256')
  readonly #chunks: Buffer[] = []

  constructor(socket: Socket, wire: Socket, keep: boolean) {
    super(socket, wire)
    this.#keep = keep
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  /** All bytes so far. Throws for a client that does not keep them. */
  get received(): Buffer {
    if (!this.#keep) throw new Error('this client was connected with keep: false and has only a count and a hash')
    if (this.#chunks.length > 1) this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks))
    return this.#chunks[0] ?? NOTHING
  }

  /** All bytes so far, one character per byte, so that a pattern meets every byte value unharmed. */
  get text(): string {
    return this.received.toString('latin1')
  }

  /** What has been received is not kept any longer, and not counted. */
  forget(): void {
    this.#chunks.length = 0
    this.receivedBytes = 0
  }

  /** The hash of all bytes so far, in hexadecimal. Works with and without `keep`. */
  get sha256(): string {
    return this.#hash.copy().digest('hex')
  }

  /** Resolves when the bytes so far match. A string must occur literally. */
  async waitFor(pattern: RegExp | string, timeoutMs = USUAL_MS): Promise<void> {
    const hasMore = this.#growth()
    let last = ''
    await eventually(
      () => {
        if (!hasMore()) return last
        const { text } = this
        const found = typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)
        last = `no ${pattern} in ${text.length} received bytes: ${JSON.stringify(text.slice(-300))}`
        return found || last
      },
      { timeoutMs },
    )
  }

  /** Waits for the end of the connection, with a deadline. */
  async waitForClose(timeoutMs = 10_000): Promise<void> {
    await eventually(() => this.isClosed || `the connection is still open, ${this.receivedBytes} bytes received`, {
      timeoutMs,
    })
  }

  /** Waits for one complete response from byte `from` on. */
  async waitForResponse({ from = 0, timeoutMs = USUAL_MS, head = false } = {}): Promise<RawResponse> {
    let response: RawResponse | undefined
    const hasMore = this.#growth()
    let last = 'nothing has arrived'
    await eventually(
      () => {
        if (!hasMore()) return last
        const bytes = this.received.subarray(from)
        if (!hasHead(bytes)) {
          last = `no complete head in ${JSON.stringify(this.text.slice(from, from + 300))}`
          return last
        }
        response = parseResponse(bytes, { head })
        last = `the body is not complete, ${response.body.length} bytes so far`
        return response.complete || last
      },
      { timeoutMs },
    )
    return response!
  }

  /**
   * Whether it is worth to look at all bytes again: when none came since the last question, and some since the last look; or
   * an eighth more, while they keep coming. A body of many MiB that is read anew with each piece takes minutes of CPU.
   */
  #growth(): () => boolean {
    let looked = -1
    let asked = 0
    return () => {
      const bytes = this.receivedBytes
      const isQuiet = bytes === asked
      asked = bytes
      if (bytes === looked || (bytes > SMALL && !isQuiet && bytes < looked * 1.125)) return false
      looked = bytes
      return true
    }
  }

  #take(chunk: Buffer): void {
    this.onRead?.(chunk)
    this.receivedBytes += chunk.length
    this.#hash.update(chunk)
    if (this.#keep) this.#chunks.push(chunk)
  }
}

function hasHead(bytes: Buffer): boolean {
  return bytes.includes('\r\n\r\n')
}

export interface ParseOptions {
  /** The request was a HEAD: whatever the framing says, no body follows (RFC 9110, section 9.3.2). */
  readonly head?: boolean
}

/**
 * Reads one response from the start of `bytes`. Strict: a head that is missing, malformed or contradictory throws, a body
 * that stops early is returned with `complete: false`. 1xx responses are returned as responses of their own.
 */
export function parseResponse(bytes: Uint8Array, { head = false }: ParseOptions = {}): RawResponse {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headEnd = input.indexOf('\r\n\r\n')
  if (headEnd < 0) throw new Error(`no complete head in ${JSON.stringify(input.toString('latin1', 0, 300))}`)
  const [statusLine = '', ...lines] = input.toString('latin1', 0, headEnd).split('\r\n')
  const status = /^HTTP\/1\.[01] ([1-5][0-9]{2}) (.*)$/.exec(statusLine)
  if (status === null) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`)
  const code = Number(status[1])
  const headers = parseHeaders(lines)
  const start = headEnd + 4
  const framing = framingOf(headers)
  const bodyless = head || code < 200 || code === 204 || code === 304
  const body = bodyless
    ? { framing, body: NOTHING, complete: true, end: start }
    : readBody(input, start, framing, headers)
  return { status: code, reason: status[2] ?? '', headers, ...body }
}

function parseHeaders(lines: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = Object.create(null)
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line)
    if (field === null || /[\x00-\x08\x0a-\x1f\x7f]/.test(line)) throw new Error(`bad header: ${JSON.stringify(line)}`)
    const name = field[1]!.toLowerCase()
    headers[name] ??= []
    headers[name].push(field[2]!)
  }
  return headers
}

function framingOf(headers: Record<string, readonly string[]>): BodyFraming {
  const lengths = headers['content-length'] ?? []
  const codings = headers['transfer-encoding'] ?? []
  if (lengths.length + codings.length > 1) throw new Error(`contradictory framing: ${JSON.stringify(headers)}`)
  if (codings.length === 1) {
    if (codings[0] !== 'chunked') throw new Error(`unknown transfer coding: ${codings[0]}`)
    return 'chunked'
  }
  if (lengths.length === 0) return 'none'
  if (!/^[0-9]{1,15}$/.test(lengths[0]!)) throw new Error(`bad Content-Length: ${lengths[0]}`)
  return 'length'
}

type Body = Pick<RawResponse, 'body' | 'complete' | 'framing' | 'end'>

function readBody(input: Buffer, start: number, framing: BodyFraming, headers: Record<string, string[]>): Body {
  if (framing === 'none') return { framing, body: input.subarray(start), complete: true, end: input.length }
  if (framing === 'chunked') return readChunks(input, start)
  const length = Number(headers['content-length']![0])
  const body = input.subarray(start, start + length)
  return { framing, body, complete: body.length === length, end: start + body.length }
}

function readChunks(input: Buffer, start: number): Body {
  const pieces: Buffer[] = []
  const stopped = (complete: boolean, end: number): Body => {
    return { framing: 'chunked', body: Buffer.concat(pieces), complete, end }
  }
  let at = start
  for (;;) {
    const lineEnd = input.indexOf('\r\n', at)
    if (lineEnd < 0) return stopped(false, input.length)
    const line = input.toString('latin1', at, lineEnd)
    if (!/^[0-9A-Fa-f]{1,13}$/.test(line)) throw new Error(`bad chunk size: ${JSON.stringify(line.slice(0, 80))}`)
    const size = Number.parseInt(line, 16)
    const dataStart = lineEnd + 2
    const dataEnd = dataStart + size
    if (size > 0) pieces.push(input.subarray(dataStart, dataEnd))
    if (input.length < dataEnd + 2) return stopped(false, input.length)
    if (input.toString('latin1', dataEnd, dataEnd + 2) !== '\r\n') throw new Error('a chunk is longer than its size')
    if (size === 0) return stopped(true, dataEnd + 2)
    at = dataEnd + 2
  }
}
