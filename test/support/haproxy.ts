/** HAProxy in front of one gateway, as tolerant as it can be, and its log. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './free-port.js'
import type { Front } from './nginx.js'
import { startProxyProcess } from './proxy-process.js'
import { connect } from './raw.js'
import type { Teardown } from './teardown.js'

interface Test extends Teardown {
  testdir(files?: Record<string, string>): string
}

/** Starts HAProxy on a free port. Clients take turns on its connections to the gateway. */
export async function startHaproxy(t: Test, gatewayPort: number): Promise<Front> {
  const lines: { path: string; upstreamStatus: string }[] = []
  const logged = createSocket('udp4', (message) => {
    const text = message.toString('latin1')
    const [, server, status, path] = /forwarded (\S+) (\S+) (.*)\n?$/.exec(text) ?? []
    if (path === undefined) return
    // The gateway logs the path of a target with a scheme, and HAProxy "-" when it is empty.
    const ofGateway = path.replace(/^https?:\/\/[^/?]*/, '').replace(/^-?(?=\?|$)/, '/')
    lines.push({ path: ofGateway, upstreamStatus: server === '<NOSRV>' ? '' : status! })
  })
  logged.bind(0, '127.0.0.1')
  await once(logged, 'listening')
  const port = await freePort()
  const file = join(t.testdir(), 'haproxy.cfg')
  writeFileSync(file, configuration(port, gatewayPort, logged.address().port))
  await startProxyProcess(t, { file: 'haproxy', args: ['-db', '-f', file] }, () =>
    connect({ port }).then(
      (client) => {
        client.destroy()
        return true
      },
      (error) => `it does not listen: ${error}`,
    ),
  )
  t.teardown(() => logged.close())
  return { port, log: () => lines }
}

function configuration(port: number, gatewayPort: number, logPort: number): string {
  return `
global
  log 127.0.0.1:${logPort} len 65535 local0
  tune.http.logurilen 8192
defaults
  mode http
  log global
  # Connections without a request are not logged.
  option dontlognull
  log-format "forwarded %s %ST %[capture.req.uri]"
  timeout connect 5s
  timeout client 70s
  timeout server 70s
  timeout http-request 2s
  timeout http-keep-alive 2s
  http-reuse always
  option abortonclose
  # What HAProxy lets pass is for the gateway to judge.
  option accept-invalid-http-request
frontend front
  bind 127.0.0.1:${port}
  default_backend gateway
backend gateway
  server gateway 127.0.0.1:${gatewayPort}
`
}
