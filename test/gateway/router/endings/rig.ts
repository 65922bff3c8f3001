/** Senders and receivers that end in unusual ways, and how tests of that run. */

import type { Test } from 'tap'
import t from 'tap'
import type { EndReason } from '../../../../core/index.js'
import { curl } from '../../../support/curl.js'
import type { Running } from '../../../support/gateway.js'
import { parseResponse, type RawClient } from '../../../support/raw.js'

export const MIB = 1024 * 1024
export const seen = new Set<EndReason>()

/** The reason that the log gives for the `count`-th transfer of this name. */
export async function reasonOf(gateway: Running, name: string, count = 1): Promise<EndReason> {
  const reason = await gateway.ended(name, count)
  seen.add(reason)
  return reason
}

type Framing = 'length' | 'chunked'
export const FRAMINGS: readonly Framing[] = ['length', 'chunked']

/** A sender that announces 1 MiB, or any length, and sends only what it is told to. */
export async function openSender(gateway: Running, target: string, framing: Framing): Promise<RawClient> {
  const sender = await gateway.connect()
  const length = framing === 'length' ? `Content-Length: ${MIB}` : 'Transfer-Encoding: chunked'
  await sender.send(`PUT /${target} HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n`)
  return sender
}

export async function sendPart(sender: RawClient, framing: Framing, bytes: string): Promise<void> {
  await sender.send(framing === 'length' ? bytes : `${bytes.length.toString(16)}\r\n${bytes}\r\n`)
}

export async function openReceiver(gateway: Running, target: string): Promise<RawClient> {
  const receiver = await gateway.connect()
  await receiver.send(`GET /${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return receiver
}

/** A receiver that has asked and never reads. */
export async function openFrozenReceiver(gateway: Running, target: string): Promise<RawClient> {
  const receiver = await gateway.connect({ pauseOnConnect: true })
  await receiver.send(`GET /${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return receiver
}

/** A sender that sends zeros as fast as it may, until it is over. */
export function pour(gateway: Running, target: string, bytes: number) {
  return curl(['-N', '-T', '-', `${gateway.origin}/${target}`], { input: Buffer.alloc(bytes) })
}

export function endsBadly(t: Test, client: RawClient, line: string): void {
  const response = parseResponse(client.received)
  t.equal(response.status, 200)
  t.equal(response.body.toString().trimEnd().split('\n').at(-1), line)
  t.notOk(response.complete, 'the response has no clean end')
}

t.jobs = 4
export const parts: Promise<unknown>[] = []
export const part = (name: string, run: (t: Test) => Promise<void>) => parts.push(t.test(name, run))
