import type { IncomingMessage } from 'node:http'
import { retryAfterMs } from './backoff.js'

/** So much of an answer that is no stream is read, in characters. */
const LONGEST_ANSWER = 65_536
/** So long such an answer may take, in milliseconds. */
const PATIENCE_MS = 5000
/** So much of a line of the server is shown, in characters. */
const LONGEST_LINE = 300

/** The server cannot be reached, or not any more. `message` is part of a sentence: `connection refused`. */
export class ConnectionLost extends Error {
  /** There was a connection, which broke. */
  get wasOpen(): boolean {
    return this.message === REASONS.ECONNRESET
  }
}

/** The server has answered, and not with what was asked for. `message` is its line. */
export class RequestRefused extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** Milliseconds after which it wants to be asked again, 0 when it did not say. */
    readonly retryAfterMs: number,
  ) {
    super(message)
  }

  /** It may answer otherwise later. */
  get isPassing(): boolean {
    return this.status >= 500 ? this.status !== 501 && this.status !== 505 : [408, 425, 429].includes(this.status)
  }
}

/** Reads what the server says instead of what was asked for. @param nothing what to say of a 200 */
export async function refusal(response: IncomingMessage, nothing: string): Promise<RequestRefused> {
  const { statusCode: status = 0, headers } = response
  response.setEncoding('utf8')
  let body = ''
  const patience = setTimeout(() => response.destroy(), PATIENCE_MS)
  try {
    for await (const chunk of response) {
      body += chunk
      if (body.length > LONGEST_ANSWER) break
    }
  } catch {
    // The status is known, and the line as far as it came.
  } finally {
    clearTimeout(patience)
  }
  return new RequestRefused(status, lineOf(response, body, nothing), retryAfterMs(headers['retry-after']))
}

/** What to tell people of an answer: its line on what is wrong, or its first one, if it is meant for people, else its status. */
function lineOf({ statusCode = 0, statusMessage, headers }: IncomingMessage, body: string, nothing: string): string {
  const lines = body.trim().split('\n')
  const line = lines.find((each) => each.startsWith('[ERROR] ')) ?? lines[0]!
  if (/^text\/plain\b/i.test(headers['content-type'] ?? '') && statusCode !== 200 && line !== '') {
    return line.replace(/^\[ERROR\] /, '').slice(0, LONGEST_LINE)
  }
  if (headers.location !== undefined) {
    return `The server points to another address (${statusCode}): ${headers.location.slice(0, LONGEST_LINE)}`
  }
  if (statusCode === 200) return nothing
  return `The server answered ${statusCode} ${statusMessage ?? ''}.`.replace(' .', '.')
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  EPIPE: 'connection lost',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no network',
  ENOTFOUND: 'no such host',
  EPROTO: 'the TLS handshake failed',
  EAI_AGAIN: 'no answer from the name server',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate is signed by nobody who is trusted here; --cacert FILE names who signed it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; --cacert FILE trusts it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is signed by nobody who is trusted here; --cacert FILE names who signed it',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

/** A host with several addresses fails with an error that has a code and no message. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  if (error instanceof ConnectionLost) return error.message
  if (error.code?.startsWith('HPE_')) return `what answers there is not HTTP as it should be (${error.code})`
  const [line = ''] = error.message.split('\n', 1)
  return REASONS[error.code ?? ''] ?? (line === '' ? (error.code ?? 'unknown error') : line)
}

/** A reason as a sentence: `Connection lost.` @param more follows it: ` before …` */
export function asSentence({ message }: Error, more = ''): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${more}.`
}
