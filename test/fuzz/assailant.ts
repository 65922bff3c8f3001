/** Carries out one connection of an attack, and tells what came of it. */

import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectOptions, connect, type RawClient } from '../support/raw.js'
import type { Line } from './attack.js'
import { isAnswered, problemsOf } from './responses.js'

/** uWebSockets closes after about ten seconds what it does not answer; waits and idle limits of the gateway under test are shorter. */
const LIMIT_MS = 40_000
/** How long those stay that do not stay. */
const PATIENCE_MS = 300

/** Where the gateway is, and whether it speaks TLS there. */
export type Door = Pick<ConnectOptions, 'port' | 'tls'>

/** Resolves with every rule that the gateway broke towards this client. */
export async function assail(door: Door, line: Line): Promise<string[]> {
  const client = await connect(door)
  for (const { send, pause } of line.steps) {
    if (pause > 0) await sleep(pause)
    void client.send(send)
  }
  const sent = line.steps.map((step) => step.send).join('')
  const isOver = () => client.isClosed || isAnswered(client.received)
  const answered = await patience(isOver, line.stays ? LIMIT_MS : PATIENCE_MS)
  const problems = answered || !line.stays ? [] : [`neither answered nor closed for ${LIMIT_MS} ms`]
  const closedByServer = client.isClosed || client.endedCleanly
  await leave(client, line)
  return [...problems, ...problemsOf(client.received, sent, closedByServer)]
}

/** Unlike `eventually` it may end without the fact. */
async function patience(fact: () => boolean, ms: number): Promise<boolean> {
  const until = performance.now() + ms
  while (!fact() && performance.now() < until) await sleep(10)
  return fact()
}

async function leave(client: RawClient, { leaves }: Line): Promise<void> {
  if (leaves === 'halfClose') {
    client.halfClose()
    await patience(() => client.isClosed, PATIENCE_MS)
  }
  if (leaves === 'reset') client.reset()
  else client.destroy()
  await client.closed
}
