/** nginx in front of a gateway, as an operator runs it: one process, with its files in the test's own folder. */

import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { eventually } from './eventually.js'
import { freePort } from './free-port.js'
import { connect } from './raw.js'

export interface Front {
  readonly port: number
  /** A request that nginx has finished: its path as it came, and the status that the gateway gave, `-` when it was never asked. */
  readonly log: () => { readonly path: string; readonly upstreamStatus: string }[]
}

/** Anything that can make a folder and undo things at the end of a test: tap's `t`. */
interface Test {
  testdir(files: Record<string, string>): string
  teardown(undo: () => unknown): void
}

/** Starts nginx on a free port. It keeps one connection to the gateway open, so that clients take turns on it. */
export async function startNginx(t: Test, gatewayPort: number): Promise<Front> {
  const folder = t.testdir({ 'access.log': '' })
  const port = await freePort()
  writeFileSync(`${folder}/nginx.conf`, configuration(folder, port, gatewayPort))
  const child = spawn('nginx', ['-p', folder, '-e', 'error.log', '-c', `${folder}/nginx.conf`], {
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    stdio: 'ignore',
  })
  let ended: string | undefined
  const closed = new Promise<void>((resolve) => {
    const end = (how: unknown) => {
      ended = String(how)
      resolve()
    }
    child.once('error', end).once('close', end)
  })
  t.teardown(() => {
    child.kill('SIGKILL')
    return closed
  })
  await eventually(async () => {
    if (ended !== undefined) throw new Error(`nginx ended with ${ended}`)
    return connect({ port }).then(
      (client) => {
        client.destroy()
        return true
      },
      (error) => `nginx does not listen: ${error}`,
    )
  })
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
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {}
http {
  log_format forwarded escape=json '{"path":"$request_uri","upstreamStatus":"$upstream_status"}';
  access_log access.log forwarded;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`).join(' ')}
  upstream gateway { server 127.0.0.1:${gatewayPort}; keepalive 1; }
  server {
    listen 127.0.0.1:${port};
    # As hospitable as nginx can be: what it lets pass is for the gateway to judge.
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
}
`
}
