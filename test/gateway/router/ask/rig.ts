/** Askers and workers over real connections. */
import assert from 'node:assert/strict'
import type { Test } from 'tap'
import t from 'tap'
import { eventually } from '../../../support/eventually.js'
import type { Running } from '../../../support/gateway.js'
import type { RawClient, RawResponse } from '../../../support/raw.js'

/** A client that sends one request after the other on one connection, and reads one response after the other. */
export class Client {
  #from = 0

  constructor(readonly raw: RawClient) {}

  /** Sends a request, and does not wait for its response. */
  request(method: string, target: string, body?: string, ...headers: string[]): Promise<void> {
    const framing = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
    const head = [`${method} /${target} HTTP/1.1`, 'Host: x', ...framing, ...headers].join('\r\n')
    return this.raw.send(`${head}\r\n\r\n${body ?? ''}`)
  }

  /** The next response, whole. @param head it has no body */
  async response(timeoutMs = 10_000, head = false): Promise<RawResponse> {
    const response = await this.raw.waitForResponse({ from: this.#from, timeoutMs, head })
    this.#from += response.end
    return response
  }

  /** The head of a response that has begun. */
  async head(): Promise<string> {
    await this.raw.waitFor('\r\n\r\n')
    return this.raw.text.slice(this.#from)
  }
}

export async function open(gateway: Running): Promise<Client> {
  return new Client(await gateway.connect())
}

/** Somebody who has asked, and waits. */
export async function asks(gateway: Running, body?: string, query = '', ...headers: string[]): Promise<Client> {
  const client = await open(gateway)
  await client.request(body === undefined ? 'GET' : 'POST', `q?ask${query}`, body, ...headers)
  return client
}

/** A worker that has asked for a question, and waits. */
export async function serves(gateway: Running, query = ''): Promise<Client> {
  const client = await open(gateway)
  await client.request('GET', `q?serve${query}`)
  return client
}

/** The target of the answer to this question, without its first slash. */
export function answerTo(head: string | RawResponse): string {
  const url =
    typeof head === 'string' ? /\r\nX-Pipe-Answer: (\S+)\r\n/.exec(head)?.[1] : head.headers['x-pipe-answer']?.[0]
  assert.ok(url !== undefined, 'no X-Pipe-Answer')
  return url.slice(url.indexOf('/', url.indexOf('//') + 2) + 1)
}

export const answerId = (head: string | RawResponse) => answerTo(head).split('answer=')[1]!

/** Sends a whole answer on a connection of its own, and returns its response. */
export async function answers(
  gateway: Running,
  target: string,
  body: string,
  ...headers: string[]
): Promise<RawResponse> {
  const client = await open(gateway)
  await client.request('PUT', target, body, ...headers)
  const response = await client.response()
  client.raw.destroy()
  return response
}

/** Waits until so many wait and are unanswered there. */
export function counts(gateway: Running, askers: number, workers: number, unanswered = 0): Promise<void> {
  const wanted = JSON.stringify({ askers, workers, unanswered })
  return eventually(() => {
    const found = JSON.stringify(gateway.gateway.table.get('q')?.ask ?? { askers: 0, workers: 0, unanswered: 0 })
    return found === wanted || found
  })
}

/** Nothing is left of all that was asked. */
export async function nothingLeft(gateway: Running): Promise<void> {
  const { table, slabs } = gateway.gateway
  await eventually(() => {
    const { waiting, streaming, resting, queuedReceivers, unanswered } = table
    const left = { waiting, streaming, resting, queuedReceivers, unanswered, held: slabs.heldBytes }
    return Object.values(left).every((each) => each === 0) || JSON.stringify(left)
  })
  assert.equal(table.get('q'), undefined)
}

/** The status and the code of a response that is none of the worker's. */
export function failure({ status, headers }: RawResponse): string {
  return `${status} ${headers['x-pipe-code']?.[0]}`
}

t.jobs = 3
export const parts: Promise<unknown>[] = []
export const part = (name: string, run: (t: Test) => Promise<void>) => parts.push(t.test(name, run))
