import type { PipeView, Side } from './pipe-view.js'

/** Is told of every pipe. Calls are synchronous, come after the core's own step, and cannot change anything. */
export interface PipeObserver {
  /** Exactly once for each pipe, when its first side arrives. */
  onWaiting(pipe: PipeView): void
  /** Once for each side that arrives, the first one included. */
  onJoined(pipe: PipeView, side: Side): void
  /** Once for each side that goes before the pipe's end. */
  onLeft(pipe: PipeView, side: Side): void
  /** Each time that somebody has looked at what a sender waits to send, and has taken nothing. */
  onLooked(pipe: PipeView): void
  /** At most once, when the last awaited side has arrived and the stream flows; on a queue, when something of it has arrived there. */
  onPaired(pipe: PipeView): void
  /** Exactly once for each pipe, whatever happened. */
  onEnded(pipe: PipeView): void
}
