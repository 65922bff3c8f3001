/**
 * The public plugin API, the only module of this project that a plugin imports (`pipegate/plugin`). docs/plugins.md has
 * the tutorial and an example for each part. Times are in milliseconds and sizes in bytes unless a name says otherwise.
 */
import type { Failure, PipeView, Refusal, Side, Throttle } from '../../core/index.js'
import type { RequestRecord } from '../http/request-record.js'
import type { RequestView } from '../http/request-view.js'
import type { Answer, HeaderList } from '../http/response/answer.js'

export { z } from 'zod'
export {
  END_REASONS,
  type EndReason,
  type Failure,
  type PipeView,
  Refusal,
  type Side,
  type Throttle,
} from '../../core/index.js'
export { type Address, canonicalName, readAddress } from '../http/address.js'
export { FAILURES } from '../http/failures.js'
export { integer, Parameters, show } from '../http/parameters.js'
export type { RequestRecord } from '../http/request-record.js'
export type { RequestView } from '../http/request-view.js'
export { type Answer, type HeaderList, jsonAnswer, textAnswer } from '../http/response/answer.js'
export { endingOf } from '../http/response/endings.js'
export { type Html, type HtmlValue, html, trustedHtml } from '../http/response/html.js'
export { htmlPage, type Page } from '../http/response/page.js'
export { NamePattern } from './name-pattern.js'

/** The version of this API. A plugin says which one it was written for, and is refused by a gateway with another one. */
export const PLUGIN_API = 1

/** A row of a plugin's own catalogue. Its code is made of the plugin's name and the row's key: `AUTH_BEARER_UNKNOWN`. */
export type FailureRow = Omit<Failure, 'code'>

/** What checks a plugin's configuration: a zod schema, or anything with the same `safeParse`. */
export interface ConfigSchema<C> {
  safeParse(input: unknown):
    | { readonly success: true; readonly data: C }
    | {
        readonly success: false
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
        }
      }
}

/**
 * @template C what the configuration is once it has been checked
 * @template K the keys of its failures
 */
export interface Plugin<C = unknown, K extends string = string> {
  /** Lower case, digits and `-`: it stands in the configuration, in the log and in failure codes. */
  readonly name: string
  readonly api: typeof PLUGIN_API
  /** One sentence for `pipegate check`. */
  readonly summary?: string
  /** Plugins that must be loaded too; they are ordered before this one. */
  readonly needs?: readonly string[]
  /** Plugins that are ordered before this one if they are loaded. */
  readonly after?: readonly string[]
  /** It is ordered before all that do not say so. */
  readonly first?: boolean
  readonly config: ConfigSchema<C>
  /** Every way in which this plugin refuses a request. */
  readonly failures?: Readonly<Record<K, FailureRow>>
  /** Request headers, in lower case, that `onAdmitAsync` reads. No other is copied for it. */
  readonly reads?: readonly string[]
  /** Opens nothing, starts nothing and writes nothing: `pipegate check` calls it too. May throw an Error with one line. */
  setup(host: Host<C, K>): Parts
}

/** Returns its argument; the call is what makes the types known. */
export function definePlugin<C, const K extends string = never>(plugin: Plugin<C, K>): Plugin<C, K> {
  return Object.freeze(plugin)
}

/** What `setup` gives back. Everything is optional. */
export interface Parts {
  readonly hooks?: Hooks
  readonly routes?: readonly Route[]
  readonly modes?: readonly Mode[]
  readonly claims?: readonly Claim[]
  /** Before the port opens, in order. A throw stops the start, and undoes it. The signal fires at the start's deadline. */
  start?(signal: AbortSignal): void | Promise<void>
  /** The port is closed; transfers that run may go on for so many milliseconds. */
  drain?(ms: number): void
  /** In reverse order, for every plugin whose `start` was called, even if that threw. It has 10 seconds. */
  stop?(): void | Promise<void>
}

