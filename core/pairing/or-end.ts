import type { EndReason } from '../end-reason.js'

/** A defect in the middle of joining must not leave a transfer behind that no side can leave. */
export function orEnd<T>(transfer: { end(reason: EndReason): void }, join: () => T): T {
  try {
    return join()
  } catch (defect) {
    transfer.end('fault')
    throw defect
  }
}
