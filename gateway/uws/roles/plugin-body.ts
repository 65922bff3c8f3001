import { Refusal } from '../../../core/index.js'
import type { Body } from '../../host/plugin-api.js'
import { FAILURES } from '../../http/failures.js'
import type { UwsRequestBody } from '../body/request-body.js'
import type { CombinedThrottle } from './combined-throttle.js'

/** The reply to the same request. */
export interface PluginBodyOwner {
  readonly exchange: { readonly over: boolean }
  give(refusal: Refusal): boolean
  cut(): void
}

/** The body of a request as a plugin reads it, within the limits that the gates have set. */
export class PluginBody implements Body {
  #pausedByPlugin = false
  #maxBytes = Number.POSITIVE_INFINITY
  #throttle: CombinedThrottle | undefined

  constructor(
    readonly length: number | undefined,
    /** Undefined when the request has no body, or when the plugin does not want it. */
    readonly body: UwsRequestBody | undefined,
    readonly owner: PluginBodyOwner,
  ) {}

  limit(maxBytes: number | undefined, throttle: CombinedThrottle | undefined): void {
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY
    this.#throttle = throttle
  }

  /** There may be something to spend again. */
  unthrottled(): void {
    if (!this.#pausedByPlugin) this.body?.resume()
  }

  // Functions of their own, because a plugin may take them apart from the body.

  readonly pause = (): void => {
    this.#pausedByPlugin = true
    this.body?.pause()
  }

  readonly resume = (): void => {
    this.#pausedByPlugin = false
    if (this.#throttle?.mustWait() !== true) this.body?.resume()
  }

  readonly read = (feed: (bytes: Uint8Array) => void, end: () => void): void => {
    const { body, owner } = this
    if (body === undefined) {
      end()
      return
    }
    const ended = () => {
      if (owner.exchange.over) return
      end()
    }
    const cut = () => owner.cut()
    const consumer = { feed: this.#limited(feed, body), end: ended, broken: cut, left() {}, fault: cut }
    body.deliverTo(consumer, this.#throttle !== undefined)
    if (this.#throttle?.mustWait() !== true) body.resume()
  }

  /** Passes on what the limits allow. */
  #limited(feed: (bytes: Uint8Array) => void, body: UwsRequestBody): (bytes: Uint8Array) => void {
    const throttle = this.#throttle
    const maxBytes = this.#maxBytes
    if (throttle === undefined && maxBytes === Number.POSITIVE_INFINITY) return feed
    let found = 0
    return (bytes) => {
      found += bytes.length
      if (found > maxBytes) {
        const refusal = new Refusal(FAILURES.tooLarge, { found, expected: maxBytes })
        if (!this.owner.give(refusal)) this.owner.cut()
        return
      }
      feed(bytes)
      throttle?.spend(bytes.length)
      if (throttle?.mustWait()) body.pause()
    }
  }
}
