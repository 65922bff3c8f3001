/** Which fault was planted when: it says what may be refused, and for how long a process was kept from running. */

import { performance } from 'node:perf_hooks'

interface Span {
  readonly name: string
  readonly from: number
  to: number
}

/** A fault is felt for so long after it was mended: checks of upstreams, reconnections, requests that were in flight. */
const GRACE_MS = 10_000

export class Timeline {
  readonly #spans: Span[] = []

  /** Notes that this fault has been planted. Returns what notes that it has been mended. */
  begin(name: string): () => void {
    const span = { name, from: performance.now(), to: Number.POSITIVE_INFINITY }
    this.#spans.push(span)
    return () => {
      span.to = Math.min(span.to, performance.now())
    }
  }

  /** Whether one of these faults was felt at some time since `from`. */
  felt(names: readonly string[], from: number): boolean {
    return this.#spans.some(({ name, to }) => names.includes(name) && to + GRACE_MS >= from)
  }

  /** What was felt since `from`, for somebody who has to find out. */
  story(from: number): string {
    const felt = this.#spans.filter(({ to }) => to + GRACE_MS >= from)
    const at = (time: number) => (time === Number.POSITIVE_INFINITY ? '' : ((time - from) / 1000).toFixed(1))
    return felt.map((span) => `${span.name} ${at(span.from)}…${at(span.to)}`).join(', ')
  }

  /** How often a fault was planted. */
  count(name: string): number {
    return this.#spans.filter((span) => span.name === name).length
  }

  /** Milliseconds between two moments in which this fault was planted. */
  within(name: string, from: number, to: number): number {
    let ms = 0
    for (const span of this.#spans)
      if (span.name === name) ms += Math.max(0, Math.min(to, span.to) - Math.max(from, span.from))
    return ms
  }
}
