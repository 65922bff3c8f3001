/** A stream that takes what is received. */
export type Output = NodeJS.WritableStream & {
  readonly destroyed?: boolean
  readonly isTTY?: boolean
}

/**
 * Writes, and resolves when the chunk has been handed on, or there is nobody who reads, or nobody who waits.
 * @throws what the signal was aborted with
 */
export async function writeTo(out: Output, chunk: Uint8Array, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      out.off('close', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    out.on('close', done)
    signal.addEventListener('abort', done)
    out.write(chunk, done)
    if (out.destroyed || signal.aborted) done()
  })
  signal.throwIfAborted()
}
