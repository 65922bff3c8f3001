import type { Logger } from '../../log/log.js'
import type { Hooks } from '../api/hooks.js'
import { ErrorBoundary } from '../error-boundary.js'

/** The hooks of one plugin. */
export interface PluginHooks {
  readonly name: string
  readonly hooks: Hooks
  /** Request headers that its asynchronous admission hook reads. */
  readonly reads: readonly string[]
}

export type HookName = keyof Hooks

const NAMES: Readonly<Record<HookName, true>> = {
  onRequest: true,
  onAdmit: true,
  onAdmitAsync: true,
  onWaiting: true,
  onJoined: true,
  onLeft: true,
  onLooked: true,
  onPaired: true,
  onProgress: true,
  onEnded: true,
  onRefused: true,
  onRequestEnded: true,
}
export const HOOK_NAMES = Object.keys(NAMES) as readonly HookName[]

/** One hook of one plugin, and what catches its defects. */
export interface BoundHook<N extends HookName> {
  readonly hook: NonNullable<Hooks[N]>
  readonly boundary: ErrorBoundary
}

/** The hooks of one kind of all plugins, in their order; null when there is none. */
export function hooksNamed<N extends HookName>(
  all: readonly PluginHooks[],
  name: N,
  log: Logger,
): readonly BoundHook<N>[] | null {
  const found = all.flatMap((each) => {
    const hook = each.hooks[name]
    return hook === undefined ? [] : [{ hook, boundary: new ErrorBoundary(each.name, name, log) }]
  })
  return found.length === 0 ? null : (found as readonly BoundHook<N>[])
}
