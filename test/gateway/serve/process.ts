/** What the tests of the program as a whole share. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { PROJECT } from '../../support/program.js'
import type { RawClient } from '../../support/raw.js'

export const VERSION = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')).version
export const MIB = 1024 * 1024
/** Far more than an exit takes, far less than any time-out that a forgotten connection would add. */
export const AT_ONCE_MS = 3000
/** What curl says of a transfer that was cut: partial file, failed write, failed read. */
export const CUT = [18, 55, 56]

export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** Resolves when so many pipes wait and so many transfers stream. */
export async function holds(url: (name: string) => string, waiting: number, streaming: number): Promise<void> {
  await eventually(async () => {
    const health = await curlDone(['-gk', url('health')])
    const found = JSON.parse(health.stdout.toString())
    return (found.waiting === waiting && found.streaming === streaming) || `holds ${health.stdout}`
  })
}

/** Sends a request on a connection that is kept, and waits for the answer. */
export async function ask(client: RawClient, request: string): Promise<ReturnType<RawClient['waitForResponse']>> {
  const from = client.receivedBytes
  await client.send(`${request} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return client.waitForResponse({ from })
}

/** A transfer whose sender writes piece by piece: running, with its first bytes delivered. */
export async function runningTransfer(url: (name: string) => string, name: string) {
  const receiver = curl(['-N', url(name)])
  // "-T ." and not "-T -": that one waits for its input and does not look at the answer meanwhile.
  const sender = curl(['-N', '-T', '.', url(name)])
  sender.stdin.write('first\n')
  await receiver.waitFor('first\n')
  await sender.waitFor('Streaming')
  return { receiver, sender }
}
