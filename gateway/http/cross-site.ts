/** What a browser says of the page that made it send a request. Programs such as curl say nothing. */
import type { RequestView } from './request-view.js'

/**
 * Whether it says that this is a page of another origin. Browsers leave `Sec-Fetch-Site` out over plain HTTP, except to
 * localhost and 127.0.0.1; then there is an `Origin` at least with everything that sends, and with what a script may read.
 * @param clientHost the host, and perhaps the port, that the client asked for
 */
export function isCrossSite(request: RequestView, clientHost: (request: RequestView) => string): boolean {
  const site = request.header('sec-fetch-site')
  // `none` is what its user typed, or clicked outside of all pages. `same-site` may be anybody's: another port of localhost.
  if (site !== '') return site !== 'same-origin' && site !== 'none'
  const origin = request.header('origin')
  return origin !== '' && !isOriginOf(origin, clientHost(request).toLowerCase())
}

/** The scheme is not compared: behind a proxy the gateway may not know it. `null`, a page in a sandbox, is nobody's. */
function isOriginOf(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}` || withoutDefaultPort(origin, host)
}

/** Clients may write the port that the scheme implies, which an origin never has. */
function withoutDefaultPort(origin: string, host: string): boolean {
  const url = `${origin.slice(0, origin.indexOf(':'))}://${host}`
  return /^https?:/.test(url) && URL.canParse(url) && new URL(url).origin === origin
}

/**
 * The origin of the page; empty when it is not known. A page can hide it, and no page can write another one: what its
 * browser fetches without CORS (an image, a link that is followed) has no `Origin`, but a `Referer` if the page allows that.
 */
export function pageOrigin(request: RequestView): string {
  const origin = request.header('origin')
  if (origin !== '') return origin
  const referer = request.header('referer')
  return URL.canParse(referer) ? new URL(referer).origin : ''
}

/** Whether the browser goes to the address to show what it finds there: in a tab, or, with `inFrame`, also within a page. */
export function isNavigation(request: RequestView, inFrame: boolean): boolean {
  if (request.method !== 'GET' || request.header('sec-fetch-mode') !== 'navigate') return false
  const destination = request.header('sec-fetch-dest')
  return destination === 'document' || (inFrame && (destination === 'iframe' || destination === 'frame'))
}
