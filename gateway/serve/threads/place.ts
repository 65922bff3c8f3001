import type { SharedCounts } from './shared-counts.js'

/** The place of a gateway among others in threads of the same process, with one port for all. */
export interface Place {
  /** From 0 on. */
  readonly number: number
  readonly threads: number
  readonly counts: SharedCounts
  /** Where the process has its certificates, and counts handshakes. 0: there is no TLS. */
  readonly tlsPlace: number
  /** What plugins share. */
  readonly memories: ReadonlyMap<string, SharedArrayBuffer>
  /** What the same plugin says in all other threads. One that has no answer is left out. */
  reportsOf(plugin: string): Promise<readonly unknown[]>
}
