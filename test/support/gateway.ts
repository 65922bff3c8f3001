/** The whole gateway in the test's process, on a free port of 127.0.0.1, with its log, every level of it, kept for the test to read. */

import { Writable } from 'node:stream'
import { pino } from 'pino'
import type { EndReason } from '../../core/index.js'
import { type FlagValues, loadConfig } from '../../gateway/config.js'
import { toLoad } from '../../gateway/config-plugins.js'
import { Gateway } from '../../gateway/gateway.js'
import type { LoadedPlugin } from '../../gateway/plugin-host.js'
import { loadPlugins } from '../../gateway/plugin-loader.js'
import { BUNDLED, DEFAULTS } from '../../plugins/bundled.js'
import { eventually } from './eventually.js'

export interface LogLine {
  readonly msg: string
  readonly level: number
  readonly [field: string]: unknown
}

export interface Running {
  readonly gateway: Gateway
  readonly port: number
  /** `http://127.0.0.1:port`, without a path. */
  readonly origin: string
  readonly lines: readonly LogLine[]
  /** `origin` with the prefix and this name and query. */
  url(nameAndQuery: string): string
  /** Resolves with the reason of the `count`-th transfer of this name that has ended. */
  ended(name: string, count?: number): Promise<EndReason>
  /** Resolves when so many pipes wait and so many transfers stream. */
  holds(waiting: number, streaming: number): Promise<void>
}

/** The plugins that a gateway without a configuration has. */
export const defaultPlugins = () => loadPlugins(toLoad([], DEFAULTS), BUNDLED)

/** Anything that can undo things at the end of a test: tap's `t`. */
interface Test {
  teardown(undo: () => unknown): void
}

/**
 * Starts a gateway with these settings. When the test ends it is stopped at once, and must then hold nothing: a leaked
 * slab or pipe fails the test that leaked it.
 */
export async function startGateway(
  t: Test,
  flags: FlagValues = {},
  { plugins = [] }: { readonly plugins?: readonly LoadedPlugin[] } = {},
): Promise<Running> {
  const lines: LogLine[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })
  const gateway = new Gateway(
    loadConfig({ flags: { port: '0', ...flags }, env: {} }),
    pino({ level: 'trace' }, sink),
    plugins,
  )
  const port = await gateway.start()
  t.teardown(async () => {
    await gateway.stop(0)
    // A test is over when its teardown runs, so this can only throw; tap counts that against the test.
    const pipes = gateway.table.waiting + gateway.table.streaming
    const { heldBytes } = gateway.slabs
    if (heldBytes + pipes > 0) throw new Error(`leaked: ${heldBytes} bytes, ${pipes} pipes`)
  })
  const scheme = flags.tlsCert === undefined ? 'http' : 'https'
  const origin = `${scheme}://127.0.0.1:${port}`
  const ends = (name: string) => lines.filter((line) => line.msg === 'transfer' && line.pipe === name)
  return {
    gateway,
    port,
    origin,
    lines,
    url: (nameAndQuery) => `${origin}/api/v1/pipe/${nameAndQuery}`,
    async ended(name, count = 1) {
      await eventually(() => ends(name).length >= count || `${ends(name).length} transfers of ${name} have ended`)
      return ends(name)[count - 1]?.reason as EndReason
    },
    holds(waiting, streaming) {
      const { table } = gateway
      return eventually(
        () =>
          (table.waiting === waiting && table.streaming === streaming) ||
          `${table.waiting} waiting, ${table.streaming} streaming, wanted ${waiting} and ${streaming}`,
      )
    },
  }
}