/** What `setup` is given. */
export interface Host<C = unknown, K extends string = string> {
  readonly config: Readonly<C>
  readonly log: Log
  /** The address prefix of this gateway, `/api/v1/pipe`; empty when there is none. */
  readonly prefix: string
  /**
   * The absolute path of a file that this plugin's configuration names: a relative one is relative to the configuration file,
   * and to the working directory when there is none.
   */
  resolve(path: string): string
  /** A refusal of this plugin's own catalogue. `values` fill the `{words}` of its text, `headers` go into the answer. */
  refuse(key: K, values?: Readonly<Record<string, string | number>>, headers?: HeaderList): Refusal
  /** Whether a plugin of this name is loaded. */
  has(plugin: string): boolean
  /** A clock in milliseconds that never goes back, the one that `PipeView` tells times of. */
  now(): number
  /** Calls `run` about every `ms` until the gateway stops. A throw is logged. Only from `start` on. */
  every(ms: number, run: () => void): void
  /** A place on every request's context that only the holder of the slot sees. */
  slot<T>(): Slot<T>
  /** Hands an object to plugins that are set up later. */
  provide<T>(token: Token<T>, value: T): void
  /** What an earlier plugin has provided, undefined when none has. */
  use<T>(token: Token<T>): T | undefined
  /** The pipes that are not over, by key and all of them. */
  readonly pipes: Pipes
  /** What the gateway knows about itself. */
  readonly gateway: GatewayView
  /** A speed that all transfers share that it is given to, by `Join.throttle`. */
  throttle(bytesPerSecond: number): Throttle
  /**
   * Ends the pipe that stands on a key now: both sides are told the failure's message, as `[ERROR] Transfer failed: …`. It
   * happens behind the callback that is running. Nothing happens when that pipe is over by then, or there is none.
   */
  end(key: string, failure: FailureRow): void
}

export interface Pipes {
  get(key: string): PipeView | undefined
  all(): Iterable<PipeView>
  readonly waiting: number
  readonly streaming: number
}

export interface GatewayView {
  /** Why the native helper is not active; undefined when it is. */
  readonly socketHelperInactive: string | undefined
  /** Bytes held for receivers that have not taken them, and the most that may be. */
  readonly heldBytes: number
  readonly memory: number
  /** How far a receiver may be behind another one. */
  readonly window: number
  /** Requests whose response is not over. */
  readonly openRequests: number
  /** What the client of a request speaks: with this gateway, or with the trusted proxy in front that says so. */
  schemeOf(request: Pick<RequestView, 'remoteAddress' | 'header'>): 'http' | 'https'
  /** Whether `trustedProxies` covers a peer: what it says of where a request comes from holds. */
  isTrustedProxy(address: string): boolean
  readonly draining: boolean
}

/** Lines of the gateway's log, with the plugin's name on each. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A name for something that one plugin provides and others use. Compared by identity: export it with its type. */
export interface Token<T> {
  readonly name: string
  /** Never there; it carries the type. */
  readonly type?: T
}

export interface Slot<T> {
  get(context: Context): T | undefined
  set(context: Context, value: T): void
}

/** Undefined: go on. Otherwise this request ends here, with this. Anything else, `false` too, is taken for a throw. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook without a return statement has to be one that goes on
export type Verdict = Refusal | Answer | undefined | void

/**
 * What a plugin wants to be asked and told. A gate may say no, and one that throws does: the request is answered 500. A
 * teller only hears; one that throws is logged. All but `onAdmitAsync` are synchronous, and a gate that returns a promise is
 * taken for one that threw. Hooks of one kind run in the order of the plugins.
 */
export interface Hooks {
  /** Gate. Every request, before anything else is looked at. */
  onRequest?(request: RequestView, context: Context): Verdict
  /** Gate. A side is about to join a pipe, or to watch one. */
  onAdmit?(request: RequestView, join: Join): Verdict
  /**
   * Gate. The same for what cannot be decided at once, after all `onAdmit`. Meanwhile nothing is read from the client, at
   * most one read of its body is held, and when it leaves or the time for all gates together is over, the signal fires.
   */
  onAdmitAsync?(request: RequestCopy, join: Join, signal: AbortSignal): Promise<Verdict>
  /** Teller. A pipe stands on a name: its first side is about to join. */
  onWaiting?(pipe: PipeView): void
  /** Teller. A side has joined. */
  onJoined?(pipe: PipeView, side: Side): void
  /** Teller. A side has gone before the end of the pipe. */
  onLeft?(pipe: PipeView, side: Side): void
  /** Teller. All sides are there, and the stream flows. */
  onPaired?(pipe: PipeView): void
  /** Teller. Once a second for each pipe that streams, if bytes have moved. */
  onProgress?(pipe: PipeView): void
  /** Teller. Exactly once for every `onWaiting`, whatever happened. */
  onEnded?(pipe: PipeView): void
  /** Teller. A request was refused, by a plugin (`by` is its name) or by the gateway itself (`gateway`). */
  onRefused?(failure: Failure, by: string, context: Context): void
  /** Teller. A request is over. */
  onRequestEnded?(record: RequestRecord, context: Context): void
}

