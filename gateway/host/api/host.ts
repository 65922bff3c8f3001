import type { Failure, HeldBytes, PipeView, Refusal, Throttle, ThrottleBucket } from '../../../core/index.js'
import type { RequestView } from '../../http/request-view.js'
import type { HeaderList } from '../../http/response/answer.js'
import type { Slot } from './context.js'

/** A row of a plugin's own catalogue. Its code is made of the plugin's name and the row's key: `AUTH_BEARER_UNKNOWN`. */
export type FailureRow = Omit<Failure, 'code'>

/** What `setup` is given. */
export interface Host<C = unknown, K extends string = string> {
  readonly config: Readonly<C>
  readonly log: Log
  /** The address prefix of this gateway, `/api/v1/pipe`; empty when there is none. */
  readonly prefix: string
  /**
   * The absolute path of a file that this plugin's configuration names: a relative one is relative to the configuration file,
   * or to the working directory when there is none.
   */
  resolve(path: string): string
  /** A refusal of this plugin's own catalogue. `values` fill the `{words}` of its text, `headers` go into the answer. */
  refuse(key: K, values?: Readonly<Record<string, string | number>>, headers?: HeaderList): Refusal
  /** Whether a plugin of this name is loaded. */
  has(plugin: string): boolean
  /** Whether some plugin lets nobody in without credentials. Only from `start` on. */
  everybodyAuthenticates(): boolean
  /** A monotonic clock in milliseconds. The times of a `PipeView` are on it. */
  now(): number
  /** Calls `run` about every `ms` until the gateway stops. A throw is logged. Only from `start` on. */
  every(ms: number, run: () => void): void
  /** A place on every request's context that only the holder of the slot sees. */
  slot<T>(): Slot<T>
  /** Offers an object to plugins that are set up later. */
  provide<T>(token: Token<T>, value: T): void
  /** What an earlier plugin has provided; undefined when none has. */
  use<T>(token: Token<T>): T | undefined
  /** Of the threads of this process that have an instance of this plugin each: which one this is, from 0 on, and how many there are. */
  readonly thread: { readonly number: number; readonly count: number }
  /**
   * Memory that the instances of this plugin in all threads share, by a name: full of zeros, or as `fill` leaves it, which is called
   * once. Only in `setup`, which asks for the same each time. It outlives a thread that ends and is started again.
   */
  sharedMemory(name: string, bytes: number, fill?: (memory: Uint8Array) => void): SharedArrayBuffer
  /** What the instances of this plugin in other threads say: see `Parts.report`. Of one thread that is nothing. */
  reportsElsewhere(): Promise<readonly unknown[]>
  /** The pipes that have not ended, by key and all of them. */
  readonly pipes: Pipes
  /** What the gateway knows about itself. */
  readonly gateway: GatewayView
  /**
   * A speed limit shared by all transfers that it is given to with `Join.throttle`.
   * @param bucket what may be spent now, where others spend of it as well
   */
  throttle(bytesPerSecond: number, bucket?: ThrottleBucket): Throttle
  /**
   * Ends the pipe that has this key now: both sides are told the failure's message, as `[ERROR] Transfer failed: …`. It
   * happens after the callback that is running. If there is no pipe, or it has ended by then, nothing happens.
   */
  end(key: string, failure: FailureRow): void
}

export interface Pipes {
  get(key: string): PipeView | undefined
  all(): Iterable<PipeView>
  names(): Iterable<PipeView>
  readonly waiting: number
  readonly streaming: number
}

export interface GatewayView {
  /** Why the native helper is not active; undefined when it is. */
  readonly socketHelperInactive: string | undefined
  /** Bytes held for receivers that have not taken them, and the most that may be held. */
  readonly heldBytes: number
  readonly memory: number
  /**
   * For what the plugin itself holds, of one client: how much of it there is, as a part of `heldBytes`. When it is refused, hold no
   * more: pause or end that client. Set it to 0 in the end. Unlike this, `Reply` and `WebSocketLink` count what they keep.
   */
  countHeld(): HeldBytes
  /** How far a receiver may be behind another one. */
  readonly window: number
  /** Requests whose response is not over. */
  readonly openRequests: number
  /** The scheme that the client of a request uses: with this gateway, or with the trusted proxy in front, if that says so. */
  schemeOf(request: Pick<RequestView, 'remoteAddress' | 'header'>): 'http' | 'https'
  /**
   * The host, and perhaps the port, that the client of a request uses: with this gateway, or with the trusted proxy in front, if
   * that says so. Undefined when it is no valid host, or when nobody has said which hosts are this gateway's: others reach it,
   * and `hosts` is not set.
   */
  hostOf(request: Pick<RequestView, 'remoteAddress' | 'header'>): string | undefined
  /**
   * Addresses of this machine at which others reach this gateway without a proxy, as hosts in a URL; none when it listens on a
   * loopback address.
   */
  readonly addresses: readonly string[]
  /** Whether `trustedProxies` covers a peer: what it says of where a request comes from is believed. */
  isTrustedProxy(address: string): boolean
  /** Whether clients are asked for certificates: `tlsClientAuth`. */
  readonly asksForCertificates: boolean
  readonly draining: boolean
  /** Lines that logs of this process have lost because they could not be written, by the log's name. */
  readonly lostLogLines: ReadonlyMap<string, number>
  /** TLS handshakes that came to nothing in this thread, by reason, where TLS is spoken by the native helper. Empty without TLS. */
  readonly failedHandshakes: ReadonlyMap<string, number>
}

/** Lines of the gateway's log, with the plugin's name on each. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A key for something that one plugin provides and others use. Compared by identity: export it with its type. */
export interface Token<T> {
  readonly name: string
  /** Never set; it carries the type. */
  readonly type?: T
}
