import { createRequire } from 'node:module'
import type { Registry } from 'prom-client'

/**
 * Of the collectors behind the library's `collectDefaultMetrics` those that only read when somebody scrapes. The others
 * (event loop, garbage collection) start timers and observers that nothing can stop, and would outlive the plugin.
 */
const READERS = [
  'processCpuTotal',
  'processStartTime',
  'osMemoryHeap',
  'processOpenFileDescriptors',
  'processMaxFileDescriptors',
  'heapSizeAndUsed',
  'heapSpacesSizeAndUsed',
  'version',
] as const

const require = createRequire(import.meta.url)

/** CPU, memory, file descriptors and version of this process: `process_*` and `nodejs_*`. */
export function processMetrics(registry: Registry): void {
  for (const reader of READERS) {
    const collect = require(`prom-client/lib/metrics/${reader}.js`) as (registry: Registry) => void
    collect(registry)
  }
}
