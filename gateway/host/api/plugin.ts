import type { Claim, Mode, Route } from './handlers.js'
import type { Hooks } from './hooks.js'
import type { FailureRow, Host } from './host.js'

/** The version of this API. A plugin names the one it was written for; a gateway with another one refuses it. */
export const PLUGIN_API = 1

/** Checks a plugin's configuration: a zod schema, or anything with the same `safeParse`. */
export interface ConfigSchema<C> {
  safeParse(input: unknown):
    | { readonly success: true; readonly data: C }
    | {
        readonly success: false
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
        }
      }
}

/**
 * @template C the type of the configuration after it has been checked
 * @template K the keys of its failures
 */
export interface Plugin<C = unknown, K extends string = string> {
  /** Lower case, digits and `-`. It appears in the configuration, in the log and in failure codes. */
  readonly name: string
  readonly api: typeof PLUGIN_API
  /** One sentence for `pipegate check`. */
  readonly summary?: string
  /** Plugins that must be loaded too; they are ordered before this one. */
  readonly needs?: readonly string[]
  /** Plugins that are ordered before this one if they are loaded. */
  readonly after?: readonly string[]
  /**
   * `thread`: where the setting `threads` is above 1, each thread may have an instance of its own, which sees the names of that
   * thread only. `process`, as without it: there must be one for all, so it is not loaded there.
   */
  readonly scope?: 'thread' | 'process'
  /** Order it before all plugins that do not set this. */
  readonly first?: boolean
  readonly config: ConfigSchema<C>
  /** Every way in which this plugin refuses a request. */
  readonly failures?: Readonly<Record<K, FailureRow>>
  /** Request headers, in lower case, that `onAdmitAsync` reads. No other is copied for it. */
  readonly reads?: readonly string[]
  /** Opens nothing, starts nothing and writes nothing: `pipegate check` calls it too. May throw an Error with one line. */
  setup(host: Host<C, K>): Parts
}

/** Returns its argument; it is there for type inference. */
export function definePlugin<C, const K extends string = never>(plugin: Plugin<C, K>): Plugin<C, K> {
  return Object.freeze(plugin)
}

/** What `setup` returns. Everything is optional. */
export interface Parts {
  readonly hooks?: Hooks
  readonly routes?: readonly Route[]
  readonly modes?: readonly Mode[]
  readonly claims?: readonly Claim[]
  /**
   * Origins, as browsers write them, whose pages may use names without credentials; `*` for all. Pages of other origins may
   * not, unless a plugin has identified their client.
   */
  readonly pageOrigins?: readonly string[]
  /** Every client that this plugin lets in has been identified by what it presented: nobody comes in without credentials. */
  readonly authenticates?: boolean
  /** What this instance says when one in another thread asks {@link Host.reportsElsewhere}: anything that can be cloned, or a promise of it. */
  report?(): unknown
  /** Called before the port opens, in order. A throw stops the start and undoes it. The signal fires at the start's deadline. */
  start?(signal: AbortSignal): void | Promise<void>
  /** The port is closed; running transfers may go on for this many milliseconds. */
  drain?(ms: number): void
  /** Called in reverse order, for every plugin whose `start` was called, even if that threw. It has 10 seconds. */
  stop?(): void | Promise<void>
}
