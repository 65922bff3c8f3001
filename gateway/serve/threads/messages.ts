import type { Config } from '../../config/config.js'
import type { PluginEntry } from '../../config/plugin-entries.js'
import type { LogLook } from '../../log/log.js'

/** What a thread is started with. */
export interface ThreadStart {
  /** From 0 on. */
  readonly number: number
  readonly threads: number
  readonly config: Config
  readonly plugins: readonly PluginEntry[]
  /** How the process writes its lines. */
  readonly look: LogLook
  /** {@link SharedCounts}. */
  readonly counts: SharedArrayBuffer
  /** See {@link Place}. */
  readonly tlsPlace: number
  /** What plugins share. */
  readonly memories: ReadonlyMap<string, SharedArrayBuffer>
}

/** From a thread. */
export type FromThread =
  | { readonly kind: 'ready' }
  /** It cannot start. */
  | { readonly kind: 'failed'; readonly why: string }
  /** Lines of the log, each with its line break. */
  | { readonly kind: 'lines'; readonly text: string }
  /** A plugin asks all threads. */
  | { readonly kind: 'ask'; readonly id: number; readonly plugin: string }
  | { readonly kind: 'report'; readonly id: number; readonly report: unknown }
  /** A defect that nobody has caught. The thread ends what it has, and itself. */
  | { readonly kind: 'defect'; readonly error: string }

/** To a thread. */
export type ToThread =
  | { readonly kind: 'stop'; readonly drainMs: number }
  /** Another thread asks for the report of a plugin. */
  | { readonly kind: 'asked'; readonly id: number; readonly plugin: string }
  | { readonly kind: 'reports'; readonly id: number; readonly reports: readonly unknown[] }
