/** The whole gateway in the test's process, on a free port of 127.0.0.1, with its log, every level of it, kept for the test to read. */

import type { EndReason } from '../../core/index.js'
import { type FlagValues, loadConfig } from '../../gateway/config/config.js'
import { enabledPlugins } from '../../gateway/config/plugin-entries.js'
import type { LoadedPlugin } from '../../gateway/host/loading/loaded-plugin.js'
import { loadPlugins } from '../../gateway/host/loading/loader.js'
import { logTo } from '../../gateway/log/log.js'
import { Gateway } from '../../gateway/serve/gateway.js'
import { BUNDLED, DEFAULTS } from '../../plugins/bundled.js'
import { sharedCertificate } from './certificate.js'
import { eventually } from './eventually.js'
import { TEST_HOSTS } from './hosts.js'
import { type ConnectOptions, connect, type RawClient } from './raw.js'
import type { Teardown } from './teardown.js'
import { type Served, serveInThreads } from './threads/served.js'
import { TEST_THREADS } from './threads/wanted.js'

export interface LogLine {
  readonly msg: string
  readonly level: number
  readonly [field: string]: unknown
}

export interface Running {
  readonly gateway: Gateway
  readonly port: number
  /** How many serve it: more than one where `PIPEGATE_TEST_THREADS` says so, in another process. */
  readonly threads: number
  readonly tls: boolean
  /** `http://127.0.0.1:port`, without a path. */
  readonly origin: string
  readonly lines: readonly LogLine[]
  /** Opens a connection to it, over TLS if that is what it speaks. */
  connect(options?: Omit<ConnectOptions, 'port' | 'tls'>): Promise<RawClient>
  /** `origin` with the prefix and this name and query. */
  url(nameAndQuery: string): string
  /** Resolves with the reason of the `count`-th transfer of this name that has ended. */
  ended(name: string, count?: number): Promise<EndReason>
  /** Resolves when so many pipes wait and so many transfers stream. */
  holds(waiting: number, streaming: number): Promise<void>
}

/** The plugins that a gateway without a configuration has. */
export const defaultPlugins = () => loadPlugins(enabledPlugins([], DEFAULTS), BUNDLED)

export interface GatewayOptions {
  readonly plugins?: readonly LoadedPlugin[]
  /** With a certificate that curl trusts, unless the flags name one. The default is what `speakTls` made it. */
  readonly tls?: boolean
  /** The test looks into the gateway's own code, so that it is in this process whatever `PIPEGATE_TEST_THREADS` says. */
  readonly here?: boolean
}

let tlsByDefault = false

/** From here on every gateway of this process speaks TLS. */
export function speakTls(): void {
  tlsByDefault = true
}

/** Whether `speakTls` was called. */
export function speaksTls(): boolean {
  return tlsByDefault
}

/** Flags for a certificate that all tests of this process share. */
function tlsFlags(): FlagValues {
  const { cert, key } = sharedCertificate()
  return { tlsCert: cert, tlsKey: key }
}

/**
 * Starts a gateway with these settings. When the test ends it is stopped at once, and must then hold nothing: a leaked
 * slab or pipe fails the test that leaked it.
 */
export async function startGateway(
  t: Teardown,
  flags: FlagValues = {},
  { plugins = [], tls = tlsByDefault || flags.tlsCert !== undefined, here = false }: GatewayOptions = {},
): Promise<Running> {
  const given = { port: '0', hosts: TEST_HOSTS, ...(tls && flags.tlsCert === undefined ? tlsFlags() : {}), ...flags }
  const served = TEST_THREADS > 1 && !here ? await serveInThreads(t, given, plugins) : undefined
  const { gateway, port, lines } = served ?? (await serveHere(t, given, plugins))
  const origin = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
  const ends = (name: string) => lines.filter((line) => line.msg === 'transfer' && line.pipe === name)
  return {
    gateway,
    port,
    threads: served === undefined ? 1 : TEST_THREADS,
    tls,
    origin,
    lines,
    connect: (options) => connect({ ...options, port, tls }),
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

async function serveHere(t: Teardown, flags: FlagValues, plugins: readonly LoadedPlugin[]): Promise<Served> {
  const lines: LogLine[] = []
  const sink = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = logTo(sink, { logLevel: 'trace', logFormat: 'json' })
  const gateway = new Gateway(loadConfig({ flags, env: {} }), log, plugins)
  const port = await gateway.start()
  t.teardown(async () => {
    // What may explain it.
    if (t.passing?.() === false)
      for (const line of lines) if (line.level >= 40) process.stderr.write(`${JSON.stringify(line)}\n`)
    await gateway.stop(0)
    // A test is over when its teardown runs, so this can only throw; tap counts that against the test.
    const pipes = gateway.table.waiting + gateway.table.streaming
    const { heldBytes } = gateway.slabs
    if (heldBytes + pipes > 0) throw new Error(`leaked: ${heldBytes} bytes, ${pipes} pipes`)
  })
  return { gateway, port, lines }
}

/** Starts a gateway with the plugins that one without a configuration has. */
export async function startDefaultGateway(t: Teardown, flags: FlagValues = {}): Promise<Running> {
  return startGateway(t, flags, { plugins: await defaultPlugins() })
}
