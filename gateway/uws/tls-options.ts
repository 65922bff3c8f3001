import type { Certificate } from '../tls/certificate.js'
import type { ClientRules } from '../tls/client-rules.js'
import type { UwsTlsOptions } from './module.js'

/** One certificate of a server: paths of its files, and the names it is for. */
type ServerCertificate = Pick<Certificate, 'cert' | 'key' | 'names'>

/** What a server speaks TLS with. */
export interface ServerTls {
  /** The first is for clients that ask for no name, or for one that no certificate has. */
  readonly certificates: readonly ServerCertificate[]
  /** Undefined: clients are not asked for a certificate. */
  readonly clients?: ClientRules | undefined
}

/**
 * Mozilla's "intermediate" list, as far as uWebSockets has it: forward secrecy and authenticated encryption only. uWebSockets
 * speaks TLS 1.2 and 1.3, nothing older.
 */
const CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

export function tlsOptions({ cert, key }: ServerCertificate): UwsTlsOptions {
  return { cert_file_name: cert, key_file_name: key, ssl_ciphers: CIPHERS }
}
