import { createRequire } from 'node:module'
import type { Registry } from 'prom-client'

/**
 * Of the collectors behind the library's `collectDefaultMetrics` those that only read when somebody scrapes. The others
 * (event loop, garbage collection) start timers and observers that nothing can stop, and would outlive the plugin.
 */
const OF_PROCESS = [
  'processCpuTotal',
  'processStartTime',
  'osMemoryHeap',
  'processOpenFileDescriptors',
  'processMaxFileDescriptors',
  'version',
] as const
/** What each thread has of its own. */
const OF_THREAD = ['heapSizeAndUsed', 'heapSpacesSizeAndUsed'] as const

const require = createRequire(import.meta.url)

/**
 * CPU, memory, file descriptors and version of this process: `process_*` and `nodejs_*`.
 * @param ofProcess for what is the same whichever thread is asked
 * @param ofThread for the rest
 */
export function processMetrics(ofProcess: Registry, ofThread: Registry): void {
  read(OF_PROCESS, ofProcess)
  read(OF_THREAD, ofThread)
}

function read(readers: readonly string[], registry: Registry): void {
  for (const reader of readers) {
    const collect = require(`prom-client/lib/metrics/${reader}.js`) as (registry: Registry) => void
    collect(registry)
  }
}
