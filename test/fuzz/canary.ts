/** An honest transfer beside the attacks: it must have its own bytes, all of them and nothing else. */

import { randomBytes, randomInt } from 'node:crypto'
import { connect } from '../support/raw.js'
import type { Door } from './assailant.js'

const LIMIT_MS = 30_000
const MOST_BYTES = 300_000

/** Resolves when it is complete, and rejects with what was wrong. */
export async function canary(door: Door): Promise<void> {
  const name = `canary-${randomBytes(8).toString('hex')}`
  const body = randomBytes(randomInt(1, MOST_BYTES))
  const [sender, receiver] = await Promise.all([connect(door), connect(door)])
  try {
    const endpoints = [
      () => receiver.send(`GET /${name}?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n`),
      () => {
        void sender.send(`PUT /${name}?wait=60 HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`)
        return sender.send(body)
      },
    ]
    if (randomInt(2) === 0) endpoints.reverse()
    for (const sit of endpoints) void sit()
    const got = await receiver.waitForResponse({ timeoutMs: LIMIT_MS })
    const told = await sender.waitForResponse({ timeoutMs: LIMIT_MS })
    if (got.status !== 200 || !got.body.equals(body)) throw new Error(`${name}: ${got.status} with other bytes`)
    if (!told.body.toString().endsWith('[INFO] Transfer complete.\n')) throw new Error(`${name}: ${told.body}`)
  } finally {
    sender.destroy()
    receiver.destroy()
  }
}
