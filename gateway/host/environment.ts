import type { PipeTable } from '../../core/index.js'
import type { Logger } from '../log/log.js'
import type { GatewayView, Pipes } from './api/host.js'
import type { SharedMemories } from './shared-memories.js'
import type { Throttles } from './throttles.js'

/** What the gateway gives to the plugin host. */
export interface HostEnvironment {
  readonly log: Logger
  readonly prefix: string
  readonly pipes: Pipes
  readonly gateway: GatewayView
  readonly throttles: Throttles
  readonly now: () => number
  /** How long asynchronous admission hooks may take, all together. */
  readonly decideMs: number
  /** How long a plugin may take to stop. */
  readonly stopMs: number
  /** Ends a pipe. To be called after the callback that is running, never from inside it. */
  readonly stop: PipeTable['stop']
  /** Which one of several gateways in threads of this process this is, from 0 on, and how many there are. */
  readonly thread: { readonly number: number; readonly count: number }
  readonly memories: SharedMemories
  /** What a plugin says in the other ones. */
  readonly reportsElsewhere: (plugin: string) => Promise<readonly unknown[]>
}
