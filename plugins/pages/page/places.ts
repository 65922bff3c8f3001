/** By which address another device finds this gateway. No DOM. */

/** Where a link can lead. */
export interface Place {
  readonly origin: string
  readonly label: string
}

/** The page's own address: what `location` says of it. */
export interface Here extends Record<'protocol' | 'hostname' | 'port' | 'origin', string> {}

/** Whether this name or address means the machine itself, wherever it is opened. @param host as browsers write it */
export function isLoopback(host: string): boolean {
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host)
}

/**
 * The addresses to choose from; none when the page's own is good for others too, or there is no other.
 * @param addresses hosts as in a URL
 */
export function placesOf(here: Here, addresses: readonly string[]): readonly Place[] {
  if (!isLoopback(here.hostname) || addresses.length === 0) return []
  const port = here.port === '' ? '' : `:${here.port}`
  const others = addresses.map((host) => ({ origin: `${here.protocol}//${host}${port}`, label: host }))
  return [{ origin: here.origin, label: 'This machine only' }, ...others]
}
