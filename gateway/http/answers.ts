import { STATUS_CODES } from 'node:http'
import { type EndReason, type Failure, type FailureValues, type PipeView, Refusal } from '../../core/index.js'
import { endingOf } from './failures.js'

/** Header values are Latin-1 text: one character for each byte on the wire. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/** A complete short response. */
export interface Answer {
  readonly status: number
  readonly headers: HeaderList
  readonly body: string
}

/** `404` → `404 Not Found`. */
export function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Unknown'}`
}

/** Every answer that is not a stream has these. */
export const PLAIN: HeaderList = [
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Robots-Tag', 'none'],
]

/** What was refused for want of room is worth another try after so many seconds. */
export function retryAfter(status: number): HeaderList {
  return status === 429 || status === 503 ? [['Retry-After', '5']] : []
}

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const FIELD_VALUE = /^[\x20-\x7e\x80-\xff]*$/
/** Where a response ends, and what becomes of the connection, is not for others to say. */
const FRAMING = /^(content-length|transfer-encoding|connection)$/i

/**
 * A header that somebody else made. uWebSockets writes what it is given, line breaks too.
 * @throws TypeError or RangeError when it cannot stand in a response
 */
export function soundHeader(name: unknown, value: unknown): readonly [name: string, value: string] {
  if (typeof name !== 'string' || typeof value !== 'string')
    throw new TypeError(`the header ${String(name)} is no text`)
  if (!FIELD_NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} is no name of a header`)
  if (FRAMING.test(name)) throw new RangeError(`the header ${name} is the gateway's own`)
  if (!FIELD_VALUE.test(value))
    throw new RangeError(`the header ${name} has a control character, or one beyond Latin-1`)
  return [name, value]
}

/** Headers that somebody else made, and that nobody can change any more. @throws like `soundHeader` */
export function soundHeaders(headers: HeaderList): HeaderList {
  return Array.from(headers, ([name, value]) => soundHeader(name, value))
}

const KNOWN = new WeakMap<HeaderList, HeaderList>()

/** The same for a list that is given again and again: a frozen one is looked at once. @throws like `soundHeader` */
export function soundHeadersOnce(headers: HeaderList): HeaderList {
  const known = KNOWN.get(headers)
  if (known !== undefined) return known
  const sound = soundHeaders(headers)
  if (Object.isFrozen(headers)) KNOWN.set(headers, sound)
  return sound
}

/** @throws RangeError when no response can have it; an interim one is none */
export function soundStatus(status: unknown): number {
  if (Number.isInteger(status) && (status as number) >= 200 && (status as number) < 600) return status as number
  throw new RangeError(`the status ${String(status)} is not one of 200 to 599`)
}

/** An answer that somebody else made, looked at once. @throws TypeError or RangeError when it is none */
export function soundAnswer(answer: unknown): Answer {
  const { status, headers, body } = answer as Answer
  if (typeof body !== 'string') throw new TypeError('the body of an answer is no text')
  return { status: soundStatus(status), headers: soundHeaders(headers), body }
}

export function textAnswer(status: number, body: string, headers: HeaderList = []): Answer {
  return { status, body, headers: [['Content-Type', 'text/plain; charset=utf-8'], ...PLAIN, ...headers] }
}

export function jsonAnswer(status: number, value: unknown, headers: HeaderList = []): Answer {
  const body = `${JSON.stringify(value)}\n`
  return { status, body, headers: [['Content-Type', 'application/json'], ...PLAIN, ...headers] }
}

/** One `[ERROR]` line, or the same as JSON when the client asks for that. */
function failureAnswer(status: number, code: string, message: string, accept: string, more: HeaderList): Answer {
  const known = more.some(([name]) => name.toLowerCase() === 'retry-after')
  const headers: HeaderList = [['X-Pipe-Code', code], ...(known ? [] : retryAfter(status)), ...more]
  if (accept.includes('application/json')) return jsonAnswer(status, { error: { code, status, message } }, headers)
  return textAnswer(status, `[ERROR] ${message}\n`, headers)
}

/** A refusal with headers of its own: what is allowed, how to authenticate, when to come again. */
export class RefusalWithHeaders extends Refusal {
  constructor(
    failure: Failure,
    values: FailureValues,
    readonly headers: HeaderList,
  ) {
    super(failure, values)
  }
}

/** @param accept the client's `Accept` header */
export function refusalAnswer(refusal: Refusal, accept: string): Answer {
  const { code, status } = refusal.failure
  const headers = refusal instanceof RefusalWithHeaders ? refusal.headers : []
  return failureAnswer(status, code, refusal.text, accept, headers)
}

/** What programs are told an end by. */
export function endingCode(reason: EndReason, { endFailure }: Pick<PipeView, 'endFailure'>): string {
  return endFailure?.code ?? reason.toUpperCase()
}

/** For a receiver whose transfer ended before its headers went out. */
export function endingAnswer(reason: EndReason, pipe: Pick<PipeView, 'endFailure'>, accept: string): Answer {
  const { status, line } = endingOf(reason, pipe)
  return failureAnswer(status, endingCode(reason, pipe), line, accept, [])
}
