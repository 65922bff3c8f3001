/** Reads one HTTP/1.1 response as it comes, for clients that must not keep what they receive. As strict as `parseResponse`. */

export interface ResponseHead {
  readonly status: number
  /** Names in lower case; of a repeated name the last value. */
  readonly headers: ReadonlyMap<string, string>
}

const MOST_LINE = 64 * 1024
/** How much is looked at in one step: a size line is short, and what stands behind it must not be copied for nothing. */
const STEP = 256

type Place = 'head' | 'length' | 'until-end' | 'size' | 'chunk' | 'chunk-end' | 'last-end' | 'over' | 'broken'

export class ResponseReader {
  head: ResponseHead | undefined
  /** Decoded bytes of the body so far. */
  bodyBytes = 0
  /** Bytes that came behind the end of the response. */
  excess = 0
  /** What makes this no response; nothing is read after it. */
  problem: string | undefined
  #place: Place = 'head'
  #line: Buffer = Buffer.alloc(0)
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0

  /**
   * @param onBody is lent the decoded body, piece by piece
   * @param untilEnd a body without framing ends with the connection, as in HTTP/1.0, and {@link ended} says so; otherwise it is a problem
   */
  constructor(
    readonly onBody: (bytes: Buffer, offset: number) => void,
    readonly untilEnd = false,
  ) {}

  /** The framing says that the body has ended. */
  get complete(): boolean {
    return this.#place === 'over'
  }

  /** The server has closed its side, cleanly: a reset is not told. */
  ended(): void {
    if (this.#place === 'until-end') this.#place = 'over'
  }

  push(input: Buffer): void {
    let at = 0
    while (at < input.length && this.#place !== 'broken') {
      if (this.#place === 'over') {
        this.excess += input.length - at
        return
      }
      at = this.#left > 0 ? this.#takeBody(input, at) : this.#takeLine(input, at)
    }
  }

  #takeBody(input: Buffer, at: number): number {
    const end = Math.min(input.length, at + this.#left)
    this.onBody(input.subarray(at, end), this.bodyBytes)
    this.bodyBytes += end - at
    this.#left -= end - at
    if (this.#left === 0) this.#place = this.#place === 'length' ? 'over' : 'chunk-end'
    return end
  }

  /** Takes bytes up to the end of the head or of the line, whichever is next. */
  #takeLine(input: Buffer, at: number): number {
    const mark = this.#place === 'head' ? '\r\n\r\n' : '\r\n'
    const before = this.#line.length
    this.#line = Buffer.concat([this.#line, input.subarray(at, at + STEP)])
    const end = this.#line.indexOf(mark)
    if (end < 0) {
      if (this.#line.length > MOST_LINE) this.#fail('a line without an end')
      return Math.min(input.length, at + STEP)
    }
    const text = this.#line.toString('latin1', 0, end)
    this.#line = Buffer.alloc(0)
    this.#readLine(text)
    return at + end + mark.length - before
  }

  #readLine(text: string): void {
    if (this.#place === 'head') this.#readHead(text)
    else if (this.#place === 'size') this.#readSize(text)
    else if (text !== '') this.#fail(`${JSON.stringify(text.slice(0, 80))} where a line break has to be`)
    else this.#place = this.#place === 'last-end' ? 'over' : 'size'
  }

  #readHead(text: string): void {
    const [statusLine = '', ...lines] = text.split('\r\n')
    const status = /^HTTP\/1\.[01] ([1-5][0-9]{2}) /.exec(statusLine)
    if (status === null) this.#fail(`not a status line: ${JSON.stringify(statusLine.slice(0, 80))}`)
    // Interim responses have no body, and another head follows.
    else if (!status[1]!.startsWith('1')) this.#readFields(Number(status[1]), lines)
  }

  #readFields(status: number, lines: readonly string[]): void {
    const headers = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    this.head = { status, headers }
    const length = headers.get('content-length')
    const chunked = headers.get('transfer-encoding') === 'chunked'
    if (!chunked && length === undefined && this.untilEnd) {
      this.#left = Number.POSITIVE_INFINITY
      this.#place = 'until-end'
    } else if (chunked === (length !== undefined)) {
      this.#fail(chunked ? 'a length and chunks' : 'a response without framing')
    } else if (chunked) {
      this.#place = 'size'
    } else {
      this.#left = Number(length)
      this.#place = this.#left > 0 ? 'length' : 'over'
    }
  }

  #readSize(text: string): void {
    this.#left = Number.parseInt(text, 16)
    this.#place = this.#left > 0 ? 'chunk' : 'last-end'
    if (!/^[0-9A-Fa-f]{1,13}$/.test(text)) this.#fail(`bad chunk size: ${JSON.stringify(text.slice(0, 80))}`)
  }

  #fail(problem: string): void {
    this.problem = problem
    this.#place = 'broken'
  }
}
