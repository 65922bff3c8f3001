import type { JSONWebKeySet } from 'jose'

/** A key set has a few keys of a few hundred bytes. */
const MAX_BYTES = 512 * 1024

/**
 * Gets a JWK Set (RFC 7517, section 5). Redirects are not followed: the configured address is the one that is trusted.
 *
 * @throws Error that says in own words what is wrong; nothing of the answer is in it
 */
export async function fetchKeySet(url: URL, signal: AbortSignal): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    signal,
    redirect: 'manual',
    headers: { accept: 'application/jwk-set+json, application/json' },
  }).catch((error) => {
    throw unreachable(error, signal)
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`the issuer answered ${response.status}, expected 200`)
  }
  const text = await readAll(response).catch((error) => {
    throw unreachable(error, signal)
  })
  return parse(text)
}

class TooLong extends Error {}

async function readAll(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MAX_BYTES) throw new TooLong(`the issuer answered with more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): JSONWebKeySet {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('the issuer answered with something that is not JSON')
  }
  const keys = (value as { keys?: unknown } | null)?.keys
  const isKey = (key: unknown) => typeof (key as { kty?: unknown } | null)?.kty === 'string'
  if (Array.isArray(keys) && keys.every(isKey)) return value as JSONWebKeySet
  throw new Error('the issuer answered with JSON that is not a set of keys')
}

function unreachable(error: unknown, signal: AbortSignal): Error {
  if (error instanceof TooLong) return error
  if (signal.aborted) return new Error('the issuer did not answer in time')
  const cause = (error as { cause?: { code?: unknown } }).cause
  return new Error(`the issuer cannot be reached (${cause?.code ?? 'connection failed'})`)
}
