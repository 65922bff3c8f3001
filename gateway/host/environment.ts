import type { PipeTable } from '../../core/index.js'
import type { Logger } from '../log/log.js'
import type { GatewayView, Pipes } from './api/host.js'
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
  /** How many gateways like this one there are in this process. */
  readonly threads: number
  /** What a plugin says in the other ones. */
  readonly reportsElsewhere: (plugin: string) => Promise<readonly unknown[]>
}
