/** A bearer token for requests of this page. It is in a field of the page, and nowhere else. */
import { element, write } from './elements.js'

const field = () => element<HTMLInputElement>('#token')

export const hasToken = (): boolean => field().value.trim() !== ''

/** Of every request of this page. The first one keeps a browser from asking for a password: the page has a field for that. */
export function requestHeaders(): Record<string, string> {
  const own = { 'X-Requested-With': 'XMLHttpRequest' }
  return hasToken() ? { ...own, Authorization: `Bearer ${field().value.trim()}` } : own
}

/** The gateway has refused: with no token, or with this one. */
export function askForToken(): void {
  element('#token-field').hidden = false
  write('#problem', hasToken() ? 'The gateway does not take this token.' : 'This gateway asks for a token.')
  field().focus()
}

/** What a refusal says, in the server's own words if it is this kind of server. */
export async function refusalOf(response: Response): Promise<string> {
  return /^\[ERROR\] (.*)/.exec(await response.text())?.[1] ?? `The server answered ${response.status}.`
}

/** The signature that opens a name to whoever has it, for the token of this page; undefined when the gateway gives none. */
export async function receiveSignature(address: string): Promise<string | undefined> {
  const headers = { Accept: 'application/json', ...requestHeaders() }
  const response = await fetch(`${address}?link=receive`, { headers, cache: 'no-store' })
  if (!response.ok) return undefined
  const { url } = (await response.json()) as { readonly url: string }
  return new URL(url).searchParams.get('sig') ?? undefined
}
