import type { Certificate } from '../tls/certificate.js'
import type { UwsTlsOptions } from './module.js'

/** One certificate of a server: paths of its files, and the names it is for. */
export type ServerCertificate = Pick<Certificate, 'cert' | 'key' | 'names'>

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
