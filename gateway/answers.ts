import { STATUS_CODES } from 'node:http'
import { type EndReason, type Failure, type FailureValues, type PipeView, Refusal } from '../core/index.js'
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

/** For a receiver whose transfer ended before its headers went out. */
export function endingAnswer(reason: EndReason, pipe: Pick<PipeView, 'endFailure'>, accept: string): Answer {
  const { status, line } = endingOf(reason, pipe)
  return failureAnswer(status, pipe.endFailure?.code ?? reason.toUpperCase(), line, accept, [])
}
