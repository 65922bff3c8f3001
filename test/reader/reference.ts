/**
 * A second reading of RFC 9112: of all that a client sends on one connection, what is a request, where it ends, and what its
 * body is. Slow, and written to be compared with the RFC and the contract rather than to be run: it sees everything at once,
 * and says with regular expressions what a line has to look like. Text is Latin-1, a character for each octet.
 */

export type Framing = 'none' | 'length' | 'chunked'

export interface Request {
  readonly kind: 'request'
  readonly minor: 0 | 1
  readonly keepsAlive: boolean
  readonly expectsContinue: boolean
  readonly isWebSocket: boolean
  readonly framing: Framing
  /** What Content-Length says. */
  readonly length: number
  /** The head as JavaScript gets it. */
  readonly text: string
  readonly body: string
  readonly end: 'end' | 'broken' | 'incomplete'
}

/** Nothing is read behind it. */
export interface Refused {
  readonly kind: 'refused'
  readonly problem: string
  readonly status: number
  /** The whole lines in front of what is wrong; all of them when it is not in a line. */
  readonly text: string
}

export type Event =
  | Request
  | Refused
  | { readonly kind: 'tunnel'; readonly bytes: string }
  | { readonly kind: 'rest'; readonly of: 'nothing' | 'part' }

export const HEAD_MOST = 66_560
export const REQUEST_LINE_MOST = 16_384
export const FIELDS_MOST = 256
export const EMPTY_LINES_MOST = 64
export const METHOD_MOST = 64
export const HOST_MOST = 255
export const CHUNK_LINE_MOST = 16_384
export const TRAILERS_MOST = 8192

const STATUS: Readonly<Record<string, number>> = {
  HTTP2_PREFACE: 505,
  UNSUPPORTED_VERSION: 505,
  REQUEST_LINE_TOO_LONG: 414,
  HEAD_TOO_LARGE: 431,
  TOO_MANY_FIELDS: 431,
  METHOD_TOO_LONG: 501,
  UNKNOWN_CODING: 501,
  CONNECT_METHOD: 405,
  UNKNOWN_EXPECTATION: 417,
}

// RFC 9110, sections 5.5 and 5.6; RFC 5234, appendix B.
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const PRINTABLE = '[\\x20-\\x7e\\x80-\\xff]'
const VALUE = '[\\t\\x20-\\x7e\\x80-\\xff]*'
const QUOTED = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const whole = (grammar: string, flags = 's') => new RegExp(`^(?:${grammar})$`, flags)

export function readConnection(bytes: string): Event[] {
  const events: Event[] = []
  for (let at = 0; ; ) {
    const head = readHead(bytes.slice(at))
    if (head.kind !== 'head') return [...events, head]
    const from = at + head.size
    const body = readBody(head, bytes.slice(from))
    events.push(requestOf(head, body))
    if (body.end !== 'end') return events
    at = from + body.size
    // Tests say by the path that a WebSocket is refused.
    if (head.isWebSocket && !head.text.includes('/refuse'))
      return [...events, { kind: 'tunnel', bytes: bytes.slice(at) }]
  }
}

// --- heads

interface Head extends Omit<Request, 'kind' | 'body' | 'end'> {
  readonly kind: 'head'
  /** How many octets it takes, with what is skipped in front of it. */
  readonly size: number
}

interface Field {
  readonly name: string
  readonly value: string
}

/** A request line: what is in its text, and in its fields when its target is a URI. */
interface Line {
  readonly method: string
  readonly target: string
  readonly minor: 0 | 1
  readonly authority: string | undefined
}

/** What is wrong, thrown by whoever finds it. */
class Problem {
  constructor(readonly name: string) {}
}

/** What is there is sound so far, but not all of it is there. */
const INCOMPLETE = new Problem('')

function requestOf({ kind: _, size: __, ...head }: Head, { bytes, end }: Body): Request {
  return { kind: 'request', ...head, body: bytes, end }
}

