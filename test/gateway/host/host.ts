/** The plugin host alone. */

import { Writable } from 'node:stream'
import { pino } from 'pino'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import { PluginHost } from '../../../gateway/host/plugin-host.js'
import { SharedMemories } from '../../../gateway/host/shared-memories.js'

/** The plugins alone, with what they log. */
export function hostOf(plugins: readonly LoadedPlugin[]) {
  const lines: string[] = []
  const log = pino({}, new Writable({ write: (chunk, _encoding, done) => done(void lines.push(String(chunk))) }))
  const host = new PluginHost(plugins, {
    log,
    prefix: '',
    pipes: { get: () => undefined, all: () => [], names: () => [], waiting: 0, streaming: 0 },
    gateway: {} as never,
    throttles: {} as never,
    now: () => performance.now(),
    decideMs: 60_000,
    stopMs: 50,
    stop: () => false,
    thread: { number: 0, count: 1 },
    memories: new SharedMemories(),
    reportsElsewhere: async () => [],
  })
  return { host, lines, log }
}
