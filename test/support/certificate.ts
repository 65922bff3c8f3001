/** A self-signed certificate for this machine, made with openssl. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** Makes `self.pem` and `self.key` in this directory. */
export function makeCertificate(dir: string): CertificateFiles {
  const files = { cert: join(dir, 'self.pem'), key: join(dir, 'self.key') }
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const out = ['-keyout', files.key, '-out', files.cert]
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '2', ...algorithm, ...out, ...subject], { stdio: 'pipe' })
  return files
}
