import type { OutgoingRequest } from '../relay/outgoing-request.js'

/** Methods that may be sent again when nobody knows whether the first one has arrived: RFC 9110, section 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])

/** By its method, or because its client says that the upstream knows it again (draft-ietf-httpapi-idempotency-key-header). */
export function isRepeatable({ method, headers, key }: OutgoingRequest): boolean {
  // What a pipegate has read of a stream it may have passed on.
  if (key !== undefined && method === 'PUT') return false
  return IDEMPOTENT.has(method) || headers['idempotency-key'] !== undefined
}