function refuse(problem: string, text: string): Refused {
  return { kind: 'refused', problem, status: STATUS[problem] ?? 400, text }
}

function readHead(bytes: string): Head | Refused | { kind: 'rest'; of: 'nothing' | 'part' } {
  const empty = /^(?:\r\n)*/.exec(bytes)![0].length
  if (empty / 2 > EMPTY_LINES_MOST) return refuse('TOO_MANY_EMPTY_LINES', '')
  const rest = bytes.slice(empty)
  if (rest === '' || rest === '\r') return { kind: 'rest', of: 'nothing' }
  const stranger = problemOfStart(rest[0]!, empty / 2)
  if (stranger !== undefined) return refuse(stranger, '')
  return readLines(rest, empty)
}

/** What a first octet that begins no request is. */
function problemOfStart(octet: string, emptyLines: number): string | undefined {
  if (whole(TOKEN).test(octet)) return undefined
  if (octet === '\r') return 'BARE_CR'
  if (octet === '\n') return 'BARE_LF'
  if (octet === '\x16' && emptyLines === 0) return 'TLS_HANDSHAKE'
  if (octet === '\0' && emptyLines === 2) return 'PROXY_PROTOCOL'
  return 'NOT_HTTP'
}

function readLines(rest: string, skipped: number): Head | Refused | { kind: 'rest'; of: 'part' } {
  const bytes = rest.slice(0, HEAD_MOST)
  let text = ''
  try {
    const { content, next } = readRequestLine(bytes)
    const line = parseRequestLine(content)
    text = textOfLine(line)
    const fields: Field[] = []
    for (let at = next; ; ) {
      const read = readField(bytes, at, fields.length)
      at = read.next
      if (read.field === undefined) return understand(line, fields, text, skipped + at)
      fields.push(read.field)
      text += textOfField(line, read.field)
    }
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem
    if (problem !== INCOMPLETE) return refuse(problem.name, text)
    return rest.length >= HEAD_MOST ? refuse('HEAD_TOO_LARGE', text) : { kind: 'rest', of: 'part' }
  }
}

function textOfLine({ method, target, minor, authority }: Line): string {
  return `${method} ${target} ${minor}\n${authority === undefined ? '' : `host:${authority}\n`}`
}

/** A URI's authority takes the place of Host (RFC 9112, section 3.2.2). */
function textOfField({ authority }: Line, { name, value }: Field): string {
  return authority !== undefined && name === 'host' ? '' : `${name}:${value}\n`
}

/** The octets from `at` on that the grammar takes. */
function taken(bytes: string, at: number, grammar: string): string {
  const sticky = new RegExp(grammar, 'sy')
  sticky.lastIndex = at
  return sticky.exec(bytes)?.[0] ?? ''
}

/** Checks that there is a line break, and returns where it ends. */
function lineEnd(bytes: string, at: number): number {
  const [cr, lf] = [bytes[at], bytes[at + 1]]
  if (cr === undefined) throw INCOMPLETE
  if (cr === '\n') throw new Problem('BARE_LF')
  if (cr !== '\r') throw new Problem('CONTROL_CHARACTER')
  if (lf === undefined) throw INCOMPLETE
  if (lf !== '\n') throw new Problem('BARE_CR')
  return at + 2
}

function readRequestLine(bytes: string) {
  const content = taken(bytes, 0, `${PRINTABLE}*`)
  if (content.length > REQUEST_LINE_MOST) throw new Problem('REQUEST_LINE_TOO_LONG')
  return { content, next: lineEnd(bytes, content.length) }
}

