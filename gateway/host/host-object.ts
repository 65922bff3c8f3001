import { resolve } from 'node:path'
import type { HeaderList } from '../http/response/answer.js'
import { RefusalWithHeaders } from '../http/response/failure-answer.js'
import type { Logger } from '../log/log.js'
import type { FailureRow, Host, Token } from './api/host.js'
import type { Plugin } from './api/plugin.js'
import type { HostEnvironment } from './environment.js'
import { attempt } from './error-boundary.js'
import { newSlot } from './request-context.js'
import type { Timers } from './timers.js'

/** What all plugins of a gateway share. */
export interface SharedByPlugins {
  readonly environment: HostEnvironment
  /** The names of all plugins. */
  readonly names: ReadonlySet<string>
  /** Whether one of them lets nobody in without credentials; known when all are set up. */
  everybodyAuthenticates: boolean
  /** What plugins have provided to those that are set up later. */
  readonly provided: Map<Token<unknown>, unknown>
  readonly timers: Timers
}

/** The `Host` that a plugin's `setup` is given. @param folder the one that paths in its configuration are relative to */
export function createHost(shared: SharedByPlugins, plugin: Plugin, config: object, log: Logger, folder: string): Host {
  const { names, provided, timers } = shared
  const { prefix, pipes, gateway, throttles, now, stop, reportsElsewhere, thread, memories } = shared.environment
  return {
    config,
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
    thread,
    sharedMemory: (name, bytes, fill) => memories.get(plugin.name, name, bytes, fill),
    reportsElsewhere: () => reportsElsewhere(plugin.name),
    has: (name) => names.has(name),
    everybodyAuthenticates: () => shared.everybodyAuthenticates,
    every: (ms, run) => {
      const failed = (error: unknown) => log.error({ err: error }, 'a plugin failed at what it does now and then')
      timers.every(ms, () => attempt(run, failed))
    },
    slot: newSlot,
    provide: (token, value) => {
      provided.set(token, value)
    },
    use: <T>(token: Token<T>) => provided.get(token) as T | undefined,
    throttle: (bytesPerSecond, bucket) => throttles.create(bytesPerSecond, bucket),
    end: (key, row) => {
      // By the time it is ended another pipe may have the same key.
      const pipe = pipes.get(key)
      setImmediate(() => {
        if (pipe !== undefined && pipes.get(key) === pipe) stop(key, withCode(plugin.name, 'ended', row))
      })
    },
  }
}

function withCode(plugin: string, key: string, row: FailureRow) {
  return { ...row, code: `${plugin}_${key}`.replace(/[A-Z]/g, '_$&').replace(/-/g, '_').toUpperCase() }
}
