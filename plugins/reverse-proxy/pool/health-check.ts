import { once } from 'node:events'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { connect } from 'node:net'
import type { Upstream } from './upstream.js'

export interface HealthCheckOptions {
  /** What is asked for with GET. Undefined: it is enough that a connection opens. */
  readonly path: string | undefined
  readonly timeoutMs: number
  /** On every request: the one by which a loop is seen. */
  readonly headers: Readonly<Record<string, string>>
  /** Whose certificates are accepted, if not those of the authorities that Node trusts. */
  readonly trust: { readonly ca?: Buffer }
}

/** Why an upstream cannot be used. */
export interface UpstreamProblem {
  /** In a few words, for the log and for the client that is refused. */
  readonly why: string
  /** Once is enough: nothing listens there, or it says so itself. */
  readonly certain: boolean
}

/** The answer of a gateway that a request has reached before: here, the upstream is this gateway. */
const LOOP = 508
export const ITSELF: UpstreamProblem = { why: 'it is this gateway itself', certain: true }

const TIMEOUT: UpstreamProblem = { why: 'timeout', certain: false }

const PROBLEMS: Readonly<Record<string, UpstreamProblem>> = {
  ECONNREFUSED: { why: 'refused', certain: true },
  EHOSTUNREACH: { why: 'unreachable', certain: true },
  ENETUNREACH: { why: 'unreachable', certain: true },
  ENOTFOUND: { why: 'no address', certain: true },
  EAI_AGAIN: { why: 'no address', certain: false },
  ECONNRESET: { why: 'reset', certain: false },
  EPIPE: { why: 'reset', certain: false },
  ETIMEDOUT: TIMEOUT,
}

/** What an error on the way to an upstream says about it. */
export function problemOf(error: NodeJS.ErrnoException): UpstreamProblem {
  const { code = '', message } = error
  return PROBLEMS[code] ?? { why: code || message, certain: false }
}

/** Checks an upstream once, over a connection of its own. Never rejects; undefined when it is well. */
export async function checkHealth(
  upstream: Upstream,
  options: HealthCheckOptions,
  stopped: AbortSignal,
): Promise<UpstreamProblem | undefined> {
  // Not AbortSignal.any() with AbortSignal.timeout(): Node 20 collects the latter as garbage, and it never fires.
  const control = new AbortController()
  const abort = () => control.abort()
  const timer = setTimeout(abort, options.timeoutMs)
  stopped.addEventListener('abort', abort)
  try {
    if (options.path === undefined) return await opens(upstream, control.signal)
    return verdictOn(await answers(upstream, options, control.signal))
  } catch (error) {
    return control.signal.aborted ? TIMEOUT : problemOf(error as Error)
  } finally {
    clearTimeout(timer)
    stopped.removeEventListener('abort', abort)
  }
}

async function opens({ host, port }: Upstream, signal: AbortSignal): Promise<undefined> {
  const socket = connect({ host, port, signal })
  // Once the wait is over, `once` does not listen for errors any more.
  socket.on('error', () => {})
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}

/** @returns the status, once the whole answer has come */
async function answers(
  { protocol, host, port, serverName }: Upstream,
  { path, headers, trust }: HealthCheckOptions,
  signal: AbortSignal,
): Promise<number> {
  // Node would name the address in both.
  const named =
    serverName === undefined ? {} : { servername: serverName, headers: { host: `${serverName}:${port}`, ...headers } }
  const start = protocol === 'https:' ? requestHttps : requestHttp
  const request = start({ host, port, path, headers, agent: false, signal, ...trust, ...named })
  request.on('error', () => {}).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  if (!response.complete) await once(response, 'end')
  // A body without a length seems to end well when its request is aborted.
  signal.throwIfAborted()
  return response.statusCode!
}

function verdictOn(status: number): UpstreamProblem | undefined {
  if (status >= 200 && status < 400) return undefined
  return status === LOOP ? ITSELF : { why: `answers ${status}`, certain: status === 503 }
}
