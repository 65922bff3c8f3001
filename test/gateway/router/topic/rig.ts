/** Subscribers and publishers of topics over real connections. */
import type { Test } from 'tap'
import t from 'tap'
import type { TopicCounts } from '../../../../core/index.js'
import { eventually } from '../../../support/eventually.js'
import type { Running } from '../../../support/gateway.js'
import { parseResponse, type RawClient, type RawResponse } from '../../../support/raw.js'

export const KIB = 1024
export const MIB = 1024 * 1024

export function countsOf(gateway: Running, name: string): TopicCounts | undefined {
  return gateway.gateway.table.get(name)?.topic
}

export function countsAre(gateway: Running, name: string, wanted: Partial<TopicCounts>): Promise<void> {
  return eventually(() => {
    const counts = countsOf(gateway, name)
    const differ = Object.entries(wanted).filter(([key, value]) => counts?.[key as keyof TopicCounts] !== value)
    return differ.length === 0 || `${name}: ${JSON.stringify(counts)}, wanted ${JSON.stringify(wanted)}`
  })
}

/** A subscriber that is there, and one of `count`. */
export async function subscribed(
  gateway: Running,
  name: string,
  count: number,
  { accept = '*/*', frozen = false, query = '' } = {},
): Promise<RawClient> {
  const client = await gateway.connect({ pauseOnConnect: frozen })
  await client.send(`GET /${name}?topic${query} HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\n\r\n`)
  await countsAre(gateway, name, { subscribers: count })
  return client
}

/** The request of a publisher. */
export function post(target: string, body: string | Uint8Array, ...headers: string[]): Buffer {
  const bytes = Buffer.from(body as Uint8Array)
  const head = [`POST /${target} HTTP/1.1`, 'Host: x', `Content-Length: ${bytes.length}`, ...headers, '', '']
  return Buffer.concat([Buffer.from(head.join('\r\n')), bytes])
}

/** Publishes on a connection of its own, and returns the whole answer. */
export async function published(
  gateway: Running,
  target: string,
  body: string | Uint8Array,
  ...headers: string[]
): Promise<RawResponse> {
  const client = await gateway.connect()
  await client.send(post(target, body, ...headers))
  const response = await client.waitForResponse({ timeoutMs: 30_000 })
  client.destroy()
  return response
}

/** Publishes many large messages at once, whatever becomes of them. */
export function flood(gateway: Running, target: string): void {
  for (let i = 0; i < 32; i++) published(gateway, target, Buffer.alloc(MIB, 'x')).catch(() => {})
}

export const textOf = ({ body }: RawResponse): string => body.toString('latin1')

/** What the subscriber has got so far, without the framing; empty while there is no head. */
export function bodyOf(client: RawClient): string {
  return client.received.includes('\r\n\r\n') ? parseResponse(client.received).body.toString('latin1') : ''
}

export function hasBody(client: RawClient, wanted: string): Promise<void> {
  return eventually(() => bodyOf(client) === wanted || `${JSON.stringify(bodyOf(client).slice(-200))}`)
}

t.jobs = 4
export const parts: Promise<unknown>[] = []
export const part = (name: string, run: (t: Test) => Promise<void>) => parts.push(t.test(name, run))
