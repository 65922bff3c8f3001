import { randomBytes } from 'node:crypto'
import { digestOf } from './token-table.js'

/** A new token of 256 random bits, and the hash by which the gateway knows it. */
export function newToken(): { readonly token: string; readonly hash: string } {
  const token = `pg_${randomBytes(32).toString('base64url')}`
  return { token, hash: `sha256:${digestOf(token).toString('hex')}` }
}
