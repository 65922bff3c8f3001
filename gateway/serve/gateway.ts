import { Clock, PipeTable, SlabPool } from '../../core/index.js'
import type { Config } from '../config/config.js'
import type { LoadedPlugin } from '../host/loading/loaded-plugin.js'
import type { GatewayView } from '../host/plugin-api.js'
import { PluginHost } from '../host/plugin-host.js'
import { SharedMemories } from '../host/shared-memories.js'
import { Throttles } from '../host/throttles.js'
import { HostRule } from '../http/hosts.js'
import { trustedProxyTest } from '../http/trusted-proxies.js'
import { type GatewayLog, type Logger, loggableError } from '../log/log.js'
import { installSocketHelper, type SocketHelper } from '../native/socket-helper.js'
import { Router } from '../router/router.js'
import { TransferIds } from '../router/transfer-ids.js'
import { CertificateWatcher } from '../tls/certificate-watcher.js'
import { crowdTurn, whenCrowdsTurnComes } from '../uws/connection/end-of-turn.js'
import { Keepalive } from '../uws/connection/keepalive.js'
import { PeerWatch } from '../uws/connection/peer-watch.js'
import { ConfiguredCertificates, type Reread } from './configured-certificates.js'
import { coreLimits } from './core-limits.js'
import { gatewayView, pipesView } from './gateway-view.js'
import { healthReport } from './health-report.js'
import { InterruptibleWait } from './interruptible-wait.js'
import { allObservers, transferLog } from './observers.js'
import { logOpenness } from './openness.js'
import { Ports } from './ports/ports.js'
import { routerOptions } from './router-options.js'
import { serverContext } from './server-context.js'
import type { Place } from './threads/place.js'
import { otherPools, otherTables } from './threads/published.js'
import { Ticker } from './ticker.js'

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
  /** What plugins share with their instances in other threads. */
  readonly memories: SharedMemories
  readonly #clock = new Clock(() => performance.now())
  readonly #keepalive = new Keepalive()
  readonly #peers: PeerWatch
  readonly #throttles = new Throttles(() => this.#clock.now())
  readonly #wait = new InterruptibleWait()
  readonly #hosts: HostRule
  readonly #plugins: PluginHost
  readonly #router: Router
  readonly #transferIds = new TransferIds()
  readonly #help: SocketHelper
  readonly #certificates: CertificateWatcher | undefined
  readonly #ports: Ports
  readonly #ticker: Ticker
  #state: State = 'idle'
  #stopped: Promise<void> | undefined

  /**
   * @param place where it is one of several in threads of this process
   * @throws when the plugins, or a certificate and its key, cannot be used
   */
  constructor(
    readonly config: Config,
    log: GatewayLog,
    plugins: readonly LoadedPlugin[] = [],
    again?: Reread,
    readonly place?: Place,
  ) {
    this.log = log.logger.child({}, { serializers: { err: loggableError } })
    this.memories = new SharedMemories(place?.memories)
    this.#peers = new PeerWatch(config.peerTimeout)
    this.slabs = new SlabPool(
      SLAB_BYTES,
      Math.floor(config.memory / SLAB_BYTES),
      undefined,
      {
        copied: (original, copy) => this.#help.sockets.stageCopy(original, copy),
        givenUp: (copy) => this.#help.sockets.stageRelease(copy),
      },
      place && otherPools(place.counts),
    )
    this.#hosts = new HostRule(config.hosts, config.host, trustedProxyTest(config.trustedProxies))
    const view = this.#view()
    this.#plugins = this.#pluginHost(plugins, view)
    const observer = allObservers([this.#transferIds, transferLog(log.transfer), this.#plugins.events.pipes])
    const limits = coreLimits(config, place && otherTables(place.counts))
    this.table = new PipeTable(limits, this.#clock, this.slabs, observer, crowdTurn)
    this.#router = this.#newRouter(plugins.length === 0 ? null : this.#plugins, view)
    this.#help = installSocketHelper(config.socketHelper)
    const context = serverContext(config, this.log, log.request, {
      sockets: this.#help.sockets,
      memory: this.slabs,
      clock: this.#clock,
      keepalive: this.#keepalive,
      peers: this.#peers,
    })
    this.#certificates = this.#readCertificates(again)
    const service = {
      hosts: this.#hosts,
      handle: this.#router.handle.bind(this.#router),
      takesWebSockets: true,
      tls: this.#certificates?.current,
    }
    this.#ports = new Ports(config, context, service, this.log, place)
    this.#ticker = new Ticker(this.#clock, () => this.#help.sockets.turnedAway(), this.log, this.#ports)
  }

  /** Names of the plugins, in their order, with their hooks, routes, modes and claims. */
  get plugins(): readonly string[] {
    return this.#plugins.describe()
  }

  /** What a plugin says when one in another thread asks; undefined where it says nothing. */
  reportOf(plugin: string): unknown {
    return this.#plugins.reportOf(plugin)
  }

  /** Nobody gets in without credentials. */
  get everybodyAuthenticates(): boolean {
    return this.#plugins.everybodyAuthenticates || this.config.tlsClientAuth === 'required'
  }

  /** The hosts that it answers to. */
  get hosts(): HostRule {
    return this.#hosts
  }

  /** The host names in its certificates; none without HTTPS. */
  get certifiedNames(): readonly string[] {
    return this.#certificates?.current.certificates.flatMap(({ names }) => names) ?? []
  }

  /**
   * Opens the port, and the one that redirects to it. Returns its number, which matters when the configuration says 0.
   * @throws with one line on why a plugin does not start, or a port cannot be opened
   */
  async start(): Promise<number> {
    if (this.place === undefined) this.announce()
    // Not AbortSignal.timeout(): that keeps no process alive, and one with a plugin that hangs would end without a word.
    const control = new AbortController()
    const timer = setTimeout(() => control.abort(), START_MS)
    await this.#plugins.start(control.signal).finally(() => clearTimeout(timer))
    let port: number
    try {
      port = await this.#ports.open()
    } catch (error) {
      await this.#plugins.stop()
      throw error
    }
    this.#certificates?.start()
    this.#ticker.start()
    this.#state = 'open'
    return port
  }

  /**
   * Opens the ports for gateways in other threads, which serve the main one. This one has the certificates, and the port that redirects; it is
   * ended by `stop(0)` once they are over.
   */
  async openFront(): Promise<number> {
    const port = await this.#ports.open()
    this.#certificates?.start()
    this.#ticker.start()
    this.#state = 'open'
    return port
  }

  get tlsPlace(): number {
    return this.#ports.tlsPlace
  }

  closeFront(): void {
    this.#ports.stopListening()
  }

  /** Reads certificates and keys again, and which ones the configuration names, for connections from here on. Never throws: the log has the outcome. */
  reload(): void {
    if (this.#state !== 'open') return
    if (this.#certificates !== undefined) this.#certificates.reload()
    else this.log.info({}, 'nothing is read again: there are no certificates, and settings are read at the start')
  }

  /**
   * Drains and closes: no new work, everyone who waits is told, running transfers get `drainMs`. Resolves when the last
   * connection is closed. A second call only cuts the drain of the first one short.
   */
  stop(drainMs: number = this.config.drain * 1000): Promise<void> {
    if (this.#stopped === undefined) this.#stopped = this.#drain(drainMs)
    else this.#wait.interrupt()
    return this.#stopped
  }

  async #drain(drainMs: number): Promise<void> {
    this.#state = 'draining'
    this.#certificates?.stop()
    this.#ports.stopListening()
    this.table.close()
    this.#plugins.drain(drainMs)
    await this.#wait.until(() => !this.#isWorking, drainMs)
    this.table.endAll('shutting_down')
    await this.#wait.until(() => !this.#ports.busy, GRACE_MS)
    this.#state = 'closed'
    // Before the plugins, which are told of what ends here as well.
    this.#ports.close()
    await this.#plugins.stop()
    this.#throttles.stop()
    this.#ticker.stop()
    this.#keepalive.stop()
    this.#peers.stop()
  }

  /** Something is on its way, or an answer is being thought of. */
  get #isWorking(): boolean {
    const { streaming, resting, unanswered } = this.table
    return streaming + resting + unanswered + this.#router.claimed > 0
  }

  get #isDraining(): boolean {
    return this.#state !== 'open'
  }

  #view(): GatewayView {
    const gateway = this
    return gatewayView(this.config, this.#hosts, {
      slabs: this.slabs,
      place: this.place,
      get socketHelperInactive() {
        return gateway.#help.inactive
      },
      get ports() {
        return gateway.#ports
      },
      get isDraining() {
        return gateway.#isDraining
      },
    })
  }

  #pluginHost(plugins: readonly LoadedPlugin[], view: GatewayView): PluginHost {
    return new PluginHost(plugins, {
      log: this.log,
      prefix: this.config.prefix,
      pipes: pipesView(() => this.table),
      gateway: view,
      throttles: this.#throttles,
      now: () => this.#clock.now(),
      decideMs: this.config.decide * 1000,
      stopMs: STOP_MS,
      stop: (key, failure) => this.table.stop(key, failure),
      thread: { number: this.place?.number ?? 0, count: this.config.threads },
      memories: this.memories,
      reportsElsewhere: (plugin) => this.place?.reportsOf(plugin) ?? Promise.resolve([]),
    })
  }

  #newRouter(plugins: PluginHost | null, { schemeOf }: GatewayView): Router {
    const onFault = (error: unknown) => this.log.error({ err: error }, 'a request met a defect of the gateway')
    const options = routerOptions(this.config, {
      transferIds: this.#transferIds,
      onFault,
      whenTurnComes: (run) => whenCrowdsTurnComes({ flush: run, fault: onFault }),
      hosts: this.#hosts,
      schemeOf,
      isDraining: () => this.#isDraining,
      memory: this.slabs,
      health: () => healthReport(this.#isDraining, this.table, this.slabs, this.place?.counts),
    })
    return new Router(this.table, options, plugins)
  }

  #readCertificates(again: Reread | undefined): CertificateWatcher | undefined {
    if (this.config.tlsCert === undefined || this.place !== undefined) return undefined
    const source = new ConfiguredCertificates(this.config, again, this.log)
    try {
      return new CertificateWatcher(source, this.log, (tls) => this.#ports.useCertificates(tls))
    } catch (error) {
      throw new Error(`cannot serve HTTPS: ${(error as Error).message}`)
    }
  }

  /** Says in the log what holds for all that follows. */
  announce(): void {
    this.#logSocketHelp()
    logOpenness(this.log, this.#hosts, this.#plugins)
  }

  #logSocketHelp(): void {
    const { inactive } = this.#help
    if (inactive === undefined) this.log.info({ socketHelper: 'active' }, 'no sender can hold the event loop')
    else
      this.log.warn({ socketHelper: 'inactive', why: inactive }, 'a fast sender on this host can hold the event loop')
  }
}
