import type { Chain } from './chain.js'
import type { Remedy } from './remedies.js'

export type Verdict = 'ok' | 'warn' | 'fail' | 'skip'

/** What a check has found. */
export interface Finding {
  readonly verdict: Verdict
  /** What was seen, with figures. */
  readonly seen: string
  /** What it means for who uses the chain; for `warn` and `fail`. */
  readonly means?: string
  readonly mend?: Remedy
  /** For programs. Times are milliseconds, sizes bytes; the names say so. */
  readonly measured?: Readonly<Record<string, number | string | boolean | null>>
}

export interface Options {
  /** How much silence, and how long a trickle, is watched: milliseconds. */
  readonly silenceMs: number
}

export interface Check {
  readonly name: string
  /**
   * Bounded in time: by some seconds, or by the silence it is to watch. It rejects when what it needs does not work, with a
   * sentence for people.
   */
  readonly run: (chain: Chain, options: Options) => Promise<Finding>
}

export const ok = (seen: string, measured: Finding['measured'] = {}): Finding => ({ verdict: 'ok', seen, measured })

export const skip = (seen: string): Finding => ({ verdict: 'skip', seen })

export function bad(
  verdict: 'warn' | 'fail',
  seen: string,
  means: string,
  mend: Remedy,
  measured: Finding['measured'] = {},
): Finding {
  return { verdict, seen, means, mend, measured }
}

/** `3 ms`, `2.5 s`, `12 min`. */
export function time(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 120_000 ? `${Number((ms / 1000).toFixed(1))} s` : `${Number((ms / 60_000).toFixed(1))} min`
}

/** `100 bytes`, `64 KiB`, `8 MiB`. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  const [count, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KiB'] : [bytes / 1024 ** 2, 'MiB']
  return `${Number(count.toFixed(1))} ${unit}`
}
