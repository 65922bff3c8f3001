import type { Throttle, Throttled } from '../../../core/index.js'

/** All throttles that hold for one connection, as one. Each of them may be shared with other connections. */
export class CombinedThrottle implements Throttled {
  /** @param onAvailable called when there may be something to spend again */
  constructor(
    readonly throttles: readonly Throttle[],
    readonly onAvailable: () => void,
  ) {}

  spend(bytes: number): void {
    for (const throttle of this.throttles) throttle.spend(bytes)
  }

  /** Whether nothing may be moved now. If so, `onAvailable` follows. */
  mustWait(): boolean {
    const dry = this.throttles.find((throttle) => throttle.isDry)
    dry?.wait(this)
    return dry !== undefined
  }

  unthrottled(): void {
    this.onAvailable()
  }

  release(): void {
    for (const throttle of this.throttles) throttle.leave(this)
  }
}