function parseRequestLine(content: string): Line {
  if (/^PROXY (?:TCP4 |TCP6 |UNKNOWN)/.test(content)) throw new Problem('PROXY_PROTOCOL')
  if (content === 'PRI * HTTP/2.0') throw new Problem('HTTP2_PREFACE')
  const parts = whole(`(${TOKEN}) ([^ ]+) HTTP/([0-9])\\.([0-9])`).exec(content)
  if (parts === null) throw new Problem('BAD_REQUEST_LINE')
  const [, method, target, major, minor] = parts as unknown as string[]
  if (method!.length > METHOD_MOST) throw new Problem('METHOD_TOO_LONG')
  if (major !== '1' || Number(minor) > 1) throw new Problem('UNSUPPORTED_VERSION')
  return { method: method!, minor: minor === '0' ? 0 : 1, ...parseTarget(method!, target!) }
}

/** The four forms of RFC 9112, section 3.2. */
function parseTarget(method: string, target: string): Pick<Line, 'target' | 'authority'> {
  if (target.includes('#')) throw new Problem('BAD_TARGET')
  if (method === 'CONNECT' || target.startsWith('/')) return { target, authority: undefined }
  if (target === '*' && method === 'OPTIONS') return { target, authority: undefined }
  const uri = /^https?:\/\/([^/?]*)(.*)$/is.exec(target)
  if (uri === null) throw new Problem('BAD_TARGET')
  const [, authority, rest] = uri as unknown as string[]
  if (!isHost(authority!)) throw new Problem('BAD_HOST')
  // Section 3.2.4.
  if (rest === '' && method === 'OPTIONS') return { target: '*', authority }
  return { target: rest!.startsWith('/') ? rest! : `/${rest}`, authority }
}

/** The field at `at`; none at the end of the head. */
function readField(bytes: string, at: number, before: number): { field?: Field; next: number } {
  const first = bytes[at]
  if (first === '\r') return { next: lineEnd(bytes, at) }
  if (first === ' ' || first === '\t') throw new Problem('OBSOLETE_FOLDING')
  const name = taken(bytes, at, TOKEN)
  if (name === '') throw wrongInName(first)
  if (before === FIELDS_MOST) throw new Problem('TOO_MANY_FIELDS')
  const colon = at + name.length
  if (bytes[colon] === ' ' || bytes[colon] === '\t') throw new Problem('SPACE_BEFORE_COLON')
  if (bytes[colon] === '\r') throw new Problem('NO_COLON')
  if (bytes[colon] !== ':') throw wrongInName(bytes[colon])
  const value = taken(bytes, colon + 1, VALUE)
  const next = lineEnd(bytes, colon + 1 + value.length)
  return { field: { name: name.toLowerCase(), value: trim(value) }, next }
}

function wrongInName(octet: string | undefined): Problem {
  if (octet === undefined) return INCOMPLETE
  if (octet === '\n') return new Problem('BARE_LF')
  return new Problem(whole(PRINTABLE).test(octet) ? 'BAD_FIELD_NAME' : 'CONTROL_CHARACTER')
}

/** Takes optional white space off both ends. */
function trim(text: string): string {
  return text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
}

// --- what fields mean

function understand(line: Line, fields: readonly Field[], text: string, size: number): Head | Refused {
  const problem = problemOf(line, fields)
  if (problem !== undefined) return refuse(problem, text)
  const { minor } = line
  const options = elements(fields, 'connection')
  const chunked = has(fields, 'transfer-encoding')
  const length = Number(values(fields, 'content-length')[0] ?? 0)
  return {
    kind: 'head',
    minor,
    keepsAlive: !options.includes('close') && (minor === 1 || options.includes('keep-alive')),
    expectsContinue: minor === 1 && has(fields, 'expect'),
    isWebSocket: line.method === 'GET' && minor === 1 && !chunked && length === 0 && agreesOnWebSocket(fields),
    framing: chunked ? 'chunked' : has(fields, 'content-length') ? 'length' : 'none',
    length,
    text,
    size,
  }
}

