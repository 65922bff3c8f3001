import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type RevocationList, readListTimes } from './revocation-list.js'

/** What says whether clients have to show a certificate, and which ones count. */
export interface ClientFiles {
  readonly auth: 'required' | 'optional'
  /** Certificates of the authorities that vouch for those of clients, as a PEM file. */
  readonly ca: string
  /** Their lists of certificates that do not count any more, as a PEM file. */
  readonly crl: string | undefined
}

/** The same, read. */
export interface ClientRules {
  readonly auth: ClientFiles['auth']
  readonly authorities: string
  /** Empty when nothing is revoked. */
  readonly revoked: string
  readonly lists: readonly RevocationList[]
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g
const LISTS = /-----BEGIN X509 CRL-----([^-]*)-----END X509 CRL-----/g
const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/

/**
 * Reads who vouches for clients. Whether the lists are those of the authorities is found out where they are used.
 * @throws Error with one sentence on why it cannot be used
 */
export function readClientRules({ auth, ca, crl }: ClientFiles): ClientRules {
  const authorities = readFileSync(ca, 'latin1')
  // Nothing that serves needs it, and whoever has it makes any certificate.
  if (KEY.test(authorities))
    throw new Error(`${ca} has a private key in it; only the certificates of authorities belong there`)
  const found = authorities.match(CERTIFICATES) ?? []
  if (found.length === 0)
    throw new Error(`${ca} has no certificate in PEM form, expected those of the authorities of clients`)
  for (const each of found) {
    const certificate = parse(each, ca)
    if (!certificate.ca) {
      const name = certificate.subject.replaceAll('\n', ', ')
      throw new Error(`${ca} has the certificate of ${name || 'nobody'}, which is no authority`)
    }
  }
  const revoked = crl === undefined ? '' : readFileSync(crl, 'latin1')
  const lists = [...revoked.matchAll(LISTS)].map(([, base64 = '']) => readListTimes(Buffer.from(base64, 'base64')))
  if (crl !== undefined && !revoked.includes('-----BEGIN X509 CRL-----')) {
    throw new Error(
      `${crl} has no revocation list in PEM form ("openssl crl -inform DER" makes that of one in DER form)`,
    )
  }
  return { auth, authorities: found.join('\n'), revoked, lists }
}

function parse(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw new Error(`${file} has a certificate that cannot be read`)
  }
}
