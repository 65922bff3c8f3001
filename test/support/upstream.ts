/** Servers behind a reverse proxy: real ones of Node, and sockets that say what they like. */

import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import { createServer as createTcpServer, type Socket } from 'node:net'
import type { FlagValues } from '../../gateway/config/config.js'
import type { LoadedPlugin } from '../../gateway/host/loading/loaded-plugin.js'
import type { Plugin } from '../../gateway/host/plugin-api.js'
import reverseProxy from '../../plugins/reverse-proxy/index.js'
import { type Running, startGateway } from './gateway.js'
import { listenOnLoopback } from './loopback.js'
import type { Teardown } from './teardown.js'

/** A server of Node. Returns its origin. */
export async function startUpstream(t: Teardown, listener: RequestListener, tls?: ServerOptions): Promise<string> {
  const server: Server = tls === undefined ? createServer(listener) : createHttpsServer(tls, listener)
  const port = await listenOnLoopback(server)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
}

/**
 * A server that is told the request as text, as far as it has come, each time more of it has. A connection of a health check
 * says nothing, so it is not noticed.
 */
export async function startSocketUpstream(t: Teardown, said: (text: string, socket: Socket) => void): Promise<string> {
  const open = new Set<Socket>()
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    let text = ''
    open.add(socket)
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => open.delete(socket))
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      said(text, socket)
    })
  })
  const port = await listenOnLoopback(server)
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${port}`
}

/** One that answers with these bytes, whatever it is asked, and then does something with its socket. */
export function startScripted(t: Teardown, answer: string, then: (socket: Socket) => void = () => {}): Promise<string> {
  return startSocketUpstream(t, (text, socket) => {
    if (!text.endsWith('\r\n\r\n')) return
    socket.write(Buffer.from(answer, 'latin1'), () => then(socket))
  })
}

export interface ProxyOptions {
  readonly flags?: FlagValues
  readonly plugins?: readonly LoadedPlugin[]
  readonly maxHops?: number
}

/** A gateway that forwards by these routes. */
export function startProxy(t: Teardown, routes: readonly object[], options: ProxyOptions = {}): Promise<Running> {
  const { flags = {}, plugins = [], maxHops } = options
  const config = { routes, ...(maxHops !== undefined && { maxHops }) }
  return startGateway(t, flags, {
    plugins: [...plugins, { plugin: reverseProxy as Plugin, config }],
  })
}
