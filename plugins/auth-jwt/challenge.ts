import type { HeaderList } from '../../gateway/host/plugin-api.js'
import { FAILURES, type FailureKey } from './failures.js'

const REALM = 'Bearer realm="pipegate"'

/**
 * The `WWW-Authenticate` of a refusal (RFC 6750, section 3).
 *
 * @param scope the scope that is missing, for `noRight`
 */
export function challenge(
  key: FailureKey,
  values: Readonly<Record<string, string | number>>,
  scope: string | undefined,
): HeaderList {
  // A client that has not tried to authenticate is told nothing but how (section 3.1).
  if (key === 'missing') return [['WWW-Authenticate', REALM]]
  const { status, message } = FAILURES[key]
  const error = { 400: 'invalid_request', 401: 'invalid_token', 403: 'insufficient_scope', 503: undefined }[status]
  if (error === undefined) return []
  const description = message.replace(/\{(\w+)\}/g, (_, word: string) => String(values[word]))
  const parts = [REALM, `error="${error}"`, `error_description="${quotable(description)}"`]
  if (scope !== undefined) parts.push(`scope="${quotable(scope)}"`)
  return [['WWW-Authenticate', parts.join(', ')]]
}

/** The characters that RFC 6750 allows between the quotes. */
function quotable(text: string): string {
  return text.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/g, '?')
}
