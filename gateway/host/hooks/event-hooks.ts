import type { Failure, PipeObserver, PipeView, Side } from '../../../core/index.js'
import type { RequestRecord } from '../../http/request-record.js'
import type { Logger } from '../../log/log.js'
import type { RequestContext } from '../request-context.js'
import { type BoundHook, type HookName, hooksNamed, type PluginHooks } from './plugin-hooks.js'

/** The hooks that are only notified. Each is null when no plugin has it. */
export class EventHooks {
  /** What the core reports. */
  readonly pipes: PipeObserver | null
  readonly onProgress: ((pipe: PipeView) => void) | null
  readonly onRefused: ((failure: Failure, context: RequestContext) => void) | null
  readonly onRequestEnded: ((record: RequestRecord, context: RequestContext) => void) | null

  constructor(plugins: readonly PluginHooks[], log: Logger) {
    const waiting = hooksNamed(plugins, 'onWaiting', log)
    const joined = hooksNamed(plugins, 'onJoined', log)
    const left = hooksNamed(plugins, 'onLeft', log)
    const looked = hooksNamed(plugins, 'onLooked', log)
    const paired = hooksNamed(plugins, 'onPaired', log)
    const ended = hooksNamed(plugins, 'onEnded', log)
    const progress = hooksNamed(plugins, 'onProgress', log)
    const refused = hooksNamed(plugins, 'onRefused', log)
    const requestEnded = hooksNamed(plugins, 'onRequestEnded', log)
    this.pipes = [waiting, joined, left, looked, paired, ended].every((each) => each === null)
      ? null
      : {
          onWaiting: (pipe: PipeView) => notifyAll(waiting, pipe),
          onJoined: (pipe: PipeView, side: Side) => notifyAll(joined, pipe, side),
          onLeft: (pipe: PipeView, side: Side) => notifyAll(left, pipe, side),
          onLooked: (pipe: PipeView) => notifyAll(looked, pipe),
          onPaired: (pipe: PipeView) => notifyAll(paired, pipe),
          onEnded: (pipe: PipeView) => notifyAll(ended, pipe),
        }
    this.onProgress = progress && ((pipe) => notifyAll(progress, pipe))
    this.onRefused = refused && ((failure, context) => notifyAll(refused, failure, context.refusedBy, context))
    this.onRequestEnded = requestEnded && ((record, context) => notifyAll(requestEnded, record, context))
  }
}

function notifyAll<N extends HookName>(
  hooks: readonly BoundHook<N>[] | null,
  ...args: Parameters<BoundHook<N>['hook']>
): void {
  if (hooks === null) return
  for (const { hook, boundary } of hooks) boundary.notify(hook as (...args: unknown[]) => unknown, args)
}
