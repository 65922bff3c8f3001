import { TimedOut } from '../screen/ending.js'

/** Work that is given up when it has taken so long. @param ms undefined: never @throws TimedOut */
export async function within<T>(
  ms: number | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (ms === undefined) return work(signal)
  const late = AbortSignal.timeout(ms)
  try {
    return await work(AbortSignal.any([signal, late]))
  } catch (error) {
    if (late.aborted && !signal.aborted) throw new TimedOut('Timed out waiting for the other side.')
    throw error
  }
}
