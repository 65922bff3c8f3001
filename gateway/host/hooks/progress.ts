import type { PipeView } from '../../../core/index.js'

/** Returns a function that reports the pipes in which bytes have moved since it was called last. */
export function progressReporter(
  pipes: { all(): Iterable<PipeView> },
  onProgress: (pipe: PipeView) => void,
): () => void {
  const seen = new WeakMap<PipeView, number>()
  return () => {
    for (const pipe of pipes.all()) {
      const moved = pipe.bytesIn + pipe.bytesSent
      if (pipe.state !== 'streaming' || seen.get(pipe) === moved) continue
      seen.set(pipe, moved)
      onProgress(pipe)
    }
  }
}
