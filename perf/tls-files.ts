/** A certificate for one run. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
  remove(): void
}

/** Makes a key on P-256, as most servers have today, and a certificate that it signs itself. Needs openssl. */
export function makeTlsFiles(): TlsFiles {
  const dir = mkdtempSync(join(tmpdir(), 'pipegate-perf-'))
  const cert = join(dir, 'cert.pem')
  const key = join(dir, 'key.pem')
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key]
  execFileSync('openssl', ['req', '-x509', ...newKey, '-out', cert, '-days', '2', '-subj', '/CN=127.0.0.1'], {
    stdio: 'ignore',
  })
  return { cert, key, remove: () => rmSync(dir, { recursive: true, force: true }) }
}
