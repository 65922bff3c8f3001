/** Starts a lane in a process of its own and sees to it that nothing of it is left. */

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LaneOrder } from './lane-process.js'
import type { LaneResult } from './result.js'

const LANE_PROCESS = fileURLToPath(new URL('lane-process.js', import.meta.url))

/** What a lane's process tells. */
type Message = { readonly child: number } | { readonly result: LaneResult }

/** Runs a lane. Rejects when its process ends without a result. A signal that ends this process ends the lane. */
export async function runLane(order: LaneOrder): Promise<LaneResult> {
  const children = new Set<number>()
  const lane = fork(LANE_PROCESS, [JSON.stringify(order)], { execArgv: [] })
  let result: LaneResult | undefined
  lane.on('message', (message: Message) => {
    if ('child' in message) children.add(message.child)
    else result = message.result
  })
  const stop = () => lane.kill('SIGKILL')
  process.once('SIGINT', stop).once('SIGTERM', stop)
  await new Promise((resolve) => lane.once('exit', resolve))
  process.off('SIGINT', stop).off('SIGTERM', stop)
  if (result !== undefined) return result
  // It could not end what it had started.
  for (const child of children) endQuietly(child)
  throw new Error(`lane ${order.lane} ended without a result`)
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
