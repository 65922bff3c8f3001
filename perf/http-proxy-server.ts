/** http-proxy on Node's own server, with connections to the upstream that are kept: `http-proxy-server.js PORT UPSTREAM_PORT`. */

import { Agent, createServer } from 'node:http'
import httpProxy from 'http-proxy'

const [port, upstream] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true })
const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${upstream}`, agent, xfwd: true })
proxy.on('error', () => {})
createServer({ requestTimeout: 0 }, (request, response) => proxy.web(request, response)).listen(
  Number(port),
  '127.0.0.1',
)
