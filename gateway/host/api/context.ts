import type { Side, Throttle } from '../../../core/index.js'
import type { ClientCertificate } from '../../http/client-certificate.js'
import type { HeaderList } from '../../http/response/answer.js'

/** The client, as an authenticating plugin identified it. */
export interface Identity {
  /** Namespace of the names this request may use; empty for the shared one. No space in it. */
  readonly project: string
  /** Who it is within the project, fit for a log: the name of a token, the subject of a JWT. Never a secret. */
  readonly subject: string
  /** What it may do. */
  readonly rights: ReadonlySet<Right>
  /** The client has presented nothing: this is what anybody may. Pages of other origins may not use it. */
  readonly anonymous?: boolean
}

export type Right = 'send' | 'receive' | 'watch'

/** One request, from its head to the end of its response. */
export interface Context {
  /** Counts up from 1. Log lines name the request by it. */
  readonly id: number
  /** Set by `identify`. */
  readonly identity: Identity | undefined
  /** Where the request comes from: the peer, or what a trusted proxy says. */
  readonly clientAddress: string
  /**
   * The certificate that the client has shown, if this gateway asks for them (`tlsClientAuth`) and an authority vouches for it. Read it in a hook:
   * once the connection is over there may be none any more.
   */
  readonly clientCertificate: ClientCertificate | undefined
  /** The plugin that has claimed the request. What is said of pipes does not apply to it then. */
  readonly claimedBy: string | undefined
  /**
   * Runs `release` exactly once, when the response is over, however it ended: refused by a later plugin, disconnected while
   * it waited, complete. Runs it at once if the response is over already.
   */
  onOver(release: () => void): void
  /**
   * Adds headers to the response, whatever it is: a stream, an answer, a refusal by anyone. From `onRequest` on, until the
   * response begins. A frozen list is checked only the first time.
   */
  addHeadersAlways(headers: HeaderList): void
}

/**
 * One side that asks to join a pipe (`sender`, `receiver`), or to see something of it (`watcher`, a mode); or the `client` of
 * something other than a pipe (a claim). Methods that change it throw when they are called too late, after all admission
 * hooks have let it in, and when their arguments are invalid.
 */
export interface Join extends Context {
  readonly side: Side | 'watcher' | 'client'
  /** The right that this requires: `send`, `receive`, or what the mode or the claim says. */
  readonly right: Right
  /** The name as it was asked for, in one spelling: two spellings of one name are the same here. */
  readonly name: string
  /** What the pipe is found by: the name, within the project's namespace. */
  readonly key: string
  /** Says who the client is. From then on the name is one of that project, and nobody else's. */
  identify(identity: Identity): void
  /** The strictest value set on any side holds for the transfer. 0 and less are taken as they are. */
  tighten(limit: 'maxBytes' | 'totalMs', value: number): void
  /** The transfer goes no faster than this allows. */
  throttle(throttle: Throttle): void
  /** Adds a header to this side's own response, unless that is a refusal. */
  addHeader(name: string, value: string): void
}

export interface Slot<T> {
  get(context: Context): T | undefined
  set(context: Context, value: T): void
}
