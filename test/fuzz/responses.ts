/** What must be true of every byte that a client is sent, whatever it sent itself. */

import { parseResponse, type RawResponse } from '../support/raw.js'
import { HANDLER, SCRIPT } from './bytes.js'

/** Every header that the gateway and its default plugins write. Any other one was smuggled in. */
const OURS: ReadonlySet<string> = new Set([
  'accept-ranges',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-allow-private-network',
  'access-control-expose-headers',
  'access-control-max-age',
  'allow',
  'cache-control',
  'connection',
  'content-disposition',
  'content-encoding',
  'content-length',
  'content-range',
  'content-security-policy',
  'content-type',
  'date',
  'referrer-policy',
  'retry-after',
  'transfer-encoding',
  'vary',
  'x-accel-buffering',
  'x-content-type-options',
  'x-hoody-pipe',
  'x-hoody-pipe-transfer-id',
  'x-pipe-code',
  'x-pipe-transfer-id',
  'x-piping',
  'x-robots-tag',
])

/** How uWebSockets refuses what is no HTTP: without a length, to the end of the connection, and without a look at what it is in. */
const BARE = /HTTP\/1\.1 (?:400 Bad Request|431 Request Header Fields Too Large|505 HTTP Version Not Supported)\r\n/
const BARE_STATUS = [400, 431, 505]

/** The second is for clients of HTTP/1.0 only. */
const STARTS = ['HTTP/1.1 ', 'HTTP/1.0 ']

export function isAnswered(received: Buffer): boolean {
  const [first, ...more] = received.toString('latin1').split('\r\n\r\n')
  return more.length > 0 && !first!.startsWith('HTTP/1.1 1') ? true : more.length > 1
}

/** Every rule that these responses break. */
export function problemsOf(received: Buffer, sent: string, closedByServer: boolean): string[] {
  const problems: string[] = []
  let at = 0
  /** The client was told that the connection closes. uWebSockets itself still says 100, and refuses what is no HTTP. */
  let mayNotFollow = false
  while (at < received.length) {
    const rest = received.subarray(at)
    const response = readOne(rest, sent, closedByServer)
    if (response === undefined) break
    if (typeof response === 'string') return [...problems, `byte ${at} of ${received.length}: ${response}`]
    problems.push(...faultsOf(response, sent))
    if (mayNotFollow && response.status >= 200 && !BARE_STATUS.includes(response.status))
      problems.push('an answer behind the last one')
    mayNotFollow ||= response.headers.connection?.includes('close') ?? false
    at += response.end
  }
  return problems
}

/** One response, or what is wrong with it; undefined when its head is still on its way. */
function readOne(bytes: Buffer, sent: string, closedByServer: boolean): RawResponse | string | undefined {
  const text = bytes.toString('latin1', 0, 64 * 1024)
  const starts = sent.includes('HTTP/1.0') ? STARTS : STARTS.slice(0, 1)
  if (!starts.some((start) => text.startsWith(start) || start.startsWith(text))) return `no response: ${show(text)}`
  if (!text.includes('\r\n\r\n')) return closedByServer ? `closed within a head: ${show(text)}` : undefined
  const asHead = sent.includes('HEAD') && isBodyless(bytes)
  try {
    return parseResponse(bytes, { head: asHead })
  } catch (error) {
    return cutByPage(bytes) ?? `${error instanceof Error ? error.message : error} in ${show(text)}`
  }
}

/** What stands behind this head is the next response, or nothing. */
function isBodyless(bytes: Buffer): boolean {
  const behind = bytes.toString('latin1', bytes.indexOf('\r\n\r\n') + 4)
  return STARTS.some((start) => behind.startsWith(start) || start.startsWith(behind))
}

/** A client that sends what is no HTTP behind its request has its error page written into its response, and is cut off. */
function cutByPage(bytes: Buffer): RawResponse | undefined {
  const text = bytes.toString('latin1')
  const page = text.slice(1).search(BARE) + 1
  if (page === 0) return undefined
  try {
    const { complete, ...response } = parseResponse(bytes.subarray(0, page))
    return complete ? undefined : { ...response, complete, end: bytes.length }
  } catch {
    return undefined
  }
}

/** HTTP/1.0 knows no chunks: without a length its responses end with the connection, and say so. */
function endsWithConnection({ headers }: RawResponse, sent: string): boolean {
  return sent.includes('HTTP/1.0') && headers.connection?.[0] === 'close'
}

function* faultsOf(response: RawResponse, sent: string) {
  const { status, headers, body, complete, framing } = response
  for (const name of Object.keys(headers)) if (!OURS.has(name)) yield `a header that nobody wrote: ${name}`
  const isBare = [204, 304, ...BARE_STATUS].includes(status) || endsWithConnection(response, sent)
  if (framing === 'none' && status >= 200 && !isBare) yield `${status} without framing`
  const type = headers['content-type']?.[0] ?? ''
  if (ACTIVE.test(type)) {
    const text = body.toString('latin1')
    if (headers['content-security-policy'] === undefined) yield `${type} without a policy`
    if (text.includes(SCRIPT)) yield 'a script in a page'
    if (new RegExp(`<[^>"]*${HANDLER}`).test(text)) yield 'a handler in a page'
  }
  // With ?reply=end the lines that came before it stand there too.
  if (headers['x-pipe-code'] === undefined || !complete || body.length === 0) return
  if (type.startsWith('application/json')) JSON.parse(body.toString())
  else if (!/^(?:\[INFO\] [^\x00-\x1f\x7f]+\n)*\[ERROR\] [^\x00-\x1f\x7f]+\n$/.test(body.toString('latin1')))
    yield `a refusal of ${show(body.toString('latin1'))}`
}

/** As a browser reads it, which is less strict than the RFC. */
const ACTIVE =
  /^\s*(text\/html|image\/svg|application\/xhtml|(text|application)\/xml|[^;]*(\+xml|script))(?=[\s;,"]|$)/i

function show(text: string): string {
  return JSON.stringify(text.slice(0, 300))
}
