/** Authorities of clients' certificates, made with openssl: they issue, revoke, and write lists. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateFiles } from './certificate.js'

export interface IssueOptions {
  /** Of its files, and its common name unless `subject` says otherwise. */
  readonly name: string
  /** As `openssl req -subj` takes it. */
  readonly subject?: string
  /** As openssl writes them: `DNS:a,URI:b`. */
  readonly names?: string
  /** More lines of its extensions, as openssl writes them. */
  readonly extensions?: readonly string[]
  /** First and last moment, as in 20300101000000Z. The default is today and tomorrow. */
  readonly dates?: readonly [from: string, to: string]
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
const CA = ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign,cRLSign']

/** A moment as openssl writes it. */
export function moment(ms: number): string {
  return `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
}

/** An authority that is vouched for by itself, or by another one. */
export class Authority implements CertificateFiles {
  readonly cert: string
  readonly key: string
  readonly dir: string

  /** @param by who vouches for it; undefined: itself */
  constructor(
    dir: string,
    readonly name: string,
    by?: Authority,
    dates?: IssueOptions['dates'],
  ) {
    this.dir = join(dir, name)
    mkdirSync(this.dir)
    writeFileSync(this.at('index'), '')
    const settings = [
      `database=${this.at('index')}`,
      `new_certs_dir=${this.dir}`,
      'rand_serial=yes',
      'default_md=sha256',
      'default_days=2',
      'policy=any',
      'unique_subject=no',
    ]
    const any = ['commonName', 'organizationName', 'emailAddress'].map((field) => `${field}=optional`)
    writeFileSync(
      this.at('config'),
      [
        '[ca]',
        'default_ca=own',
        '[own]',
        ...settings,
        '[any]',
        ...any,
        '[req]',
        'distinguished_name=dn',
        '[dn]',
        '',
      ].join('\n'),
    )
    const files = by?.issue({ name, extensions: CA, ...(dates === undefined ? {} : { dates }) }) ?? this.#sign()
    this.cert = files.cert
    this.key = files.key
  }

  /** What somebody makes who takes this certificate, which is none of an authority, for one. */
  static like(of: Authority, { cert, key }: CertificateFiles): Authority {
    const made = Object.create(Authority.prototype)
    return Object.assign(made, of, { cert, key, dir: of.dir })
  }

  /** Makes a certificate and its key. */
  issue({ name, subject = `/CN=${name}`, names, extensions = [], dates }: IssueOptions): CertificateFiles {
    const at = (suffix: string) => this.at(`${name}${suffix}`)

    const files = { cert: at('.pem'), key: at('.key') }
    const all = [
      ...extensions,
      ...(names === undefined ? [] : [`subjectAltName=${names}`]),
      'subjectKeyIdentifier=hash',
    ]
    writeFileSync(at('.ext'), all.join('\n'))
    openssl(
      'req',
      '-utf8',
      '-config',
      this.at('config'),
      ...KEY,
      '-keyout',
      files.key,
      '-out',
      at('.csr'),
      '-subj',
      subject,
    )
    const between = dates === undefined ? [] : ['-startdate', dates[0], '-enddate', dates[1]]
    const own = ['-config', this.at('config'), '-cert', this.cert, '-keyfile', this.key, '-extfile', at('.ext')]
    openssl('ca', '-batch', '-notext', ...own, '-in', at('.csr'), '-out', files.cert, ...between)
    return files
  }

  revoke({ cert }: CertificateFiles): void {
    openssl('ca', '-config', this.at('config'), '-cert', this.cert, '-keyfile', this.key, '-revoke', cert)
  }

  /** Forgets all that it has revoked. */
  forgive(): void {
    writeFileSync(this.at('index'), '')
  }

  /** A list of what it has revoked, in PEM, which holds for an hour, or up to a moment. */
  list(until?: string): string {
    const when =
      until === undefined ? ['-crlhours', '1'] : ['-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', until]
    const own = ['-config', this.at('config'), '-cert', this.cert, '-keyfile', this.key]
    return openssl('ca', '-gencrl', ...own, ...when)
  }

  get pem(): string {
    return this.pemOf(this)
  }

  pemOf({ cert }: CertificateFiles): string {
    return readFileSync(cert, 'utf8')
  }

  private at(file: string): string {
    return join(this.dir, file)
  }

  #sign(): CertificateFiles {
    const files = { cert: this.at(`${this.name}.pem`), key: this.at(`${this.name}.key`) }
    const extensions = CA.flatMap((each) => ['-addext', each])
    const own = ['-config', this.at('config'), '-subj', `/CN=${this.name}`, '-keyout', files.key, '-out', files.cert]
    openssl('req', '-x509', '-days', '2', ...KEY, ...own, ...extensions)
    return files
  }
}

function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { stdio: 'pipe', encoding: 'utf8' })
}
