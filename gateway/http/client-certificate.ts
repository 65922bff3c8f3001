import { X509Certificate } from 'node:crypto'

/** The certificate of a client, for which an authority of this gateway vouches. */
export interface ClientCertificate {
  /** `CN=backup,O=Example`, in the certificate's order, fit for a log: commas and control characters in it are escaped. */
  readonly subject: string
  /** The common name in the subject, as it is; empty when there is none, or more than one. */
  readonly commonName: string
  /** Its subject alternative names of these kinds, as they are: host names, addresses of mail, URIs, IP addresses. */
  readonly alternativeNames: readonly AlternativeName[]
  /** SHA-256 of the certificate, as 64 hex digits in lower case. */
  readonly fingerprint: string
  /** Hex digits in upper case; no two certificates of one issuer have the same. */
  readonly serial: string
  /** Written as `subject` is. */
  readonly issuer: string
  /** In milliseconds since 1970. */
  readonly validFrom: number
  readonly validTo: number
}

export interface AlternativeName {
  readonly kind: 'dns' | 'email' | 'uri' | 'ip'
  readonly value: string
}

/** A certificate in DER that was checked before. */
export function readClientCertificate(der: Uint8Array): ClientCertificate {
  const certificate = new X509Certificate(der)
  const { CN: commonName } = certificate.toLegacyObject().subject as { readonly CN?: string | readonly string[] }
  return Object.freeze({
    subject: inOneLine(certificate.subject),
    commonName: typeof commonName === 'string' ? commonName : '',
    alternativeNames: Object.freeze(readAlternativeNames(certificate.subjectAltName ?? '')),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    serial: certificate.serialNumber,
    issuer: inOneLine(certificate.issuer),
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
  })
}

/** Node puts each part into a line of its own, and escapes what is no part. Undefined for an empty name. */
function inOneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ',')
}

const KINDS: Readonly<Record<string, AlternativeName['kind']>> = {
  DNS: 'dns',
  email: 'email',
  URI: 'uri',
  'IP Address': 'ip',
}
/** What could be taken for something else Node writes as a JSON string. */
const ENTRY = /([\w ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y

/** None at all when one cannot be told from the next. */
function readAlternativeNames(text: string): AlternativeName[] {
  const names: AlternativeName[] = []
  ENTRY.lastIndex = 0
  while (ENTRY.lastIndex < text.length) {
    const entry = ENTRY.exec(text)
    if (entry === null) return []
    const [, label = '', written = ''] = entry
    const kind = KINDS[label]
    const value = written.startsWith('"') ? quoted(written) : written
    if (value === undefined) return []
    if (kind !== undefined) names.push({ kind, value })
  }
  return names
}

function quoted(text: string): string | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
