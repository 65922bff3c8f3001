/** A plugin for tests: says what a thread has to whoever asks at a socket. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { definePlugin, type Host, PLUGIN_API, z } from '../../../gateway/host/plugin-api.js'

const config = z.strictObject({ path: z.string(), gateway: z.string() })

export default definePlugin({
  name: 'looks',
  api: PLUGIN_API,
  scope: 'thread',
  config,
  setup(host) {
    let socket: Socket
    const say = (what: object) => socket.write(`${JSON.stringify(what)}\n`)
    return {
      async start() {
        socket = connect(host.config.path)
        await once(socket, 'connect')
        socket.unref()
        const lines = createInterface({ input: socket })
        lines.on('line', () => say({ look: look(host) }))
        say({ gateway: host.config.gateway })
        await once(lines, 'line')
      },
      async stop() {
        say({ end: look(host) })
        await new Promise<void>((resolve) => socket.end(resolve))
      },
    }
  },
})

function look({ pipes, gateway }: Pick<Host, 'pipes' | 'gateway'>) {
  const all = [...pipes.all()]
  return {
    waiting: pipes.waiting,
    streaming: pipes.streaming,
    viewers: all.reduce((sum, { live }) => sum + (live?.viewers ?? 0), 0),
    heldBytes: gateway.heldBytes,
    names: [...pipes.names()].map((each) => plain(each, 2)),
    transfers: all.map(({ key }) => ({ key })),
  }
}

/** What an object says, by itself or by its class, so deep. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'function' || typeof value === 'bigint') return undefined
  if (typeof value !== 'object' || value === null) return value
  const found: Record<string, unknown> = {}
  if (depth < 0) return found
  for (let from = value; from !== Object.prototype && from !== null; from = Object.getPrototypeOf(from) as object)
    for (const name of Object.getOwnPropertyNames(from))
      if (!name.startsWith('_') && !(name in found))
        found[name] = plain((value as Record<string, unknown>)[name], depth - 1)
  return found
}