/** A request's head that outlives the call: it has the headers that the plugins' `reads` name, and no other. */
export interface RequestCopy {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly remoteAddress: string
  /** First value of a header as Latin-1 text; empty when it is absent, or was not asked for. */
  header(lowerCaseName: string): string
}

/** Who asks, as an authenticating plugin found out. */
export interface Identity {
  /** Namespace of the names this request may use; empty for the one that everybody shares. No space in it. */
  readonly project: string
  /** Who it is within the project, fit for a log: the name of a token, the subject of a JWT. Never a secret. */
  readonly subject: string
  /** What it may do. */
  readonly rights: ReadonlySet<Right>
}

export type Right = 'send' | 'receive' | 'watch'

/** One request, from its head to the end of its response. */
export interface Context {
  /** Counts up from 1; the log knows the request by it. */
  readonly id: number
  /** Set by `identify`. */
  readonly identity: Identity | undefined
  /** Where the request comes from: the peer, or what a trusted proxy says. */
  readonly clientAddress: string
  /** The plugin that has claimed the request: what is said of pipes does not concern it. */
  readonly claimedBy: string | undefined
  /**
   * Runs `release` exactly once, when the response is over, whatever that was: refused by somebody later, disconnected while
   * it waited, complete. At once if it is over already.
   */
  onOver(release: () => void): void
  /**
   * On the response, whatever it is: a stream, an answer, a refusal by anybody. From `onRequest` on, until the response begins.
   * A frozen list is checked only the first time.
   */
  addHeadersAlways(headers: HeaderList): void
}

/**
 * One side that asks to join a pipe (`sender`, `receiver`), or to see something of it (`watcher`, a mode); or the `client` of
 * something else than a pipe (a claim). What changes it throws when it comes too late, once all gates have let it in, and when it is given what is none.
 */
export interface Join extends Context {
  readonly side: Side | 'watcher' | 'client'
  /** What one needs to be allowed for this: `send`, `receive`, or what the mode or the claim says. */
  readonly right: Right
  /** The name as it was asked for: two spellings of one name are the same here. */
  readonly name: string
  /** What the pipe is found by: the name, within the project's namespace. */
  readonly key: string
  /** Says who asks. From then on the name is one of that project, and nobody else's. */
  identify(identity: Identity): void
  /** The strictest of all that was said, on any side, holds for the transfer. 0 and less are taken as they stand. */
  tighten(limit: 'maxBytes' | 'totalMs', value: number): void
  /** The transfer goes no faster than this allows. */
  throttle(throttle: Throttle): void
  /** On this side's own response, if it gets one that is not a refusal. */
  addHeader(name: string, value: string): void
}

/** A path of the plugin's own. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /**
   * Exact, below the prefix: `/metrics`; `/` is the empty name. No pipe can have that name any more. `GET` answers `HEAD` as
   * well.
   */
  readonly path: `/${string}`
  /** It answers without the prefix too. Otherwise the bare path is 404, with the right address. */
  readonly bare?: boolean
  /**
   * Has to have used `reply` when it returns, or use it later; `request` is gone then. A throw, or a promise that rejects, is
   * answered with 500. A body of the request is read and dropped.
   */
  handle(request: RequestView, reply: Reply, context: Context): void
}

/** A parameter that makes `GET /name?param` something else than a receiver. It passes `onAdmit` as a watcher, if it is not `open`. */
export interface Mode {
  readonly param: string
  /** It answers `HEAD` too. */
  readonly head?: boolean
  /** Nobody is asked: for what says nothing of the pipe, but its name, to whoever knows that. */
  readonly open?: boolean
  /** Whether the parameter means something in this request; in every one without this. Otherwise it is as good as absent. */
  applies?(request: RequestView): boolean
  /** What one needs to be allowed for it; `watch` without this. */
  right?(request: RequestView): Right
  handle(request: RequestView, reply: Reply, join: Join, pipe: PipeView | undefined): void
}

