/** Writes, and resolves when there is room for more, or nobody who reads. */
export function writeTo(
  out: NodeJS.WritableStream & { readonly destroyed?: boolean },
  chunk: Uint8Array,
): Promise<void> {
  if (out.write(chunk) || out.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      out.off('drain', done).off('close', done)
      resolve()
    }
    out.on('drain', done).on('close', done)
  })
}
