import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from '../config.js'
import { TokenProblem } from '../failures.js'
import { chooseAlgorithms, ECDSA, EDWARDS, HMAC_BYTES, MIN_RSA_BITS, RSA } from './algorithms.js'
import type { Keys } from './keys.js'

/**
 * A secret that the issuer shares.
 *
 * @param text as it stands in the configuration or in the environment
 * @param where `secret` or `secretEnv`, for messages, in which the secret never stands
 * @throws Error with one line
 */
export function secretKeys(text: string, where: string, config: Config): Keys {
  if (/-----BEGIN|"kty"/.test(text)) {
    throw new Error(
      `${where}: found a key, not a secret; a public key as a secret lets anybody make tokens: use publicKeyFile`,
    )
  }
  const secret = decode(text, where, config.secretEncoding)
  const longEnough = Object.entries(HMAC_BYTES).filter(([, least]) => secret.length >= least)
  const short = config.algorithms?.find((each) => secret.length < (HMAC_BYTES[each as keyof typeof HMAC_BYTES] ?? 0))
  const least = HMAC_BYTES[(short ?? 'HS256') as keyof typeof HMAC_BYTES]
  if (short !== undefined || longEnough.length === 0) {
    throw new Error(
      `${where}: found ${secret.length} bytes, expected at least ${least} for ${short ?? 'HS256'}; ` +
        `make one with: openssl rand -base64 ${least}`,
    )
  }
  const possible = longEnough.map(([name]) => name)
  return always(chooseAlgorithms(config.algorithms, possible, 'a shared secret'), secret, undefined)
}

/** @throws Error with one line */
export function publicKeys(path: string, config: Config): Keys {
  const { key, jwk } = readPublicKey(path)
  const [possible, what] = goodFor(key, path)
  if (jwk?.use !== undefined && jwk.use !== 'sig') {
    throw new Error(
      `publicKeyFile: ${path} holds a key with "use": ${JSON.stringify(jwk.use)}, expected one for signatures ("sig")`,
    )
  }
  const narrowed = jwk?.alg === undefined ? possible : possible.filter((each) => each === jwk.alg)
  if (narrowed.length === 0) {
    throw new Error(`publicKeyFile: ${path} says "alg": ${JSON.stringify(jwk?.alg)}, but holds ${what}`)
  }
  const kid = typeof jwk?.kid === 'string' ? jwk.kid : undefined
  return always(chooseAlgorithms(config.algorithms, narrowed, what), key, kid)
}

function always(algorithms: readonly string[], key: KeyObject | Uint8Array, kid: string | undefined): Keys {
  return {
    algorithms,
    // A token that names another key was signed with another key.
    async find(header) {
      if (kid !== undefined && header.kid !== undefined && header.kid !== kid) throw new TokenProblem('unknownKey')
      return key
    },
    start() {},
    stop() {},
  }
}

function decode(text: string, where: string, encoding: Config['secretEncoding']): Uint8Array {
  if (encoding === 'text') return new TextEncoder().encode(text)
  const plain = text.trim().replace(/=+$/, '')
  if (!/^[A-Za-z0-9+/_-]*$/.test(plain)) {
    throw new Error(
      `${where}: found other characters than those of base64; set secretEncoding: text to use it as it stands`,
    )
  }
  return new Uint8Array(Buffer.from(plain, 'base64'))
}

function readPublicKey(path: string): { key: KeyObject; jwk?: JsonWebKey } {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`publicKeyFile: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw privateKey(path)
  try {
    return text.trimStart().startsWith('{') ? readJwk(text, path) : { key: createPublicKey(text) }
  } catch (error) {
    if (error instanceof KeyFileProblem) throw error
    // What the parser says may quote the file.
    throw new Error(`publicKeyFile: ${path} holds no public key; expected PEM (-----BEGIN PUBLIC KEY-----) or one JWK`)
  }
}

class KeyFileProblem extends Error {}

function readJwk(text: string, path: string): { key: KeyObject; jwk: JsonWebKey } {
  const jwk = JSON.parse(text) as JsonWebKey
  if (jwk.kty === 'oct') {
    throw new KeyFileProblem(`publicKeyFile: ${path} holds a shared secret ("kty": "oct"); give it as secretEnv`)
  }
  if (jwk.d !== undefined) throw privateKey(path)
  if ('keys' in jwk) {
    throw new KeyFileProblem(
      `publicKeyFile: ${path} holds a set of keys; put one JWK there, or serve the set and use jwksUrl`,
    )
  }
  return { key: createPublicKey({ key: jwk, format: 'jwk' }), jwk }
}

function privateKey(path: string): Error {
  return new KeyFileProblem(
    `publicKeyFile: ${path} holds a private key, and the gateway needs only the public one: openssl pkey -in FILE -pubout`,
  )
}

/** The algorithms that a public key can check, and what it is in words. */
function goodFor(key: KeyObject, path: string): [readonly string[], string] {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength < MIN_RSA_BITS) {
        throw new Error(
          `publicKeyFile: ${path} holds an RSA key of ${modulusLength} bits, expected at least ${MIN_RSA_BITS}`,
        )
      }
      return [RSA, 'an RSA key']
    case 'ed25519':
      return [EDWARDS, 'an Ed25519 key']
    case 'ec':
      if (namedCurve in ECDSA) return [[ECDSA[namedCurve as keyof typeof ECDSA]], `an EC key on ${namedCurve}`]
  }
  const found = [key.asymmetricKeyType, namedCurve].filter(Boolean).join(' ')
  throw new Error(
    `publicKeyFile: ${path} holds a key of type ${found}, expected RSA, EC (P-256, P-384, P-521) or Ed25519`,
  )
}
