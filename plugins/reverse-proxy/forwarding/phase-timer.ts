import type { Service } from '../service/service.js'

/** What a forwarded request waits for. */
export type Phase = 'connect' | 'request' | 'response' | 'stream'

/** The phase of a request, and when it has taken too long. Phases in which bytes flow start anew whenever some have moved. */
export class PhaseTimer {
  phase: Phase = 'connect'
  /** On the clock of the host. */
  #expiresAt = Number.POSITIVE_INFINITY
  /** Bytes have moved since the last tick. */
  #moved = false

  constructor(readonly service: Pick<Service, 'host' | 'timeouts'>) {}

  enter(phase: Phase): void {
    const { connect, response, idle } = this.service.timeouts
    this.phase = phase
    this.#expiresAt = this.service.host.now() + { connect, response, request: idle, stream: idle }[phase]
  }

  /** Bytes have moved. Cheap: the clock is read by the next tick. */
  moved(): void {
    this.#moved = true
  }

  /** Whether the phase has just expired. True once. */
  tick(now: number): boolean {
    if (this.#moved) {
      this.#moved = false
      if (this.phase === 'request' || this.phase === 'stream') this.#expiresAt = now + this.service.timeouts.idle
    }
    if (now < this.#expiresAt) return false
    this.#expiresAt = Number.POSITIVE_INFINITY
    return true
  }
}
