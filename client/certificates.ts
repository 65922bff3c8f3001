import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { WrongUsage } from './cli/wrong-usage.js'

/** The values of the flags of the same names. */
export interface TlsFlags {
  readonly cacert?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** What TLS is spoken with, as PEM and as Node calls it; nothing where no flag says anything else than usual. */
export interface TlsOptions {
  /** To be trusted instead of the usual certificates. */
  readonly ca?: string
  /** Shown to a server that asks for one, and its key. */
  readonly cert?: string
  readonly key?: string
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/

/** @throws WrongUsage for files that cannot be read, or have something else in them */
export function tlsOptions(flags: TlsFlags): TlsOptions {
  const ca = flags.cacert === undefined ? {} : { ca: certificates('--cacert', flags.cacert) }
  if (flags.cert !== undefined) return { ...ca, ...ownCertificate(flags.cert, flags.key) }
  if (flags.key !== undefined)
    throw new WrongUsage('--key is nothing without --cert, the certificate that it belongs to')
  return ca
}

function certificates(flag: string, file: string): string {
  const found = read(flag, file).match(CERTIFICATE) ?? []
  try {
    // TLS itself would pass over what it cannot read, and then trust nobody.
    for (const each of found) new X509Certificate(each)
  } catch {
    found.length = 0
  }
  if (found.length === 0) throw new WrongUsage(`${flag}: expected a file with certificates (PEM)`)
  return found.join('\n')
}

/** @param keyFile undefined: the key stands in the same file */
function ownCertificate(file: string, keyFile: string | undefined): Pick<TlsOptions, 'cert' | 'key'> {
  const cert = certificates('--cert', file)
  const flag = keyFile === undefined ? '--cert' : '--key'
  const key = read(flag, keyFile ?? file)
  if (!KEY.test(key)) {
    throw new WrongUsage(
      keyFile === undefined
        ? '--cert: its key is not in the file; --key FILE names where it is'
        : '--key: expected a file with a private key (PEM)',
    )
  }
  if (key.includes('ENCRYPTED')) throw new WrongUsage(`${flag}: the key is encrypted; give it without a passphrase`)
  if (!belongsTo(key, cert)) throw new WrongUsage(`${flag}: the key does not belong to the first certificate of --cert`)
  return { cert, key }
}

function belongsTo(key: string, cert: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

function read(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new WrongUsage(`${flag}: ${(error as Error).message}`)
  }
}
