/** How many bytes of heap something takes. */
import { GCProfiler } from 'node:v8'
import { collectGarbage } from '../support/garbage.js'

/** To be given to Node: what is allocated stays in sight until there are 256 MiB of it. */
export const ROOMY = ['--min-semi-space-size=256', '--max-semi-space-size=256']

/**
 * Starts a measurement. Calling the result ends it, and returns how many bytes were allocated in between; undefined when V8
 * collected some of them, which it also does for the sake of memory outside its heap.
 */
export function measureHeap(): () => number | undefined {
  collectGarbage()
  const profiler = new GCProfiler()
  profiler.start()
  const before = process.memoryUsage().heapUsed
  return () => {
    const bytes = process.memoryUsage().heapUsed - before
    const collections = profiler.stop()?.statistics.length ?? 0
    return collections > 0 ? undefined : bytes
  }
}
