import { resolve } from 'node:path'
import type { PipeObserver, PipeTable, PipeView } from '../../core/index.js'
import { canonicalName } from '../http/address.js'
import type { HeaderList } from '../http/response/answer.js'
import { RefusalWithHeaders } from '../http/response/failure-answer.js'
import type { Logger } from '../log/log.js'
import { attempt, ErrorBoundary, isPromise } from './error-boundary.js'
import { AdmissionHooks, EventHooks, HOOK_NAMES } from './hooks.js'
import { inOrder } from './order.js'
import {
  type Claim,
  type ConfigSchema,
  type Context,
  type FailureRow,
  type GatewayView,
  type Hooks,
  type Host,
  type Mode,
  type Parts,
  type Pipes,
  PLUGIN_API,
  type Plugin,
  type Reply,
  type Route,
  type Token,
} from './plugin-api.js'
import { newSlot, type RequestContext } from './request-context.js'
import type { Throttles } from './throttles.js'

/** A plugin that has been found, and what the configuration says for it. */
export interface LoadedPlugin {
  readonly plugin: Plugin
  /** Not checked yet. */
  readonly config?: unknown
  /** Where it was asked for, for messages. */
  readonly where?: string
  /** The folder that paths in its configuration are relative to; the working directory without it. */
  readonly folder?: string
}

/** What plugins see of the gateway. */
export interface HostSurroundings {
  readonly log: Logger
  readonly prefix: string
  readonly pipes: Pipes
  readonly gateway: GatewayView
  readonly throttles: Throttles
  readonly now: () => number
  /** How long asynchronous gates may take, all together. */
  readonly decideMs: number
  /** How long a plugin may take to stop. */
  readonly stopMs: number
  /** Ends a pipe, behind the callback that is running. */
  readonly stop: PipeTable['stop']
}

interface Installed {
  readonly plugin: Plugin
  readonly parts: Parts
  readonly log: Logger
}

/** A route, a mode or a claim, and who hears of its failures. */
export type Handled<T> = T & { readonly guard: ErrorBoundary }

const NAME = /^[a-z][a-z0-9-]*$/
const PARTS = ['hooks', 'routes', 'modes', 'claims', 'start', 'drain', 'stop']
/** What means something for a sender or a receiver is no plugin's. */
const OWN_PARAMETERS = new Set(['n', 'wait', 'stall', 'size', 'reply', 'sha256', 'transfer', 'download', 'filename'])

/** All plugins of one gateway, in their order, from `setup` to `stop`. */
export class PluginHost {
  readonly gates: AdmissionHooks
  /** What the core tells; null when no plugin listens. */
  readonly tellers: EventHooks
  readonly routes = new Map<string, Handled<Route>[]>()
  readonly modes = new Map<string, Handled<Mode>>()
  /** Null when no plugin claims anything. */
  claims: readonly Handled<Claim>[] | null = null
  readonly #installed: Installed[] = []
  readonly #started: Installed[] = []
  readonly #timers: NodeJS.Timeout[] = []
  readonly #provided = new Map<Token<unknown>, unknown>()
  readonly #owners = new Map<string, string>()
  #stopped = false

