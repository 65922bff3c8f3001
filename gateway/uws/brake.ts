import type { Throttle, Throttled } from '../../core/index.js'

/** Holds one connection to the speeds that it shares with others. */
export class Brake implements Throttled {
  /** @param go there may be something to spend again */
  constructor(
    readonly throttles: readonly Throttle[],
    readonly go: () => void,
  ) {}

  spend(bytes: number): void {
    for (const throttle of this.throttles) throttle.spend(bytes)
  }

  /** Whether nothing may be moved now; then `go` follows. */
  get holds(): boolean {
    const dry = this.throttles.find((throttle) => throttle.isDry)
    dry?.wait(this)
    return dry !== undefined
  }

  unthrottled(): void {
    this.go()
  }

  release(): void {
    for (const throttle of this.throttles) throttle.leave(this)
  }
}