function problemOf({ method, minor }: Line, fields: readonly Field[]): string | undefined {
  const hosts = values(fields, 'host')
  const lengths = values(fields, 'content-length')
  const codings = values(fields, 'transfer-encoding')
  // RFC 9112, section 3.2.
  if (minor === 1 && hosts.length === 0) return 'NO_HOST'
  if (hosts.length > 1) return 'REPEATED_HOST'
  if (!hosts.every(isHost)) return 'BAD_HOST'
  // RFC 9112, section 6.3, and the contract, section 11.
  if (lengths.length > 1) return 'REPEATED_LENGTH'
  if (!lengths.every(isLength)) return 'BAD_LENGTH'
  if (lengths.length > 0 && codings.length > 0) return 'LENGTH_AND_CODING'
  if (codings.length > 0 && minor === 0) return 'CODING_IN_HTTP_1_0'
  const coding = codings.length === 0 ? undefined : problemOfCodings(elements(fields, 'transfer-encoding'))
  if (coding !== undefined) return coding
  if (method === 'CONNECT') return 'CONNECT_METHOD'
  // RFC 9110, section 10.1.1.
  const others = elements(fields, 'expect').filter((each) => each !== '100-continue')
  return minor === 1 && others.length > 0 ? 'UNKNOWN_EXPECTATION' : undefined
}

function problemOfCodings(codings: readonly string[]): string | undefined {
  const malformed = codings.some((each) => !whole(`${TOKEN}(?:[ \\t]*;.*)?`).test(each) || /^chunked[ \t]*;/.test(each))
  if (malformed || codings.slice(0, -1).includes('chunked')) return 'BAD_CODING'
  return codings.length === 1 && codings[0] === 'chunked' ? undefined : 'UNKNOWN_CODING'
}

/** RFC 6455, section 4.2.1. */
function agreesOnWebSocket(fields: readonly Field[]): boolean {
  const keys = values(fields, 'sec-websocket-key')
  const versions = values(fields, 'sec-websocket-version')
  return (
    elements(fields, 'connection').includes('upgrade') &&
    elements(fields, 'upgrade').includes('websocket') &&
    keys.length === 1 &&
    /^[A-Za-z0-9+/]{22}==$/.test(keys[0]!) &&
    versions.length === 1 &&
    versions[0] === '13'
  )
}

function has(fields: readonly Field[], name: string): boolean {
  return fields.some((field) => field.name === name)
}

function values(fields: readonly Field[], name: string): string[] {
  return fields.filter((field) => field.name === name).map((field) => field.value)
}

/** All lines of a list are one list (RFC 9110, section 5.3). In lower case. */
function elements(fields: readonly Field[], name: string): string[] {
  if (!has(fields, name)) return []
  const list = values(fields, name).join(',')
  return list.split(',').map((each) => trim(each).replace(/[A-Z]/g, (letter) => letter.toLowerCase()))
}

function isLength(value: string): boolean {
  return /^[0-9]{1,16}$/.test(value) && BigInt(value) <= BigInt(Number.MAX_SAFE_INTEGER)
}

// RFC 3986, section 3.2.2 and appendix A.
const H16 = '[0-9A-Fa-f]{1,4}'
const DEC_OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const IPV4 = `${DEC_OCTET}(?:\\.${DEC_OCTET}){3}`
const LS32 = `(?:${H16}:${H16}|${IPV4})`
const upTo = (groups: number) => `(?:(?:${H16}:){0,${groups}}${H16})?`
const IPV6 = [
  `(?:${H16}:){6}${LS32}`,
  `::(?:${H16}:){5}${LS32}`,
  `(?:${H16})?::(?:${H16}:){4}${LS32}`,
  `${upTo(1)}::(?:${H16}:){3}${LS32}`,
  `${upTo(2)}::(?:${H16}:){2}${LS32}`,
  `${upTo(3)}::${H16}:${LS32}`,
  `${upTo(4)}::${LS32}`,
  `${upTo(5)}::${H16}`,
  `${upTo(6)}::`,
].join('|')
/** Without the comma, which the contract takes for two hosts, and not empty, as the host of an http URI. */
const REG_NAME = "(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+"
const HOST = whole(`(\\[(?:${IPV6})\\]|${REG_NAME})(?::([0-9]{0,5}))?`)

