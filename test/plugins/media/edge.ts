/** Caddy in front of one gateway, over TLS: browsers stream uploads over HTTP/2 only. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { makeCertificate } from '../../support/certificate.js'
import { freePort } from '../../support/free-port.js'
import { startProxyProcess } from '../../support/proxy-process.js'
import type { Teardown } from '../../support/teardown.js'

/** Resolves with the origin that browsers are given. */
export async function startEdge(t: Teardown, gatewayPort: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'pipegate-edge-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const { cert, key } = makeCertificate(folder)
  const file = join(folder, 'Caddyfile')
  writeFileSync(
    file,
    `{
	admin off
	auto_https disable_redirects
}
https://localhost:${port} {
	bind 127.0.0.1
	tls ${cert} ${key}
	reverse_proxy 127.0.0.1:${gatewayPort} {
		flush_interval 1ms
		transport http {
			versions 1.1
			compression off
		}
	}
}
`,
  )
  const home = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const args = ['run', '--adapter', 'caddyfile', '--config', file]
  await startProxyProcess(t, { file: 'caddy', args, env: home }, () => speaksHttp2(port))
  return `https://localhost:${port}`
}

function speaksHttp2(port: number): Promise<true | string> {
  return new Promise((resolve) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    })
    socket.once('secureConnect', () => {
      resolve(socket.alpnProtocol === 'h2' || `it speaks ${socket.alpnProtocol}`)
      socket.destroy()
    })
    socket.once('error', (error) => resolve(`it does not listen: ${error}`))
  })
}
