import type { PipeView } from '../../../core/index.js'
import type { RequestView } from '../../http/request-view.js'
import type { Context, Join, Right } from './context.js'
import type { Body, Reply } from './reply.js'
import type { WebSocketOffer } from './websocket.js'

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
   * Must have used `reply` when it returns, or use it later; `request` is gone then. A throw, or a promise that rejects, is
   * answered with 500. A body of the request is read and dropped.
   */
  handle(request: RequestView, reply: Reply, context: Context): void
}

/** A parameter that makes `GET /name?param` something other than a receiver. It passes `onAdmit` as a watcher, unless it is `open`. */
export interface Mode {
  readonly param: string
  /** It answers `HEAD` too. */
  readonly head?: boolean
  /** No admission hook is asked: for what tells nothing about the pipe but its name, which the client knows. */
  readonly open?: boolean
  /**
   * A browser that goes there is shown a page that takes no place in the pipe and tells nothing to whoever sent the browser
   * there: then a link on any site, and a frame on sites that the page's policy allows, may lead to it. All else that pages of
   * other origins ask for without credentials is refused, unless `cors.origins` has them.
   */
  readonly page?: boolean
  /** Browsers that go to the bare name, and robots that draw a preview of a link to it, get this in place of the stream. */
  readonly landing?: boolean
  /** Whether the parameter means something in this request; without this, in every one. Otherwise it is treated as absent. */
  applies?(request: RequestView): boolean
  /** The right that it requires; `watch` without this. */
  right?(request: RequestView): Right
  handle(request: RequestView, reply: Reply, join: Join, pipe: PipeView | undefined): void
}

/**
 * Requests that are not about a pipe: whatever their method, host and path, this plugin answers them. They pass the
 * admission hooks as a `client`.
 */
export interface Claim {
  /** Whether this request is the plugin's. Called for every request, before all admission hooks; the first claim counts. */
  claims(request: RequestView): boolean
  /**
   * The right that it requires. Without this, or when it returns undefined, `receive` for GET, HEAD and OPTIONS, and `send`
   * for all else.
   */
  right?(request: RequestView): Right | undefined
  /** The name that admission hooks see. Without this the path without its first slash. */
  name?(request: RequestView): string
  /**
   * Must have used `reply` when it returns, or use it later; `request` is gone then. A throw, or a promise that rejects, is
   * answered with 500.
   */
  handle(request: RequestView, body: Body, reply: Reply, join: Join): void
  /** Called instead of `handle` for a request that asks for a WebSocket. Without this it is a request like any other. */
  upgrade?(request: RequestView, offer: WebSocketOffer, reply: Reply, join: Join): void
}
