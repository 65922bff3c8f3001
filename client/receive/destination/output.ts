/** A stream that takes what is received. */
export type Output = NodeJS.WritableStream & {
  readonly destroyed?: boolean
  readonly isTTY?: boolean
}

/**
 * Writes, and resolves when there is room for more, or nobody who reads, or nobody who waits.
 * @throws what the signal was aborted with
 */
export async function writeTo(out: Output, chunk: Uint8Array, signal: AbortSignal): Promise<void> {
  if (!out.write(chunk) && !out.destroyed && !signal.aborted) {
    await new Promise<void>((resolve) => {
      const done = () => {
        out.off('drain', done).off('close', done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      out.on('drain', done).on('close', done)
      signal.addEventListener('abort', done)
    })
  }
  signal.throwIfAborted()
}
