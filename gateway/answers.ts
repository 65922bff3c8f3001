import { STATUS_CODES } from 'node:http'
import type { EndReason, Refusal } from '../core/index.js'
import { ENDINGS } from './failures.js'

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
const PLAIN: HeaderList = [
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
  const headers: HeaderList = [['X-Pipe-Code', code], ...retryAfter(status), ...more]
  if (accept.includes('application/json')) return jsonAnswer(status, { error: { code, status, message } }, headers)
  return textAnswer(status, `[ERROR] ${message}\n`, headers)
}

/** @param accept the client's `Accept` header */
export function refusalAnswer(refusal: Refusal, accept: string, more: HeaderList = []): Answer {
  const { code, status } = refusal.failure
  return failureAnswer(status, code, refusal.text, accept, more)
}

/** For a receiver whose transfer ended before its headers went out. */
export function endingAnswer(reason: EndReason, accept: string): Answer {
  const { status, line } = ENDINGS[reason]
  return failureAnswer(status, reason.toUpperCase(), line, accept, [])
}
