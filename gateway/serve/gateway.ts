import { Clock, type PipeObserver, PipeTable, Refusal, SlabPool } from '../../core/index.js'
import type { Config } from '../config/config.js'
import { type LoadedPlugin, observers, PluginHost } from '../host/host.js'
import type { GatewayView } from '../host/plugin-api.js'
import { Throttles } from '../host/throttles.js'
import { FAILURES } from '../http/failures.js'
import type { RequestRecord } from '../http/request-record.js'
import { newTransferId } from '../http/transfer-id.js'
import { clientAddressReader, schemeReader, trustedProxyTest } from '../http/trusted-proxies.js'
import { type Logger, loggableError, logRequest, logTransfer } from '../log/log.js'
import { ReadSize } from '../native/read-size.js'
import { installSocketHelper, type SocketHelper } from '../native/socket-helper.js'
import type { Exchange } from '../router/exchange.js'
import { Router } from '../router/router.js'
import type { TlsFiles } from '../tls/certificate.js'
import { Certificates } from '../tls/certificates.js'
import { Keepalive } from '../uws/connection/keepalive.js'
import { UwsServer } from '../uws/server.js'
import { explainListenFailure } from './listen-failure.js'
import { redirect } from './redirect.js'

/** How often waits and limits are looked at. */
const BEAT_MS = 250
/** A waiting sender hears this often who is missing. */
const REMINDER_MS = 10_000
/** How often it is said that connections were turned away. */
const TURNED_AWAY_MS = 5000
/** How long all plugins together may take to start. */
const START_MS = 30_000
/** How long each of them may take to stop. */
const STOP_MS = 10_000
const SLAB_BYTES = 64 * 1024
/** How long a closing gateway waits for last lines to leave and for lingering connections. */
const GRACE_MS = 1000

type State = 'idle' | 'open' | 'draining' | 'closed'

/** The whole product in one object: `start()` opens the port, `stop()` drains and closes it. */
export class Gateway {
  readonly table: PipeTable
  readonly slabs: SlabPool
  readonly log: Logger
  readonly #clock = new Clock(() => performance.now())
  readonly #keepalive = new Keepalive()
  readonly #router: Router
  readonly #server: UwsServer
  /** Sends who comes without TLS to where it is. */
  readonly #redirects: UwsServer | undefined
  readonly #certificates: Certificates | undefined
  readonly #help: SocketHelper
  readonly #throttles: Throttles
  readonly #plugins: PluginHost
  #beat: NodeJS.Timeout | undefined
  #state: State = 'idle'
  #turnedAway = 0
  #sayTurnedAwayAt = 0
  /** The number of the open port. */
  #port = 0
  #stopped: Promise<void> | undefined
  #cutShort: () => void = () => {}

