/** Requests that are refused, and what every refusal has in common. */

import type { Test } from 'tap'
import type { Failure } from '../../../../core/index.js'
import type { Running } from '../../../support/gateway.js'
import { connect, type RawClient, type RawResponse } from '../../../support/raw.js'

/** Codes that some request below has really been answered with. */
export const reached = new Set<string>()

export interface Ask {
  readonly method: string
  /** The request target as it goes out, one character for each byte. */
  readonly target: string
  readonly headers?: readonly string[]
  readonly body?: string
}

export interface Case extends Ask {
  readonly row: Failure
  /** What was found and what to do about it, in this order. */
  readonly says: RegExp
  readonly allow?: string
}

export function wire({ method, target, headers = [], body = '' }: Ask, ...more: string[]): string {
  return `${[`${method} ${target} HTTP/1.1`, 'Host: pipe.test', ...headers, ...more].join('\r\n')}\r\n\r\n${body}`
}

/** `PUT` with these headers and a body of known length. */
export function put(target: string, body: string, ...headers: string[]): Ask {
  return { method: 'PUT', target, headers: [...headers, `Content-Length: ${body.length}`], body }
}

export function get(target: string): Ask {
  return { method: 'GET', target }
}

export async function open(gw: Running, ask: Ask, ...more: string[]): Promise<RawClient> {
  const client = await connect({ port: gw.port })
  await client.send(wire(ask, ...more))
  return client
}

/** One request on a connection of its own, and its complete response. */
export async function answer(
  gw: Running,
  ask: Ask,
  ...more: string[]
): Promise<{ response: RawResponse; text: string }> {
  const client = await open(gw, ask, ...more)
  const response = await client.waitForResponse({ head: ask.method === 'HEAD' })
  client.destroy()
  return { response, text: client.text }
}

export function nameOf(ask: Ask): string {
  return `${ask.method} ${ask.target.slice(0, 60)} ${(ask.headers ?? []).join(', ').slice(0, 60)}`.trimEnd()
}

/** The text when a pattern is not met, so that the difference shows it. */
function met(text: string | undefined, ...patterns: readonly RegExp[]): string {
  return patterns.every((pattern) => text !== undefined && pattern.test(text)) ? 'met' : `not met: ${text}`
}

/** What holds for every refusal as text. Returns the line. One assertion: there are thousands of these. */
export function checkText(t: Test, name: string, response: RawResponse, wanted: Omit<Case, keyof Ask>): string {
  const { row, says, allow } = wanted
  const { headers } = response
  const line = response.body.toString('latin1')
  reached.add(headers['x-pipe-code']?.[0] ?? '')
  const noHole = /^(?!.*(\{\w+\}|undefined|NaN|\[object))/
  t.same(
    {
      ...commonOf(response),
      type: headers['content-type'],
      allow: headers.allow,
      line: met(line, /^\[ERROR\] [\x20-\x7e]+\n$/, noHole, says),
    },
    {
      ...commonFor(row),
      type: ['text/plain; charset=utf-8'],
      allow: allow === undefined ? undefined : [allow],
      line: 'met',
    },
    name,
  )
  return line
}

function commonOf(response: RawResponse): unknown[] {
  const { status, complete, framing, headers } = response
  const [again] = headers['retry-after'] ?? []
  return [
    ...[status, complete, framing, headers['x-pipe-code']],
    ...[headers['x-content-type-options'], headers['x-robots-tag'], headers['cache-control']],
    again === undefined ? 'coming back later would not help' : `come back: ${met(again, /^[1-9][0-9]*$/)}`,
  ]
}

function commonFor({ status, code }: Failure): unknown[] {
  const again = status === 429 || status === 503 ? 'come back: met' : 'coming back later would not help'
  return [status, true, 'length', [code], ['nosniff'], ['none'], ['no-store'], again]
}

export function checkJson(t: Test, name: string, response: RawResponse, row: Failure, line: string): void {
  const text = response.body.toString('latin1')
  const message = line.slice('[ERROR] '.length, -1)
  t.same(
    {
      ...commonOf(response),
      type: response.headers['content-type'],
      lines: met(text, /^[^\n]+\n$/),
      body: parsed(text),
    },
    {
      ...commonFor(row),
      type: ['application/json'],
      lines: 'met',
      body: { error: { code: row.code, status: row.status, message } },
    },
    `${name}, as JSON`,
  )
}

/** undefined for what is no JSON, so that the comparison shows the difference. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Sends the request twice, for the text and for the JSON; a refusal changes nothing, so both say the same. */
export async function refused(t: Test, gw: Running, each: Case): Promise<void> {
  const name = nameOf(each)
  const plain = await answer(gw, each)
  const line = checkText(t, name, plain.response, each)
  const json = await answer(gw, each, 'Accept: text/html, application/json;q=0.9')
  checkJson(t, name, json.response, each.row, line)
  t.match(plain.text + json.text, /^[\x00-\x7f]*$/, `${name}: every byte is ASCII`)
}

/** All at once: none of these leaves anything behind. */
export async function allRefused(t: Test, gw: Running, cases: readonly Case[]): Promise<void> {
  const { waiting } = gw.gateway.table
  await Promise.all(cases.map((each) => refused(t, gw, each)))
  t.equal(gw.gateway.table.waiting, waiting, 'no refused request waits')
}

export const NAME_METHODS = 'GET, POST, PUT, OPTIONS'
export const RESERVED_METHODS = 'GET, HEAD, OPTIONS'
