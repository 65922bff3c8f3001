import type { Claim, Mode, Route } from './api/handlers.js'
import type { Token } from './api/host.js'
import type { Parts } from './api/plugin.js'
import type { HostEnvironment } from './environment.js'
import { HandlerRegistry, type Registered } from './handlers.js'
import { AdmissionHooks } from './hooks/admission-hooks.js'
import { EventHooks } from './hooks/event-hooks.js'
import { progressReporter } from './hooks/progress.js'
import { createHost, type SharedByPlugins } from './host-object.js'
import { type InstalledPlugin, Lifecycle } from './lifecycle.js'
import { checkedConfig, checkPlugin, type LoadedPlugin } from './loading/loaded-plugin.js'
import { inOrder } from './loading/order.js'
import { checkedParts } from './loading/parts.js'
import { Timers } from './timers.js'

const PROGRESS_MS = 1000

/** All plugins of one gateway, in their order, from `setup` to `stop`. */
export class PluginHost {
  readonly admission: AdmissionHooks
  readonly events: EventHooks
  readonly routes: ReadonlyMap<string, readonly Registered<Route>[]>
  readonly modes: ReadonlyMap<string, Registered<Mode>>
  /** Null when no plugin claims anything. */
  readonly claims: readonly Registered<Claim>[] | null
  /** Origins whose pages may use names without credentials. */
  readonly pageOrigins: readonly string[]
  /** Some plugin lets nobody in without credentials. */
  readonly everybodyAuthenticates: boolean
  readonly #installed: readonly InstalledPlugin[]
  readonly #lifecycle: Lifecycle
  readonly #timers = new Timers()

  /** @throws Error with one line on what is wrong with which plugin */
  constructor(
    plugins: readonly LoadedPlugin[],
    readonly environment: HostEnvironment,
  ) {
    const { log, decideMs, stopMs } = environment
    for (const loaded of plugins) checkPlugin(loaded, environment.thread.count)
    const ordered = inOrder(plugins.map((loaded) => ({ ...loaded.plugin, loaded })))
    const names = new Set(ordered.map(({ name }) => name))
    const provided = new Map<Token<unknown>, unknown>()
    const shared = { environment, names, everybodyAuthenticates: false, provided, timers: this.#timers }
    const handlers = new HandlerRegistry()
    this.#installed = ordered.map(({ loaded }) => {
      const installed = install(loaded, shared)
      handlers.register(installed.plugin.name, installed.parts, log)
      return installed
    })
    this.everybodyAuthenticates = this.#installed.some(({ parts }) => parts.authenticates === true)
    shared.everybodyAuthenticates = this.everybodyAuthenticates
    this.pageOrigins = this.#installed.flatMap(({ parts }) => parts.pageOrigins ?? [])
    this.routes = handlers.routes
    this.modes = handlers.modes
    this.claims = handlers.claims.length === 0 ? null : handlers.claims
    const hooks = this.#installed.flatMap(({ plugin, parts }) =>
      parts.hooks === undefined ? [] : [{ name: plugin.name, hooks: parts.hooks, reads: plugin.reads ?? [] }],
    )
    this.admission = new AdmissionHooks(hooks, log, decideMs)
    this.events = new EventHooks(hooks, log)
    this.#lifecycle = new Lifecycle(this.#installed, this.#timers, stopMs)
  }

  /** Names in the order in which their hooks run. */
  get order(): readonly string[] {
    return this.#installed.map(({ plugin }) => plugin.name)
  }

  /** What a plugin says of itself to its instances in other threads. */
  reportOf(name: string): unknown {
    return this.#installed.find(({ plugin }) => plugin.name === name)?.parts.report?.()
  }

  /** One line for each plugin, for people: what it is, and its hooks, routes, modes and claims. */
  describe(): string[] {
    return this.#installed.map(({ plugin, parts }) => {
      const hooks = Object.keys(parts.hooks ?? {})
      const paths = (parts.routes ?? []).map(({ method, path }) => `${method} ${path}`)
      const modes = (parts.modes ?? []).map(({ param }) => `?${param}`)
      const claims = parts.claims?.length ? ['claims'] : []
      const all = [...hooks, ...paths, ...modes, ...claims].join(', ')
      return `${plugin.name}: ${plugin.summary ?? 'no summary'}${all === '' ? '' : ` (${all})`}`
    })
  }

  /**
   * Starts all, in order. When one throws, it and those before it are stopped again.
   * @throws Error with one line on which plugin threw what
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.#lifecycle.start(signal)
    const { onProgress } = this.events
    if (onProgress !== null) this.#timers.every(PROGRESS_MS, progressReporter(this.environment.pipes, onProgress))
  }

  drain(ms: number): void {
    this.#lifecycle.drain(ms)
  }

  /** In reverse order. One that throws, or takes too long, does not prevent the others from stopping. A second call does nothing. */
  stop(): Promise<void> {
    return this.#lifecycle.stop()
  }
}

/** Checks a plugin's configuration, and sets it up. @throws Error with what is wrong with which plugin */
function install(loaded: LoadedPlugin, shared: SharedByPlugins): InstalledPlugin {
  const { plugin, folder = '' } = loaded
  const log = shared.environment.log.child({ plugin: plugin.name })
  const host = createHost(shared, plugin, checkedConfig(loaded), log, folder)
  let parts: Parts
  try {
    parts = checkedParts(plugin.setup(host))
  } catch (error) {
    throw new Error(`plugin ${plugin.name}: ${error instanceof Error ? error.message : error}`)
  }
  return { plugin, parts, log }
}
