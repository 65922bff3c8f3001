/** Shortest secret for each HMAC algorithm, in bytes: the size of the hash (RFC 7518, section 3.2). */
export const HMAC_BYTES = { HS256: 32, HS384: 48, HS512: 64 } as const

export const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const
export const EDWARDS = ['EdDSA', 'Ed25519'] as const
export const ECDSA = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' } as const

export const ASYMMETRIC: readonly string[] = [...RSA, ...Object.values(ECDSA), ...EDWARDS]
export const SYMMETRIC: readonly string[] = Object.keys(HMAC_BYTES)

/** RSA keys below this are refused (RFC 7518, section 3.3). */
export const MIN_RSA_BITS = 2048

/**
 * The algorithms that tokens may use: those asked for, or else all that the key is good for.
 *
 * @param possible what the key is good for
 * @param key what it is, for the message: `an RSA key`
 * @throws Error when one was asked for that the key is not good for
 */
export function chooseAlgorithms(
  asked: readonly string[] | undefined,
  possible: readonly string[],
  key: string,
): readonly string[] {
  const wrong = asked?.find((each) => !possible.includes(each))
  if (wrong === undefined) return asked ?? possible
  throw new Error(
    `algorithms: found ${wrong} with ${key}, which is good for ${possible.join(', ')}; remove the one or change the other`,
  )
}
