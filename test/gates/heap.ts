/** How many bytes of heap something takes. */
import { GCProfiler, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** To be given to Node: what is allocated stays in sight until there are 256 MiB of it. */
export const ROOMY = ['--min-semi-space-size=256', '--max-semi-space-size=256']

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Starts a measurement. Calling the result ends it, and returns how many bytes were allocated in between. */
export function measureHeap(): () => number {
  collect()
  const profiler = new GCProfiler()
  profiler.start()
  const before = process.memoryUsage().heapUsed
  return () => {
    const bytes = process.memoryUsage().heapUsed - before
    const collections = profiler.stop()?.statistics.length ?? 0
    if (collections > 0) throw new Error(`${collections} collections took away what was to be counted`)
    return bytes
  }
}
