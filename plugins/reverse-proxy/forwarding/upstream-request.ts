import type { ClientRequest } from 'node:http'
import httpProxy from 'http-proxy'
import type { RequestHeaders } from '../headers/request-headers.js'
import type { Upstream } from '../pool/upstream.js'
import type { OutgoingRequest } from '../relay/outgoing-request.js'
import type { Service } from '../service/service.js'
import { proxyArguments } from './http-proxy-adapter.js'

/** Of an answer: the bytes of its head, and its lines, whose number those bound. By itself Node drops all lines beyond 1000. */
const HEAD_LIMITS = { maxHeaderSize: 64 * 1024, maxHeadersCount: 0 }

const proxy = httpProxy.createProxyServer({ toProxy: true, prependPath: false, selfHandleResponse: true })

export interface UpstreamRequestOptions {
  readonly service: Service
  readonly outgoing: OutgoingRequest
  readonly upstream: Upstream
  /** Not over a connection that has been used before. */
  readonly isFresh: boolean
  /** Called with the request, before anything of it is sent. */
  readonly onRequest: (request: ClientRequest) => void
  readonly onError: (error: Error) => void
}

/**
 * Begins a request to an upstream.
 * @throws Error for a path or a header that Node does not take, although uWebSockets does
 */
export function openUpstreamRequest(options: UpstreamRequestOptions): void {
  const { service, outgoing, upstream, isFresh, onRequest, onError } = options
  const { kept, fresh } = service.agentsFor(upstream)
  const { protocol, port, serverName } = upstream
  const headers = headersFor(options)
  const [request, response] = proxyArguments({
    ...outgoing,
    headers,
    send: (made) => onRequest(Object.assign(made, HEAD_LIMITS)),
  })
  const target = { protocol, port, host: bracketed(upstream.host), hostname: upstream.host }
  // An empty name: Node would take the one in the Host header, and check the certificate against what the client wrote.
  const ssl = protocol === 'https:' ? { servername: serverName ?? '' } : undefined
  proxy.web(request, response, { target, agent: isFresh ? fresh : kept, ...(ssl && { ssl }) }, onError)
}

/** With the `Host` that the configuration asks for. */
function headersFor({ service, outgoing, upstream }: UpstreamRequestOptions): RequestHeaders {
  const { headers } = outgoing
  const { host, port, serverName, protocol } = upstream
  if (service.config.hostHeader === 'client' && headers.host !== undefined) return headers
  const name = serverName ?? bracketed(host)
  const isDefaultPort = port === (protocol === 'https:' ? 443 : 80)
  return { ...headers, host: isDefaultPort ? name : `${name}:${port}` }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