function isHost(text: string): boolean {
  const [, host, port] = HOST.exec(text) ?? []
  return host !== undefined && host.length <= HOST_MOST && Number(port ?? 0) <= 65_535
}

// --- bodies

interface Body {
  readonly bytes: string
  readonly end: Request['end']
  /** How many octets it takes. */
  readonly size: number
}

function readBody({ framing, length }: Head, bytes: string): Body {
  if (framing === 'chunked') return readChunks(bytes)
  const body = bytes.slice(0, length)
  return { bytes: body, end: body.length === length ? 'end' : 'incomplete', size: body.length }
}

const EXTENSION = `[ \\t]*;[ \\t]*${TOKEN}(?:[ \\t]*=[ \\t]*(?:${TOKEN}|${QUOTED}))?`
const SIZE_LINE = whole(`[0-9A-Fa-f]{1,32}(?:${EXTENSION})*`)
const TRAILER = whole(`(?:${TOKEN}:${VALUE})?`)
const ENDS_OF_SIZE_LINE = ['', '0', ';a', 'a', '"', 'x"']
const ENDS_OF_TRAILER = ['', ':', 'a:']

interface Grammar {
  readonly isWhole: (line: string) => boolean
  /** What, for every beginning of such a line, makes it a whole one. */
  readonly ends: readonly string[]
  readonly most: number
}

const SIZE_LINES: Grammar = {
  isWhole: (line) => SIZE_LINE.test(line) && sizeOf(line) <= BigInt(Number.MAX_SAFE_INTEGER),
  ends: ENDS_OF_SIZE_LINE,
  most: CHUNK_LINE_MOST,
}

function sizeOf(line: string): bigint {
  return BigInt(`0x${/^[0-9A-Fa-f]+/.exec(line)![0]}`)
}

/** RFC 9112, section 7.1. */
function readChunks(bytes: string): Body {
  let data = ''
  const ended = (end: Request['end'], size = bytes.length): Body => ({ bytes: data, end, size })
  for (let at = 0; ; ) {
    const line = readLine(bytes, at, SIZE_LINES)
    if (typeof line === 'string') return ended(line)
    const size = sizeOf(line.content)
    if (size === 0n) {
      const end = readTrailers(bytes, line.next)
      return typeof end === 'string' ? ended(end) : ended('end', end)
    }
    const chunk = bytes.slice(line.next, line.next + Number(size))
    data += chunk
    at = line.next + chunk.length
    const lineBreak = bytes.slice(at, at + 2)
    if (BigInt(chunk.length) < size) return ended('incomplete')
    if (!'\r\n'.startsWith(lineBreak)) return ended('broken')
    if (lineBreak.length < 2) return ended('incomplete')
    at += 2
  }
}

/** Returns where they end. */
function readTrailers(bytes: string, from: number): number | 'broken' | 'incomplete' {
  let octets = 0
  for (let at = from; ; ) {
    const most = TRAILERS_MOST - octets
    const line = readLine(bytes, at, { isWhole: (line) => TRAILER.test(line), ends: ENDS_OF_TRAILER, most })
    if (typeof line === 'string') return line
    if (line.content === '') return line.next
    octets += line.content.length
    at = line.next
  }
}

/** A line, or whether it can still become one. */
function readLine(bytes: string, at: number, { isWhole, ends, most }: Grammar) {
  const lf = bytes.indexOf('\n', at)
  const line = lf < 0 ? bytes.slice(at) : bytes.slice(at, lf)
  const content = line.endsWith('\r') ? line.slice(0, -1) : line
  if (content.length > most) return 'broken'
  if (lf < 0 && content === line) return ends.some((end) => isWhole(line + end)) ? 'incomplete' : 'broken'
  if (content === line || !isWhole(content)) return 'broken'
  return lf < 0 ? 'incomplete' : { content, next: lf + 1 }
}
