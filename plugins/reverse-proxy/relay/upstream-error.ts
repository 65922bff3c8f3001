import type { FailureKey } from '../failures.js'

/** A phase of the request has taken too long. */
export class UpstreamTimeout extends Error {
  constructor(
    readonly key: FailureKey,
    readonly seconds: number,
  ) {
    super(`${key} after ${seconds} s`)
  }
}

/** The connection was there, and was closed. */
export function isReset({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE'
}

/** What an error on the way to an upstream is to the client. */
export function failureOf(error: NodeJS.ErrnoException): FailureKey {
  if (error instanceof UpstreamTimeout) return error.key
  const { code = '' } = error
  if (code.startsWith('HPE_')) return 'badResponse'
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(code)) return 'untrusted'
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') return 'badResponse'
  return isReset(error) ? 'reset' : 'unreachable'
}
