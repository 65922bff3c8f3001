/** nginx in front of one gateway, as tolerant as it can be, and its access log. */

import { readFileSync } from 'node:fs'
import { freePort } from './free-port.js'
import { nginxProgram, startProxyProcess } from './proxy-process.js'
import { connect } from './raw.js'
import type { Teardown } from './teardown.js'

export interface Front {
  readonly port: number
  /** A request that nginx has finished: its path as it came, and the status that the gateway gave, `-` when it was never asked. */
  readonly log: () => { readonly path: string; readonly upstreamStatus: string }[]
}

interface Test extends Teardown {
  testdir(files: Record<string, string>): string
}

/** Starts nginx on a free port. It keeps one connection to the gateway open, so that clients take turns on it. */
export async function startNginx(t: Test, gatewayPort: number): Promise<Front> {
  const folder = t.testdir({ 'access.log': '' })
  const port = await freePort()
  await startProxyProcess(t, nginxProgram(folder, configuration(folder, port, gatewayPort)), () =>
    // A request would be in the log.
    connect({ port }).then(
      (client) => {
        client.destroy()
        return true
      },
      (error) => `it does not listen: ${error}`,
    ),
  )
  return {
    port,
    log: () =>
      readFileSync(`${folder}/access.log`, 'latin1')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  }
}

function configuration(folder: string, port: number, gatewayPort: number): string {
  return `
  log_format forwarded escape=json '{"path":"$request_uri","upstreamStatus":"$upstream_status"}';
  access_log ${folder}/access.log forwarded;
  upstream gateway { server 127.0.0.1:${gatewayPort}; keepalive 1; }
  server {
    listen 127.0.0.1:${port};
    # What nginx lets pass is for the gateway to judge.
    ignore_invalid_headers off;
    underscores_in_headers on;
    merge_slashes off;
    client_max_body_size 0;
    location / {
      proxy_pass http://gateway;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_buffering off;
    }
  }
`
}
