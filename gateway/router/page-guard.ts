import { Refusal } from '../../core/index.js'
import { isCrossSite, isNavigation, pageOrigin } from '../http/cross-site.js'
import { FAILURES } from '../http/failures.js'
import { show } from '../http/parameters.js'
import type { RequestView } from '../http/request-view.js'

/**
 * Keeps pages of other origins away from names: a browser that has one of them open would send, receive and look for it with
 * all that its user can reach, on localhost and behind a firewall. Programs such as curl, the gateway's own pages and what
 * a user types are nobody's to refuse.
 */
export class PageGuard {
  readonly #origins: ReadonlySet<string>
  readonly #isOpen: boolean

  /**
   * @param origins whose pages may use names; `*` is all of them
   * @param clientHost the host, and perhaps the port, that the client asked for
   */
  constructor(
    origins: readonly string[],
    readonly clientHost: (request: RequestView) => string,
  ) {
    this.#origins = new Set(origins)
    this.#isOpen = this.#origins.has('*')
  }

  /**
   * Why this request has to come with credentials; undefined for whoever needs none. On the path of every request: two headers
   * are looked up for a program.
   * @param isPage a browser that goes there is shown a page, in a frame as well, which takes and tells nothing by itself
   */
  refusal(request: RequestView, isPage = false): Refusal | undefined {
    if (this.#isOpen || !isCrossSite(request, this.clientHost)) return undefined
    if (isPage && isNavigation(request, true)) return undefined
    return this.#refusal(request)
  }

  /** Whether another site has sent a browser here, to be shown what it finds, and not in a frame. */
  isSentHere(request: RequestView): boolean {
    return isNavigation(request, false) && this.refusal(request) !== undefined
  }

  #refusal(request: RequestView): Refusal | undefined {
    const origin = pageOrigin(request)
    if (this.#origins.has(origin)) return undefined
    const found = origin === '' || origin === 'null' ? 'an origin that is hidden' : show(origin)
    return new Refusal(FAILURES.crossSite, { found })
  }
}
