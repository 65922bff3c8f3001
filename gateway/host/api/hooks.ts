import type { Failure, PipeView, Refusal, Side } from '../../../core/index.js'
import type { RequestRecord } from '../../http/request-record.js'
import type { RequestView } from '../../http/request-view.js'
import type { Answer } from '../../http/response/answer.js'
import type { Context, Join } from './context.js'

/** Undefined: continue. Otherwise this request ends here, with this. Anything else, `false` too, is treated as a throw. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook without a return statement has to be one that continues
export type Verdict = Refusal | Answer | undefined | void

/**
 * The hooks of a plugin. An admission hook may refuse a request; if it throws, the request is answered with 500. An event
 * hook is only notified; if it throws, that is logged. All but `onAdmitAsync` are synchronous: an admission hook that
 * returns a promise is treated as one that threw. Hooks of one kind run in the order of the plugins.
 */
export interface Hooks {
  /** Admission hook. Every request that is valid HTTP, before anything else is looked at. */
  onRequest?(request: RequestView, context: Context): Verdict
  /** Admission hook. A side is about to join a pipe, or to watch one. */
  onAdmit?(request: RequestView, join: Join): Verdict
  /**
   * Admission hook. The same for what cannot be decided at once, after all `onAdmit`. Meanwhile nothing is read from the
   * client and at most one read of its body is held. The signal fires when the client leaves, or when the time for all
   * admission hooks together is over.
   */
  onAdmitAsync?(request: RequestCopy, join: Join, signal: AbortSignal): Promise<Verdict>
  /** Event hook. A pipe has been made: its first side is about to join. */
  onWaiting?(pipe: PipeView): void
  /** Event hook. A side has joined. */
  onJoined?(pipe: PipeView, side: Side): void
  /** Event hook. A side has left before the end of the pipe. */
  onLeft?(pipe: PipeView, side: Side): void
  /** Event. Somebody has looked at what a sender waits to send, and has taken nothing: `pipe.looks` times so far. */
  onLooked?(pipe: PipeView): void
  /** Event hook. All sides have joined, and the stream flows; on a queue, something of it has arrived at the receiver. */
  onPaired?(pipe: PipeView): void
  /** Event hook. Once a second for each pipe that streams, if bytes have moved. */
  onProgress?(pipe: PipeView): void
  /** Event hook. Exactly once for every `onWaiting`, whatever happened. */
  onEnded?(pipe: PipeView): void
  /** Event hook. A request was refused, by a plugin (`by` is its name) or by the gateway itself (`gateway`). */
  onRefused?(failure: Failure, by: string, context: Context): void
  /** Event hook. A request is over. */
  onRequestEnded?(record: RequestRecord, context: Context): void
}

/** A request's head that outlives the call. It has the headers that the plugins' `reads` name, and no other. */
export interface RequestCopy {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly remoteAddress: string
  /** First value of a header as Latin-1 text; empty when it is absent, or was not asked for. */
  header(lowerCaseName: string): string
}
