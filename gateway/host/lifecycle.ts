import type { Logger } from '../log/log.js'
import type { Parts, Plugin } from './api/plugin.js'
import { attempt } from './error-boundary.js'
import type { Timers } from './timers.js'

/** A plugin that has been set up. */
export interface InstalledPlugin {
  readonly plugin: Plugin
  readonly parts: Parts
  readonly log: Logger
}

/** Starts, drains and stops plugins. Their timers stop with them. */
export class Lifecycle {
  readonly #started: InstalledPlugin[] = []

  /** @param stopMs how long each plugin may take to stop */
  constructor(
    readonly plugins: readonly InstalledPlugin[],
    readonly timers: Timers,
    readonly stopMs: number,
  ) {}

  /**
   * Starts all, in order. When one throws, it and those before it are stopped again.
   * @throws Error with one line on which plugin threw what
   */
  async start(signal: AbortSignal): Promise<void> {
    const tooLate = rejectsWhenAborted(signal)
    for (const installed of this.plugins) {
      this.#started.push(installed)
      try {
        await Promise.race([installed.parts.start?.(signal), tooLate])
      } catch (error) {
        await this.stop()
        const why = error instanceof Error ? error.message : String(error)
        throw new Error(`plugin ${installed.plugin.name} could not start: ${why}`)
      }
    }
  }

  drain(ms: number): void {
    for (const { parts, log } of this.#started) {
      attempt(
        () => parts.drain?.(ms),
        (error) => log.error({ err: error }, 'a plugin failed to drain'),
      )
    }
  }

  /** Stops in reverse order. One that throws, or takes too long, does not prevent the others from stopping. A second call does nothing. */
  async stop(): Promise<void> {
    this.timers.stop()
    for (const { parts, log } of this.#started.splice(0).reverse()) {
      try {
        await withDeadline(this.stopMs, () => parts.stop?.())
      } catch (error) {
        log.error({ err: error }, 'a plugin failed to stop')
      }
    }
  }
}

/** Rejects when the signal fires, whether anyone waits for it or not. */
function rejectsWhenAborted(signal: AbortSignal): Promise<never> {
  const tooLate = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('it took too long')), { once: true })
  })
  tooLate.catch(() => {})
  return tooLate
}

/** @throws what `run` throws, or an Error when it takes longer */
async function withDeadline(ms: number, run: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${ms / 1000} s`)), ms)
  })
  try {
    await Promise.race([run(), tooLate])
  } finally {
    clearTimeout(timer)
  }
}
