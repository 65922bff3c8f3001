/** Live senders and viewers over real connections, and what a viewer has been told and given. */
import type { Test } from 'tap'
import t from 'tap'
import type { LiveCounts, PipeView } from '../../../../core/index.js'
import { eventually } from '../../../support/eventually.js'
import type { Running } from '../../../support/gateway.js'
import { parseResponse, type RawClient } from '../../../support/raw.js'
import { bodyOf } from '../../../support/tape.js'

export const KIB = 1024
export const MIB = 1024 * 1024

/** What a viewer of this name was told of its place, and what it has got. */
export interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, readonly string[]>>
  /** Place in the stream of its first byte, a header in front of it aside. */
  readonly offset: number
  readonly body: Buffer
  readonly complete: boolean
}

/** A sender of which nothing is heard that the test does not ask for. */
export class LiveSender {
  constructor(readonly client: RawClient) {}

  /** Sends one chunk. Resolves when the kernel has it. */
  send(bytes: string | Uint8Array): Promise<void> {
    const body = Buffer.from(bytes as Uint8Array)
    return this.client.send(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]))
  }

  end(): Promise<void> {
    return this.client.send('0\r\n\r\n')
  }

  /** All that it has read, without the framing. */
  get lines(): string {
    return parseResponse(this.client.received).body.toString()
  }

  /** Its last line, once its response has ended cleanly. */
  async lastLine(): Promise<string> {
    const { body } = await this.client.waitForResponse({ timeoutMs: 30_000 })
    return body.toString().trimEnd().split('\n').at(-1) ?? ''
  }
}

/**
 * A sender that has said what it wants, and nothing of its body.
 * @param target the name with its query, `live` included
 */
export async function openLive(gateway: Running, target: string, ...headers: string[]): Promise<LiveSender> {
  const client = await gateway.connect()
  const head = [`PUT /${target} HTTP/1.1`, 'Host: x', 'Transfer-Encoding: chunked', ...headers]
  await client.send(`${head.join('\r\n')}\r\n\r\n`)
  return new LiveSender(client)
}

/** A viewer that reads, unless it is `frozen`. */
export async function openViewer(gateway: Running, target: string, frozen?: 'frozen'): Promise<RawClient> {
  const viewer = await gateway.connect({ pauseOnConnect: frozen === 'frozen' })
  await viewer.send(`GET /${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return viewer
}

/** One that reads what comes while `count` viewers are there, itself included. */
export async function joined(gateway: Running, target: string, count: number, frozen?: 'frozen'): Promise<RawClient> {
  const viewer = await openViewer(gateway, target, frozen)
  await viewersOf(gateway, nameOf(target), count)
  return viewer
}

export function seenBy(viewer: RawClient): Seen {
  const { status, headers, body, complete } = parseResponse(viewer.received)
  return { status, headers, offset: Number(headers['x-pipe-offset']?.[0] ?? Number.NaN), body, complete }
}

export function pipeOf(gateway: Running, name: string): PipeView | undefined {
  return gateway.gateway.table.get(name)
}

export function countsOf(gateway: Running, name: string): LiveCounts | undefined {
  return pipeOf(gateway, name)?.live
}

export function viewersOf(gateway: Running, name: string, count: number): Promise<void> {
  return eventually(() => {
    const viewers = countsOf(gateway, name)?.viewers
    return viewers === count || `${viewers} viewers of ${name}, wanted ${count}`
  })
}

/** Resolves when so many bytes of the body have been read. */
export function hasRead(gateway: Running, name: string, bytes: number): Promise<void> {
  return eventually(
    () => {
      const read = pipeOf(gateway, name)?.bytesIn
      return read === bytes || `${read} bytes of ${name} have been read, wanted ${bytes}`
    },
    { timeoutMs: 30_000 },
  )
}

/** Resolves when the viewer has so many bytes of its response, framing included: looking into it would read all of it each time. */
export function hasGot(viewer: RawClient, bytes: number, timeoutMs = 30_000): Promise<void> {
  return eventually(() => viewer.receivedBytes >= bytes || `${viewer.receivedBytes} of ${bytes} bytes`, { timeoutMs })
}

/** It has exactly these bytes, from the place that it was told, and a clean end or none. */
export function exactly(t: Test, viewer: RawClient, stream: Buffer, offset: number, end: 'clean' | 'cut'): void {
  const seen = seenBy(viewer)
  t.equal(seen.status, 200)
  t.equal(seen.offset, offset, 'it is told where it began')
  const most = stream.subarray(offset, offset + seen.body.length)
  t.ok(seen.body.equals(most), `every byte from ${offset} on, ${seen.body.length} of them`)
  t.equal(seen.complete, end === 'clean', end === 'clean' ? 'a clean end' : 'no clean end')
  if (end === 'clean') t.equal(seen.body.length, stream.length - offset, 'all of the rest')
}

let bodies = 0
/** Bytes of which every one is right in one place only; up to 8 MiB, and longer ones of several of these. */
export function newBody(bytes: number): Buffer {
  const parts: Buffer[] = []
  for (let left = bytes; left > 0; left -= 8 * MIB) parts.push(bodyOf(++bodies, Math.min(left, 8 * MIB)))
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

export function nameOf(target: string): string {
  return target.replace(/\?.*/, '')
}

t.jobs = 4
export const parts: Promise<unknown>[] = []
export const part = (name: string, run: (t: Test) => Promise<void>) => parts.push(t.test(name, run))
