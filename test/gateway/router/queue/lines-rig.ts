/** Producers and workers with many jobs in one request. */
import { eventually } from '../../../support/eventually.js'
import type { Running } from '../../../support/gateway.js'
import { parseResponse, type RawClient, type RawResponse } from '../../../support/raw.js'
import { countsOf } from './rig.js'

/** A worker that gets a line for each job, and waits. */
export async function hires(
  gateway: Running,
  query = '&lines',
  { accept = '*/*', frozen = false } = {},
): Promise<RawClient> {
  const before = countsOf(gateway)?.workers ?? 0
  const client = await gateway.connect({ pauseOnConnect: frozen })
  await client.send(`GET /q?queue${query} HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\n\r\n`)
  await eventually(() => countsOf(gateway)?.workers === before + 1 || `${countsOf(gateway)?.workers} workers`)
  return client
}

/** Uploads these lines, and returns the whole answer. */
export async function pours(gateway: Running, lines: string, query = '', timeoutMs = 60_000): Promise<RawResponse> {
  const client = await gateway.connect()
  const head = `PUT /q?queue&lines${query} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(lines)}\r\n\r\n`
  // An answer may come before all of it has been read.
  client.send(`${head}${lines}`).catch(() => {})
  const response = await client.waitForResponse({ timeoutMs })
  client.destroy()
  return response
}

/** `name 0`, `name 1` and so on. */
export function numbers(count: number, name: string, bytes = 0): string {
  return Array.from({ length: count }, (_, i) => `${name} ${i} ${'x'.repeat(bytes)}\n`).join('')
}

/** The whole lines that this worker has got. */
export function linesOf(worker: RawClient): string[] {
  if (!worker.received.includes('\r\n\r\n')) return []
  return parseResponse(worker.received).body.toString('latin1').split('\n').slice(0, -1)
}

export function hasLines(worker: RawClient, wanted: readonly string[]): Promise<void> {
  return eventually(() => linesOf(worker).join() === wanted.join() || linesOf(worker).join().slice(-200))
}
