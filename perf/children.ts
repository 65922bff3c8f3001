/** Every process that a lane starts, so that none outlives it. */

import type { ChildProcess } from 'node:child_process'

const running = new Set<ChildProcess>()

/** Registers a child. Whoever started the lane is told its id, to end it if the lane cannot. */
export function adopt<C extends ChildProcess>(child: C): C {
  running.add(child)
  child.once('exit', () => running.delete(child))
  if (child.pid !== undefined) process.send?.({ child: child.pid })
  return child
}

/** Ends one child and waits until it has ended. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

/** Ends every child that still runs. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map(end))
}