/**
 * Requests that are not about a pipe: whatever their method, host and path, they are answered by this plugin. They pass the
 * gates as a `client`.
 */
export interface Claim {
  /** Whether this request is the plugin's. Asked of every request, before all gates; of several claims the first one counts. */
  claims(request: RequestView): boolean
  /**
   * What one needs to be allowed for it. Without this, or when it does not say, `receive` for GET, HEAD and OPTIONS, and `send` for
   * all else.
   */
  right?(request: RequestView): Right | undefined
  /** What the gates know it by. Without this the path without its first slash. */
  name?(request: RequestView): string
  /**
   * Has to have used `reply` when it returns, or use it later; `request` is gone then. A throw, or a promise that rejects, is
   * answered with 500.
   */
  handle(request: RequestView, body: Body, reply: Reply, join: Join): void
  /** A request that asks for a WebSocket, in place of `handle`. Without this it is one like any other. */
  upgrade?(request: RequestView, offer: WebSocketOffer, reply: Reply, join: Join): void
}

/** A client that asks for a WebSocket. It is accepted, or answered by `reply`. */
export interface WebSocketOffer {
  /** Subprotocols that it speaks. */
  readonly protocols: readonly string[]
  /**
   * Once, now or later; from then on `reply` is over. Undefined when the client has gone, or a header cannot be sent.
   * @param protocol one of `protocols`, or empty for none
   */
  accept(protocol: string, headers: HeaderList, peer: WebSocketPeer): WebSocketLink | undefined
}

/** Hears what the client of a WebSocket does. Bytes are lent for the call. */
export interface WebSocketPeer {
  /** A whole message of at most 16 MiB. The client cannot be paused. */
  onMessage(bytes: Uint8Array, isText: boolean): void
  /** It has been answered. */
  onPing(bytes: Uint8Array): void
  /** There is room again. */
  onDrain(): void
  /** The last call. 1005: it gave no code, 1006: it went without a word. */
  onClose(code: number, reason: string): void
}

/** A WebSocket that has been accepted. Once it is closed every call does nothing. */
export interface WebSocketLink {
  /** Bytes sent that are still kept in this process. At 32 MiB the connection is cut. */
  readonly kept: number
  /** False: enough for now, `onDrain` follows. */
  send(bytes: Uint8Array, isText: boolean): boolean
  ping(bytes: Uint8Array): void
  /** 1005 gives no code, 1006 cuts the connection. */
  close(code: number, reason: string): void
  cut(): void
}

/** The body of a claimed request. Nothing is read before somebody takes it, and nothing when `reply` is over. */
export interface Body {
  /** Its `Content-Length`, 0 when there is none; undefined when it is chunked. */
  readonly length: number | undefined
  /** Once. From now on the bytes are handed out, each piece lent for the call; `end` follows the last one. */
  read(feed: (bytes: Uint8Array) => void, end: () => void): void
  /** Reads no more for now; what one read has brought may still be handed out. */
  pause(): void
  resume(): void
}

/** A response. It never throws; once it `isOver` every call does nothing and returns false. */
export interface Reply {
  readonly isOver: boolean
  /** A complete answer. */
  give(answer: Answer | Refusal): boolean
  /**
   * Begins a stream, of unknown length unless it is said. What answers a HEAD, and a 204 or a 304, has no more than this. The
   * head leaves with the first bytes when the length is unknown.
   */
  open(status: number, headers: HeaderList, length?: number): boolean
  /**
   * False: enough for now, `onDrain` follows. What has been written is kept until the client takes it; at 16 MiB the
   * connection is cut. Bytes must not be changed from then on. A response of a known length has ended with its last byte.
   */
  write(piece: string | Uint8Array): boolean
  /**
   * What has been written leaves now, and not at the end of this turn of the event loop: for much that comes at once, while it is
   * in the processor's cache. Only a hint, and none in a hook or a handler, where others are being served.
   */
  sendNow(): void
  /** Bytes written that are still kept in this process. */
  readonly kept: number
  /** Ends an open stream. One whose announced length is not reached is cut. */
  close(): boolean
  /** Cuts the connection, so that nobody takes the response for complete. */
  cut(): void
  onDrain(run: () => void): void
}
