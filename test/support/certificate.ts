/** Self-signed certificates, made with openssl. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  /** Of its files, without `.pem` and `.key`, and of its subject. */
  readonly name?: string
  /** As openssl writes them. The default is this machine. */
  readonly names?: string
  /** What `openssl req -newkey` takes. The default is an EC key on P-256. */
  readonly algorithm?: readonly string[]
  /** First and last moment, as in 20300101000000Z. The default is today and tomorrow. */
  readonly dates?: readonly [from: string, to: string]
}

const P256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']

/** Makes a certificate and its key in this directory. */
export function makeCertificate(dir: string, options: CertificateOptions = {}): CertificateFiles {
  const { name = 'self', names = 'DNS:localhost,IP:127.0.0.1', algorithm = P256, dates } = options
  const files = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) }
  const subject = ['-subj', `/CN=${name}`, ...(names === '' ? [] : ['-addext', `subjectAltName=${names}`])]
  const key = ['-nodes', '-newkey', ...algorithm, '-keyout', files.key]
  if (dates === undefined) openssl('req', '-x509', '-days', '2', ...key, '-out', files.cert, ...subject)
  else {
    openssl('req', ...key, '-out', files.cert, ...subject)
    signBetween(files, dates)
  }
  return files
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}

/** Only openssl's small certificate authority takes dates. It keeps books, which are thrown away. */
function signBetween({ cert, key }: CertificateFiles, [from, to]: readonly [string, string]): void {
  const books = mkdtempSync(`${cert}-`)
  const at = (file: string) => join(books, file)
  writeFileSync(at('index'), '')
  const settings = `database=${at('index')}\nnew_certs_dir=${books}\nrand_serial=yes\ndefault_md=sha256\npolicy=policy`
  writeFileSync(
    at('config'),
    `[ca]\ndefault_ca=own\n[own]\n${settings}\ncopy_extensions=copy\n[policy]\ncommonName=supplied\n`,
  )
  const dates = ['-startdate', from, '-enddate', to]
  openssl(
    'ca',
    '-batch',
    '-notext',
    '-config',
    at('config'),
    '-selfsign',
    '-keyfile',
    key,
    '-in',
    cert,
    '-out',
    at('pem'),
    ...dates,
  )
  openssl('x509', '-in', at('pem'), '-out', cert)
  rmSync(books, { recursive: true })
}

let shared: CertificateFiles | undefined

/** One certificate for all gateways of this process that speak TLS for TLS's sake. Every curl from here on trusts it. */
export function sharedCertificate(): CertificateFiles {
  if (shared === undefined) {
    const dir = mkdtempSync(join(tmpdir(), 'pipegate-tls-'))
    process.once('exit', () => rmSync(dir, { recursive: true }))
    shared = makeCertificate(dir)
    process.env.CURL_CA_BUNDLE = shared.cert
  }
  return shared
}
