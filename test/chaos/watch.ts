/** Sees what a gateway keeps, also what it tells nobody: deadlines, connections that are kept alive, open responses. */

import { readdirSync, readlinkSync } from 'node:fs'
import { Clock } from '../../core/index.js'
import { Keepalive } from '../../gateway/uws/connection/keepalive.js'
import { UwsServer } from '../../gateway/uws/server.js'
import { eventually } from '../support/eventually.js'
import type { Running } from '../support/gateway.js'

const pulses = new Set<Clock>()
const keepalives = new Set<Keepalive>()
const servers = new Set<UwsServer>()

/** Every one of them is known from its first use on. */
function spy<T extends object, K extends keyof T>(prototype: T, method: K, seen: Set<T>): void {
  const original = prototype[method] as (...args: unknown[]) => unknown
  prototype[method] = function (this: T, ...args: unknown[]) {
    seen.add(this)
    return original.apply(this, args)
  } as T[K]
}
spy(Clock.prototype, 'after', pulses)
spy(Keepalive.prototype, 'add', keepalives)
spy(UwsServer.prototype, 'listen', servers)

export type Until = (is: () => boolean, what: string) => Promise<void>

/** Waits for facts. One that does not come true in time is one more problem. */
export function untilOr(problems: string[], timeoutMs: number): Until {
  return (is, what) =>
    eventually(() => is() || what, { timeoutMs }).catch((error: Error) => void problems.push(error.message))
}

/** Sockets that this process has open. */
export function openSockets(): number {
  let sockets = 0
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')) sockets++
    } catch {
      // Closed in the meantime: the one that read the directory, for a start.
    }
  }
  return sockets
}

function sum<T>(things: Iterable<T>, count: (thing: T) => number): number {
  let total = 0
  for (const thing of things) total += count(thing)
  return total
}

/** Everything that transfers leave behind when something is wrong. */
export function kept({ gateway }: Running) {
  return {
    waiting: gateway.table.waiting,
    streaming: gateway.table.streaming,
    slabs: gateway.slabs.inUse,
    deadlines: sum(pulses, (clock) => clock.size),
    keptAlive: sum(keepalives, (keepalive) => keepalive.size),
    responses: sum(servers, (server) => server.open),
    sockets: openSockets(),
  }
}

/** Resolves when nothing is kept any more, and no more sockets are open than `sockets`. */
export async function keepsNothing(running: Running, sockets: number): Promise<void> {
  const nothing = JSON.stringify({
    ...kept(running),
    waiting: 0,
    streaming: 0,
    slabs: 0,
    deadlines: 0,
    keptAlive: 0,
    responses: 0,
    sockets,
  })
  // A sender that died while it waited is noticed by its reminder only, and a kept connection by its timer.
  await eventually(() => JSON.stringify(kept(running)) === nothing || `it keeps ${JSON.stringify(kept(running))}`, {
    timeoutMs: 40_000,
    everyMs: 50,
  })
}
