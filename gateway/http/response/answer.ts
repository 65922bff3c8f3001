import { STATUS_CODES } from 'node:http'

/** Header values are Latin-1 text: one character for each byte on the wire. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/** A complete short response. */
export interface Answer {
  readonly status: number
  readonly headers: HeaderList
  readonly body: string
}

const WITH_REASON = new Map(Object.entries(STATUS_CODES).map(([code, reason]) => [Number(code), `${code} ${reason}`]))

/** `404` → `404 Not Found`. */
export function statusWithReason(status: number): string {
  return WITH_REASON.get(status) ?? `${status} Unknown`
}

/** Every answer that is not a stream has these. */
export const ANSWER_HEADERS: HeaderList = [
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Robots-Tag', 'none'],
]

/** A request that was refused for lack of room is worth another try after this many seconds. */
export function retryAfter(status: number): HeaderList {
  return status === 429 || status === 503 ? [['Retry-After', '5']] : []
}

export function textAnswer(status: number, body: string, headers: HeaderList = []): Answer {
  return { status, body, headers: [['Content-Type', 'text/plain; charset=utf-8'], ...ANSWER_HEADERS, ...headers] }
}

export function jsonAnswer(status: number, value: unknown, headers: HeaderList = []): Answer {
  const body = `${JSON.stringify(value)}\n`
  return { status, body, headers: [['Content-Type', 'application/json'], ...ANSWER_HEADERS, ...headers] }
}
