import type { RequestView } from '../../../gateway/host/plugin-api.js'

/** Where a route stands. */
export interface Place {
  /** `shop.example.org`, or `*.example.org`; undefined for every host. */
  readonly host?: string | undefined
  readonly prefix: string
}

interface Entry<R> {
  readonly suffix: string | undefined
  readonly host: string | undefined
  readonly prefix: string
  readonly route: R
}

/** Finds the route of a request: the most exact host counts first, then the longest prefix. */
export class RouteTable<R extends Place> {
  readonly #entries: readonly Entry<R>[]
  readonly #asksHost: boolean

  constructor(routes: readonly R[]) {
    this.#entries = routes
      .map((route) => {
        const host = route.host?.toLowerCase()
        const isSuffix = host?.startsWith('*.') === true
        return {
          route,
          prefix: route.prefix,
          host: isSuffix ? undefined : host,
          suffix: isSuffix ? host.slice(1) : undefined,
        }
      })
      .sort((a, b) => exactness(b) - exactness(a) || b.prefix.length - a.prefix.length)
    this.#asksHost = this.#entries.some(({ host, suffix }) => host !== undefined || suffix !== undefined)
  }

  find(path: string, request: Pick<RequestView, 'header'>): R | undefined {
    const name = this.#asksHost ? hostName(request.header('host')) : ''
    for (const { host, suffix, prefix, route } of this.#entries) {
      if (host !== undefined && host !== name) continue
      if (suffix !== undefined && !name.endsWith(suffix)) continue
      if (covers(prefix, path)) return route
    }
    return undefined
  }
}

/** An exact host before all below one, the longer of those first, and before every host. */
function exactness({ host, suffix }: Entry<unknown>): number {
  return host !== undefined ? Number.MAX_SAFE_INTEGER : (suffix?.length ?? 0)
}

/** `/shop` covers `/shop` and `/shop/cart`, and not `/shopping`. */
function covers(prefix: string, path: string): boolean {
  if (!path.startsWith(prefix)) return false
  return prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/'
}

/** Without the port, in lower case. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase()
}