  /** @throws when certificate and key cannot be used */
  constructor(
    readonly config: Config,
    log: Logger,
    plugins: readonly LoadedPlugin[] = [],
  ) {
    this.log = log.child({}, { serializers: { err: loggableError } })
    const now = () => this.#clock.now()
    this.#throttles = new Throttles(now)
    this.slabs = new SlabPool(SLAB_BYTES, Math.floor(config.memory / SLAB_BYTES))
    const pipes = {
      get: (key: string) => this.table.get(key),
      all: () => this.table.all(),
      get waiting(): number {
        return table().waiting
      },
      get streaming(): number {
        return table().streaming
      },
    }
    const table = () => this.table
    const view = this.#view()
    this.#plugins = new PluginHost(plugins, {
      log: this.log,
      prefix: config.prefix,
      pipes,
      gateway: view,
      throttles: this.#throttles,
      now,
      decideMs: config.decide * 1000,
      stopMs: STOP_MS,
      stop: (key, failure) => this.table.stop(key, failure),
    })
    const observer = observers(transferLog(log), this.#plugins.tellers.pipes)
    this.table = new PipeTable(coreLimits(config), this.#clock, this.slabs, observer)
    this.#router = new Router(
      this.table,
      {
        prefix: config.prefix,
        bareNames: config.bareNames,
        maxReceivers: config.maxReceivers,
        waitMs: config.wait * 1000,
        stallMaxMs: config.stallMax * 1000,
        replyAtEnd: config.reply === 'end',
        newTransferId,
        onFault: (error) => this.log.error({ err: error }, 'a request met a defect of the gateway'),
        schemeOf: view.schemeOf,
        isDraining: () => this.#state !== 'open',
        health: () => this.#health(),
      },
      plugins.length === 0 ? null : this.#plugins,
    )
    this.#help = installSocketHelper(config.socketHelper)
    const context = {
      sockets: this.#help.sockets,
      readSize: new ReadSize(this.slabs, this.#help.sockets),
      clientAddressOf: clientAddressReader(config.trustedProxies),
      clock: this.#clock,
      keepalive: this.#keepalive,
      log: log.isLevelEnabled('info') ? (record: RequestRecord) => logRequest(log, record) : () => {},
      onFault: (error: unknown) => this.log.error({ err: error }, 'a transfer met a defect of the gateway'),
      tls: config.tlsCert !== undefined,
      cleanFailures: config.failedEnd === 'clean',
    }
    this.#certificates = this.#readCertificates()
    const takesWebSockets = this.#plugins.claims?.some(({ upgrade }) => upgrade !== undefined) === true
    this.#server = new UwsServer(
      context,
      this.#certificates?.current,
      this.#guarded((exchange) => {
        this.#router.handle(exchange)
      }),
      takesWebSockets,
    )
    if (config.redirectPort !== undefined) {
      const handle = this.#guarded((exchange) => redirect(exchange, this.#port))
      this.#redirects = new UwsServer({ ...context, tls: false }, undefined, handle)
    }
  }

  #readCertificates(): Certificates | undefined {
    const files = tlsFiles(this.config)
    if (files.length === 0) return undefined
    try {
      return new Certificates(files, this.log, (certificates) => this.#server.useCertificates(certificates))
    } catch (error) {
      throw new Error(`cannot serve HTTPS: ${(error as Error).message}`)
    }
  }

  /**
   * Opens the port, and the one that redirects to it. Returns its number, which matters when the configuration says 0.
   * @throws with one line on why a port cannot be opened
   */
  async start(): Promise<number> {
    this.#sayHelp()
    // Not AbortSignal.timeout(): that keeps no process alive, and one with a plugin that hangs would end without a word.
    const control = new AbortController()
    const timer = setTimeout(() => control.abort(), START_MS)
    await this.#plugins.start(control.signal).finally(() => clearTimeout(timer))
    try {
      await this.#openPorts()
    } catch (error) {
      this.#server.close()
      await this.#plugins.stop()
      throw error
    }
    this.#certificates?.start()
    // Keeps the process alive as well: a paused connection alone would not.
    this.#beat = setInterval(() => this.#turnClock(), BEAT_MS)
    this.#state = 'open'
    return this.#port
  }

  /** The one that redirects comes last: it leads to the other. */
  async #openPorts(): Promise<void> {
    const { host, port, redirectPort = 0 } = this.config
    const opened = await this.#server.listen(host, port)
    if (opened === undefined) throw new Error(await explainListenFailure(host, port, '--port'))
    this.#port = opened
    if (this.#redirects === undefined) return
    const from = await this.#redirects.listen(host, redirectPort)
    if (from === undefined) throw new Error(await explainListenFailure(host, redirectPort, '--redirect-port'))
    this.log.info({ from, to: opened }, 'redirecting to HTTPS')
  }

  /** Reads certificates and keys again, for whoever connects from here on. Never throws: the log has the outcome. */
  reload(): void {
    if (this.#state === 'open') this.#certificates?.reload()
  }

  /**
   * Drains and closes: no new work, everybody who waits is told, running transfers get `drainMs`. Resolves when the last
   * connection is closed. A second call only shortens the first one to nothing.
   */
  stop(drainMs: number = this.config.drain * 1000): Promise<void> {
    if (this.#stopped === undefined) this.#stopped = this.#drain(drainMs)
    else this.#cutShort()
    return this.#stopped
  }

  #sayHelp(): void {
    const { inactive } = this.#help
    if (inactive === undefined) this.log.info({ socketHelper: 'active' }, 'no sender can hold the event loop')
    else
      this.log.warn({ socketHelper: 'inactive', why: inactive }, 'a fast sender on this host can hold the event loop')
  }

  async #drain(drainMs: number): Promise<void> {
    this.#state = 'draining'
    this.#certificates?.stop()
    for (const server of this.#servers) server.closePort()
    this.table.close()
    this.#plugins.drain(drainMs)
    await this.#until(() => this.table.streaming === 0 && this.#router.claimed === 0, drainMs)
    this.table.endAll('shutting_down')
    await this.#until(() => this.#servers.every((server) => !server.busy), GRACE_MS)
    this.#state = 'closed'
    // Before the plugins: what ends here is told to them as well.
    for (const server of this.#servers) server.close()
    await this.#plugins.stop()
    this.#throttles.stop()
    clearInterval(this.#beat)
    this.#keepalive.stop()
  }

  /** Resolves when a fact has become true, the time is over, or somebody is in a hurry. */
  #until(fact: () => boolean, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearInterval(poll)
        clearTimeout(limit)
        resolve()
      }
      const poll = setInterval(() => fact() && done(), 20)
      const limit = setTimeout(done, ms)
      this.#cutShort = done
    })
  }

  get #servers(): readonly UwsServer[] {
    return this.#redirects === undefined ? [this.#server] : [this.#server, this.#redirects]
  }

  /** A defect costs its own request only. */
  #guarded(handle: (exchange: Exchange) => void): (exchange: Exchange) => void {
    return (exchange) => {
      try {
        handle(exchange)
      } catch (error) {
        this.log.error({ err: error, id: exchange.id }, 'a request met a defect of the gateway')
        const refusal = new Refusal(FAILURES.internal, { id: exchange.id })
        exchange.refuse(refusal, exchange.request.header('accept'), 'close')
      }
    }
  }

  /** Once for many: it happens when connections come faster than they go. */
  #sayTurnedAway(): void {
    const connections = this.#help.sockets.turnedAway() - this.#turnedAway
    if (connections === 0 || this.#clock.now() < this.#sayTurnedAwayAt) return
    this.#turnedAway += connections
    this.#sayTurnedAwayAt = this.#clock.now() + TURNED_AWAY_MS
    this.log.warn({ connections }, 'turned away: no file descriptor is left, raise the limit of open files (ulimit -n)')
  }

  /** A defect in what one deadline does leaves the others for the next beat. */
  #turnClock(): void {
    this.#sayTurnedAway()
    try {
      this.#clock.tick()
    } catch (error) {
      this.log.error({ err: error }, 'a deadline met a defect of the gateway')
    }
  }

  /** Names of the plugins, in their order, with what they take part in. */
  get plugins(): readonly string[] {
    return this.#plugins.describe()
  }

  #view(): GatewayView {
    const gateway = this
    return {
      get socketHelperInactive() {
        return gateway.#help.inactive
      },
      get heldBytes() {
        return gateway.slabs.heldBytes
      },
      memory: this.config.memory,
      window: this.config.window,
      get openRequests() {
        return gateway.#server.open
      },
      schemeOf: schemeReader(this.config.trustedProxies, this.config.tlsCert !== undefined),
      isTrustedProxy: trustedProxyTest(this.config.trustedProxies) ?? (() => false),
      get draining() {
        return gateway.#state !== 'open'
      },
    }
  }

  #health(): { status: number; body: unknown } {
    const draining = this.#state !== 'open'
    return {
      status: draining ? 503 : 200,
      body: {
        status: draining ? 'draining' : 'ok',
        waiting: this.table.waiting,
        streaming: this.table.streaming,
        heldBytes: this.slabs.heldBytes,
        uptimeSec: Math.round(process.uptime()),
      },
    }
  }
}

function coreLimits(config: Config) {
  return {
    maxWaiting: config.maxWaiting,
    maxActive: config.maxActive,
    windowBytes: config.window,
    // One transfer may not take all of what is for everybody, but more than its window: a fast sender on the same host
    // goes on delivering for a while after it has been paused.
    holdBytes: Math.max(config.window, config.memory / 2),
    idleMs: config.idle * 1000,
    minRate: config.minRate,
    ratePeriodMs: config.minRatePeriod * 1000,
    reminderMs: REMINDER_MS,
  }
}

/** The first is for everybody; none without TLS. */
function tlsFiles({ tlsCert: cert, tlsKey: key, tlsSni }: Config): readonly TlsFiles[] {
  return cert === undefined || key === undefined ? [] : [{ cert, key }, ...tlsSni]
}

/** One line a transfer, and nothing at all when nobody reads it. */
function transferLog(log: Logger): PipeObserver | null {
  if (!log.isLevelEnabled('info')) return null
  return {
    onWaiting() {},
    onJoined() {},
    onLeft() {},
    onPaired() {},
    onEnded: (pipe) => logTransfer(log, pipe),
  }
}
