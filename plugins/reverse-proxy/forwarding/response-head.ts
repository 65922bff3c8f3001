import type { IncomingMessage } from 'node:http'
import type { HeaderList } from '../../../gateway/host/plugin-api.js'
import { responseHeaders } from '../headers/response-headers.js'
import { restorePrefix } from '../headers/stripped-prefix.js'

/** The head of an upstream's response, as the client gets it. */
export interface ResponseHead {
  readonly status: number
  readonly headers: HeaderList
  /** Of the body; undefined when it is not known beforehand. */
  readonly length: number | undefined
}

/**
 * @param prefix that was left out of the request's path
 * @param authorities by which the upstream may call itself
 * @returns undefined when it has something that cannot be passed on
 */
export function readResponseHead(
  response: IncomingMessage,
  prefix: string,
  authorities: readonly string[],
): ResponseHead | undefined {
  const headers = responseHeaders(response.rawHeaders)
  const status = response.statusCode!
  const length = lengthOf(response)
  if (headers === undefined || length === null) return undefined
  if (response.httpVersionMajor !== 1 || status < 200 || status > 599) return undefined
  return { status, headers: restorePrefix(headers, prefix, authorities), length }
}

/** Null when there is a `Content-Length` that is no length. */
function lengthOf({ headers }: IncomingMessage): number | undefined | null {
  const found = headers['content-length']
  if (found === undefined || headers['transfer-encoding'] !== undefined) return undefined
  return /^\d{1,15}$/.test(found) ? Number(found) : null
}
