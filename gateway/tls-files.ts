import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { TlsFiles } from './uws-app.js'

/** What uWebSockets' TLS library serves; it refuses other curves and RSA-PSS keys. */
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1']

/**
 * Why certificate and key cannot be used, in one sentence; undefined when they can be. uWebSockets only says that "App
 * construction failed". What is not a plain file is not looked at, for a pipe can be read only once.
 */
export function tlsFault({ cert, key }: TlsFiles): string | undefined {
  if (!statSync(cert).isFile() || !statSync(key).isFile()) return undefined
  const [certText, keyText] = [readFileSync(cert), readFileSync(key)]
  if (!loads({ cert: certText })) return `${cert} is not a certificate in PEM form`
  if (keyText.includes('ENCRYPTED')) return `the key ${key} is encrypted; give it without a passphrase`
  if (!loads({ key: keyText })) return `${key} is not a private key in PEM form`
  const secret = createPrivateKey(keyText)
  if (!new X509Certificate(certText).checkPrivateKey(secret)) {
    return `the key ${key} does not belong to the first certificate in ${cert}`
  }
  return servable(secret) ? undefined : `the key ${key} is of a kind that cannot be served; use RSA or EC P-256`
}

/** Also refuses what is well formed but too weak for any client. */
function loads(part: { readonly cert: Buffer } | { readonly key: Buffer }): boolean {
  try {
    createSecureContext(part)
    return true
  } catch {
    return false
  }
}

function servable({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === 'ec') return CURVES.includes(details?.namedCurve ?? '')
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 1024
  return type === 'ed25519'
}