  /** @throws Error with one line on what is wrong with which plugin */
  constructor(
    plugins: readonly LoadedPlugin[],
    readonly surroundings: HostSurroundings,
  ) {
    for (const loaded of plugins) checkShape(loaded)
    const ordered = inOrder(plugins.map((loaded) => ({ ...loaded.plugin, loaded })))
    const names = new Set(ordered.map(({ name }) => name))
    for (const { loaded } of ordered) this.#install(loaded, names)
    const hooked = this.#installed.flatMap(({ plugin, parts }) =>
      parts.hooks === undefined ? [] : [{ name: plugin.name, hooks: parts.hooks, reads: plugin.reads ?? [] }],
    )
    this.gates = new AdmissionHooks(hooked, surroundings.log, surroundings.decideMs)
    this.tellers = new EventHooks(hooked, surroundings.log)
  }

  /** Names in the order in which their hooks run. */
  get order(): readonly string[] {
    return this.#installed.map(({ plugin }) => plugin.name)
  }

  /** One line a plugin, for people: what it is and what it takes part in. */
  describe(): string[] {
    return this.#installed.map(({ plugin, parts }) => {
      const hooks = Object.keys(parts.hooks ?? {})
      const paths = (parts.routes ?? []).map(({ method, path }) => `${method} ${path}`)
      const modes = (parts.modes ?? []).map(({ param }) => `?${param}`)
      const claims = parts.claims?.length ? ['claims'] : []
      const takesPart = [...hooks, ...paths, ...modes, ...claims].join(', ')
      return `${plugin.name}: ${plugin.summary ?? 'no summary'}${takesPart === '' ? '' : ` (${takesPart})`}`
    })
  }

  /**
   * Starts all, in order; when one throws, those before it are stopped again.
   * @throws what the plugin threw
   */
  async start(signal: AbortSignal): Promise<void> {
    const late = aborted(signal)
    for (const installed of this.#installed) {
      this.#started.push(installed)
      try {
        await Promise.race([installed.parts.start?.(signal), late])
      } catch (error) {
        await this.stop()
        const why = error instanceof Error ? error.message : String(error)
        throw new Error(`plugin ${installed.plugin.name} could not start: ${why}`)
      }
    }
    this.#watchProgress()
  }

  drain(ms: number): void {
    for (const { parts, log } of this.#started) {
      attempt(
        () => parts.drain?.(ms),
        (error) => log.error({ err: error }, 'a plugin failed to drain'),
      )
    }
  }

  /** In reverse order; one that throws, or never ends, keeps no other from stopping. A second call does nothing. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    for (const { parts, log } of this.#started.splice(0).reverse()) {
      try {
        await inTime(this.surroundings.stopMs, () => parts.stop?.())
      } catch (error) {
        log.error({ err: error }, 'a plugin failed to stop')
      }
    }
  }

  #install({ plugin, config, where, folder = '' }: LoadedPlugin, names: ReadonlySet<string>): void {
    const log = this.surroundings.log.child({ plugin: plugin.name })
    const host = this.#hostFor(plugin, checkConfig(plugin, config ?? {}, where), names, log, folder)
    let parts: Parts
    try {
      parts = soundParts(plugin.setup(host))
    } catch (error) {
      throw new Error(`plugin ${plugin.name}: ${error instanceof Error ? error.message : error}`)
    }
    for (const route of parts.routes ?? []) this.#own(route.path, `${route.method} ${route.path}`, plugin.name)
    for (const mode of parts.modes ?? []) {
      this.#own(undefined, `?${mode.param}`, plugin.name)
      const guard = new ErrorBoundary(plugin.name, `?${mode.param}`, this.surroundings.log)
      const handle: Mode['handle'] = (request, reply, join, pipe) =>
        handled(guard, join, reply, () => mode.handle(request, reply, join, pipe))
      const asked = {
        ...(mode.right && { right: mode.right.bind(mode) }),
        ...(mode.applies && { applies: mode.applies.bind(mode) }),
      }
      this.modes.set(mode.param, { ...mode, ...asked, handle, guard })
    }
    for (const route of parts.routes ?? []) {
      const guard = new ErrorBoundary(plugin.name, route.path, this.surroundings.log)
      const handle: Route['handle'] = (request, reply, context) =>
        handled(guard, context, reply, () => route.handle(request, reply, context))
      this.routes.set(route.path, [...(this.routes.get(route.path) ?? []), { ...route, handle, guard }])
    }
    for (const claim of parts.claims ?? []) {
      const guard = new ErrorBoundary(plugin.name, 'a claim', this.surroundings.log)
      const bound: Handled<Claim> = {
        claims: claim.claims.bind(claim),
        ...(claim.right && { right: claim.right.bind(claim) }),
        ...(claim.name && { name: claim.name.bind(claim) }),
        handle: (request, body, reply, join) =>
          handled(guard, join, reply, () => claim.handle(request, body, reply, join)),
        ...(claim.upgrade && {
          upgrade: (request, offer, reply, join) =>
            handled(guard, join, reply, () => claim.upgrade!(request, offer, reply, join)),
        }),
        guard,
      }
      this.claims = [...(this.claims ?? []), bound]
    }
    this.#installed.push({ plugin, parts, log })
  }

  /** What is owned has one owner; a path belongs to one plugin, whatever the method. */
  #own(path: string | undefined, what: string, owner: string): void {
    for (const key of path === undefined ? [what] : [what, path]) {
      const other = this.#owners.get(key)
      if (other !== undefined && (other !== owner || key === what)) {
        throw new Error(`plugins ${other} and ${owner} both own ${what}; load one of them`)
      }
      this.#owners.set(key, owner)
    }
  }

  #hostFor(plugin: Plugin, config: unknown, names: ReadonlySet<string>, log: Logger, folder: string): Host {
    const { prefix, pipes, gateway, throttles, now, stop } = this.surroundings
    return {
      config: config as object,
      log,
      prefix,
      pipes,
      gateway,
      now,
      resolve: (path) => resolve(folder, path),
      refuse: (key, values = {}, headers: HeaderList = []) => {
        const row = plugin.failures?.[key]
        if (row === undefined) throw new Error(`plugin ${plugin.name} has no failure "${key}"`)
        return new RefusalWithHeaders(withCode(plugin.name, key, row), values, headers)
      },
      has: (name) => names.has(name),
      every: (ms, run) => {
        if (this.#stopped) return
        const failed = (error: unknown) => log.error({ err: error }, 'a plugin failed at what it does now and then')
        this.#timers.push(setInterval(() => attempt(run, failed), ms).unref())
      },
      slot: newSlot,
      provide: (token, value) => {
        this.#provided.set(token, value)
      },
      use: <T>(token: Token<T>) => this.#provided.get(token) as T | undefined,
      throttle: (bytesPerSecond) => throttles.create(bytesPerSecond),
      end: (key, row) => {
        // By then another one may stand on the name.
        const pipe = pipes.get(key)
        setImmediate(() => {
          if (pipe !== undefined && pipes.get(key) === pipe) stop(key, withCode(plugin.name, 'ended', row))
        })
      },
    }
  }

  /** Tells of the pipes in which bytes have moved since the last second. */
  #watchProgress(): void {
    const { onProgress } = this.tellers
    if (onProgress === null) return
    const seen = new WeakMap<PipeView, number>()
    const look = () => {
      for (const pipe of this.surroundings.pipes.all()) {
        const moved = pipe.bytesIn + pipe.bytesSent
        if (pipe.state !== 'streaming' || seen.get(pipe) === moved) continue
        seen.set(pipe, moved)
        onProgress(pipe)
      }
    }
    this.#timers.push(setInterval(look, 1000).unref())
  }
}

