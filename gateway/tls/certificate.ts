import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

/** A certificate chain and its private key, as PEM files. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

/** A certificate that can be served. */
export interface Certificate extends TlsFiles {
  /** The host names in it, in lower case; `*.` stands for one label. */
  readonly names: readonly string[]
  /** In milliseconds since 1970; undefined when it was not read from a regular file. */
  readonly validFrom: number | undefined
  readonly validTo: number | undefined
  /** Of the content of both files, not of their paths; undefined when they were not read from regular files. */
  readonly digest: string | undefined
}

/** What uWebSockets' TLS library can serve. It refuses other curves, and RSA-PSS keys. */
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1']

/**
 * Reads certificates and their keys. The first is the default, for clients that ask for no name or for one that no
 * certificate has. Each of the others is for the names in it.
 * @param known those whose content has been checked
 * @throws Error with one sentence on why they cannot be served; uWebSockets only says that "App construction failed"
 */
export function readCertificates(
  files: readonly TlsFiles[],
  known: readonly Certificate[] = [],
): readonly Certificate[] {
  const certificates = files.map((pair) => readCertificate(pair, known))
  const owners = new Map<string, string>()
  for (const [i, { cert, names }] of certificates.entries()) {
    if (i > 0 && names.length === 0) throw new Error(`${cert} names no host that a client could ask for`)
    for (const name of names) {
      const owner = owners.get(name)
      if (owner !== undefined) throw new Error(`${cert} is for ${name}, and so is ${owner}; each name takes one`)
      owners.set(name, cert)
    }
  }
  return certificates
}

/** Only regular files are checked, because a pipe can be read only once. */
function readCertificate({ cert, key }: TlsFiles, known: readonly Certificate[]): Certificate {
  if (!isRegularFile(cert) || !isRegularFile(key))
    return { cert, key, names: [], validFrom: undefined, validTo: undefined, digest: undefined }
  const [certText, keyText] = [readFileSync(cert), readFileSync(key)]
  const digest = digestOf(certText, keyText)
  const same = known.find((one) => one.digest === digest)
  if (same !== undefined) return { ...same, cert, key }
  if (!loads({ cert: certText })) throw new Error(`${cert} is not a certificate in PEM form`)
  if (keyText.includes('ENCRYPTED')) throw new Error(`the key ${key} is encrypted; give it without a passphrase`)
  if (!loads({ key: keyText })) throw new Error(`${key} is not a private key in PEM form`)
  const [leaf, secret] = [new X509Certificate(certText), createPrivateKey(keyText)]
  if (!leaf.checkPrivateKey(secret)) {
    throw new Error(`the key ${key} does not belong to the first certificate in ${cert}`)
  }
  if (!isServable(secret)) throw new Error(`the key ${key} is of a kind that cannot be served; use RSA or EC P-256`)
  const [validFrom, validTo] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]
  return { cert, key, names: namesOf(leaf), validFrom, validTo, digest }
}

/** With the length of the first, so that nothing can move from one to the other. */
function digestOf(cert: Buffer, key: Buffer): string {
  return createHash('sha256').update(`${cert.length} `).update(cert).update(key).digest('base64')
}

/** Whether a server with one list serves what one with the other does. */
export function serveTheSame(some: readonly Certificate[], others: readonly Certificate[]): boolean {
  return (
    some.length === others.length && some.every(({ digest }, i) => digest !== undefined && digest === others[i]!.digest)
  )
}

/** @throws Error as the file system does */
export function isRegularFile(path: string): boolean {
  return statSync(path).isFile()
}

/** False also for what is well formed but too weak for any client. */
function loads(part: { readonly cert: Buffer } | { readonly key: Buffer }): boolean {
  try {
    createSecureContext(part)
    return true
  } catch {
    return false
  }
}

function isServable({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === 'ec') return CURVES.includes(details?.namedCurve ?? '')
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 1024
  return type === 'ed25519'
}

/** Names that are only in the subject are left out: clients have ignored them for years. */
function namesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  const names = subjectAltName.split(', ').flatMap((entry) => /^DNS:((?:\*\.)?[\w.-]+)$/.exec(entry)?.[1] ?? [])
  return [...new Set(names.map((name) => name.toLowerCase()))]
}
