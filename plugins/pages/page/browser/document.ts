export const element = <E extends Element = HTMLElement>(selector: string): E => document.querySelector<E>(selector)!

/** What the server has given to this page. */
export function givenData<T>(): T {
  return JSON.parse(element('#data').textContent!)
}

/** Touches the document only where it changes. */
export function write(selector: string, text: string): void {
  const at = element(selector)
  if (at.textContent !== text) at.textContent = text
}

/** A bearer token for requests of this page. It is in the field, and nowhere else. */
export function authorization(): Record<string, string> {
  const token = element<HTMLInputElement>('#token').value.trim()
  return token === '' ? {} : { Authorization: `Bearer ${token}` }
}

/** Of every request of this page. The first one keeps a browser from asking for a password: the page has a field for that. */
export function requestHeaders(): Record<string, string> {
  return { 'X-Requested-With': 'XMLHttpRequest', ...authorization() }
}

/** The gateway has refused: with no token, or with this one. */
export function askForToken(): void {
  const field = element<HTMLInputElement>('#token')
  element('#token-field').hidden = false
  write('#problem', field.value === '' ? 'This gateway asks for a token.' : 'The gateway does not take this token.')
  field.focus()
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