/** Both observers in one call, and only as much as there is. */
export function observers(...all: readonly (PipeObserver | null)[]): PipeObserver | null {
  const [first = null, second = null] = all.filter((each) => each !== null)
  if (first === null || second === null) return first
  return {
    onWaiting(pipe) {
      first.onWaiting(pipe)
      second.onWaiting(pipe)
    },
    onJoined(pipe, side) {
      first.onJoined(pipe, side)
      second.onJoined(pipe, side)
    },
    onLeft(pipe, side) {
      first.onLeft(pipe, side)
      second.onLeft(pipe, side)
    },
    onPaired(pipe) {
      first.onPaired(pipe)
      second.onPaired(pipe)
    },
    onEnded(pipe) {
      first.onEnded(pipe)
      second.onEnded(pipe)
    },
  }
}

function withCode(plugin: string, key: string, row: FailureRow) {
  return { ...row, code: `${plugin}_${key}`.replace(/[A-Z]/g, '_$&').replace(/-/g, '_').toUpperCase() }
}

/** Calls what answers a request. One that fails is answered for. */
function handled(guard: ErrorBoundary, context: Context, reply: Reply, run: () => void): void {
  ;(context as RequestContext).refusedBy = guard.plugin
  attempt(run, (error) => {
    if (!reply.give(guard.fault(context.id, error))) reply.cut()
  })
}

/**
 * What a mistake in a name would make of a gate is an open door.
 * @throws Error with one line
 */
function soundParts(parts: Parts): Parts {
  if (typeof parts !== 'object' || parts === null)
    throw new Error(`setup() returned ${typeof parts}, expected its parts`)
  if (isPromise(parts)) {
    parts.then(undefined, () => {})
    throw new Error('setup() returned a promise; what takes time belongs in start()')
  }
  const unknown = Object.keys(parts).find((key) => !PARTS.includes(key))
  if (unknown !== undefined) throw new Error(`setup() returned "${unknown}", expected ${PARTS.join(', ')}`)
  const { hooks = {}, routes = [], modes = [], claims = [] } = parts
  for (const { param } of modes) {
    if (OWN_PARAMETERS.has(param)) throw new Error(`it has the mode ?${param}, which is the gateway's own parameter`)
  }
  for (const { path } of routes) {
    if (path !== `/${canonicalName(path.slice(1))}` || /\s|\?/.test(path))
      throw new Error(`it has the route ${JSON.stringify(path)}, expected a path as it stands in an address: "/guests"`)
  }
  return {
    hooks: soundHooks(hooks),
    routes,
    modes,
    claims,
    start: (signal) => parts.start?.(signal),
    drain: (ms) => parts.drain?.(ms),
    stop: () => parts.stop?.(),
  }
}

/** Bound to what they stand in; that may be an object of a class. @throws Error with one line */
function soundHooks(hooks: Hooks): Hooks {
  const unknown = Object.keys(hooks).find((name) => /^on[A-Z]/.test(name) && !HOOK_NAMES.includes(name as keyof Hooks))
  if (unknown !== undefined) throw new Error(`there is no hook "${unknown}", expected one of ${HOOK_NAMES.join(', ')}`)
  const found = HOOK_NAMES.flatMap((name) => {
    const hook = hooks[name] as unknown
    // What is left out by a condition may be anything that is false.
    if (!hook) return []
    if (typeof hook !== 'function') throw new Error(`its hook ${name} is no function`)
    return [[name, hook.bind(hooks)]]
  })
  return Object.fromEntries(found)
}

/** Rejects when the signal fires; whether somebody waits for it or not. */
function aborted(signal: AbortSignal): Promise<never> {
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('it took too long')), { once: true })
  })
  late.catch(() => {})
  return late
}

/** @throws what `run` throws, or an Error when it takes longer */
async function inTime(ms: number, run: () => unknown): Promise<void> {
  let limit: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(() => reject(new Error(`it took longer than ${ms / 1000} s`)), ms)
  })
  try {
    await Promise.race([run(), late])
  } finally {
    clearTimeout(limit)
  }
}

function checkShape({ plugin, where = 'the plugin' }: LoadedPlugin): void {
  if (typeof plugin?.setup !== 'function' || typeof plugin.config?.safeParse !== 'function') {
    throw new Error(`${where}: found no plugin; its default export must be what definePlugin() returns`)
  }
  if (!NAME.test(plugin.name)) {
    throw new Error(
      `${where}: found the plugin name ${JSON.stringify(plugin.name)}, expected lower case letters, digits and "-"`,
    )
  }
  if (plugin.api !== PLUGIN_API) {
    throw new Error(
      `${where}: plugin ${plugin.name} was written for plugin API ${plugin.api}, and this gateway has ${PLUGIN_API}; ` +
        'update the one or the other',
    )
  }
  if (plugin.first !== undefined && typeof plugin.first !== 'boolean') {
    throw new Error(`${where}: first of plugin ${plugin.name} is true or false`)
  }
  for (const list of [plugin.needs, plugin.after, plugin.reads]) {
    if (list === undefined || (Array.isArray(list) && list.every((each) => typeof each === 'string'))) continue
    throw new Error(`${where}: needs, after and reads of plugin ${plugin.name} are lists of names`)
  }
}

/** @throws Error with a line for each problem */
function checkConfig(plugin: Plugin, config: unknown, where = `plugin ${plugin.name}`): unknown {
  const result = (plugin.config as ConfigSchema<unknown>).safeParse(config)
  if (result.success) return result.data
  const lines = result.error.issues.map(({ path, message }) => {
    const key = path.map((each) => (typeof each === 'number' ? `[${each}]` : `.${String(each)}`)).join('')
    return `${where}: config${key}: ${message}`
  })
  throw new Error(lines.join('\n'))
}
