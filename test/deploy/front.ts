/** Three gateways, and in front of them a proxy with a configuration that stands in `deploy/`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FlagValues } from '../../gateway/config/config.js'
import { makeCertificate } from '../support/certificate.js'
import { curl } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { defaultPlugins, type LogLine, startGateway } from '../support/gateway.js'
import { startProgram } from '../support/program.js'
import { readProject } from '../support/project.js'
import { nginxProgram, type ProxyProgram, startProxyProcess } from '../support/proxy-process.js'
import type { Teardown } from '../support/teardown.js'

export type { ProxyProgram } from '../support/proxy-process.js'

/** What a configuration is told of the test. */
export interface Place {
  /** For the files of the proxy. */
  readonly folder: string
  readonly port: number
  readonly tlsPort: number
  readonly cert: string
  readonly key: string
  /** The text of a file of the project. Each `10.0.0.N:8080` in it is the N-th gateway. */
  read(file: string): string
  /** Writes a file into that folder. @returns its path */
  write(name: string, text: string): string
}

export interface Node {
  readonly port: number
  readonly lines: readonly LogLine[]
  /** Pipes that wait; not of a process. */
  waiting(): number
  /** Ends it, after so many milliseconds at most; one that is a process of its own has no time to say anything. */
  end(drainMs?: number): unknown
}

export interface Front {
  readonly nodes: readonly Node[]
  readonly port: number
  readonly cert: string
  /** As `Place`. */
  read(file: string): string
  /** Through the proxy. */
  url(path: string): string
  /** The same over TLS; `cert` is its certificate. */
  tlsUrl(path: string): string
}

export const NODES = 3

export interface FrontOptions {
  readonly flags?: FlagValues
  /** Each gateway is a process of its own, so that it can die. */
  readonly processes?: boolean
}

/** @param write makes the files that the proxy reads, and tells how it is started */
export async function startFront(
  t: Teardown,
  write: (place: Place) => ProxyProgram,
  options: FrontOptions = {},
): Promise<Front> {
  const nodes = await startNodes(t, NODES, options)
  // Of its own: a test may have several.
  const folder = mkdtempSync(join(tmpdir(), 'pipegate-front-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const [port, tlsPort] = [await freePort(), await freePort()]
  const { cert, key } = makeCertificate(folder)
  const read = (file: string) =>
    readProject(file).replace(/10\.0\.0\.(\d):8080/g, (_, i) => `127.0.0.1:${nodes[i - 1]!.port}`)
  const place: Place = {
    folder,
    port,
    tlsPort,
    cert,
    key,
    read,
    write(name, text) {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    },
  }
  await startProxy(t, write(place), port)
  const url = (path: string) => `http://127.0.0.1:${port}/${path}`
  return { nodes, port, cert, read, url, tlsUrl: (path) => `https://127.0.0.1:${tlsPort}/${path}` }
}

/** Gateways that trust a proxy on this machine. */
export async function startNodes(
  t: Teardown,
  count: number,
  { flags = {}, processes = false }: FrontOptions,
): Promise<Node[]> {
  const all: FlagValues = { trustedProxies: '127.0.0.1', ...flags }
  const plugins = await defaultPlugins()
  const start = async (): Promise<Node> => {
    if (!processes) {
      const { port, lines, gateway } = await startGateway(t, all, { plugins })
      return { port, lines, waiting: () => gateway.table.waiting, end: (drainMs = 0) => gateway.stop(drainMs) }
    }
    const program = await startProgram(t, ['--trusted-proxies', '127.0.0.1', '--reply', all.reply ?? 'stream'])
    return {
      port: program.port,
      get lines() {
        return program.log
      },
      waiting: () => Number.NaN,
      end: () => program.kill('SIGKILL'),
    }
  }
  return Promise.all(Array.from({ length: count }, start))
}

/** Resolves when a gateway answers through it. */
export function startProxy(t: Teardown, program: ProxyProgram, port: number): Promise<void> {
  return startProxyProcess(t, program, async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/pipe/health`).catch((error) => error as Error)
    return (answer instanceof Response && answer.ok) || 'no gateway answers'
  })
}

/** nginx in one process with its files in a folder of the test. */
export function nginx(folder: string, http: string): ProxyProgram {
  return nginxProgram(folder, `access_log off;\n  ${http}`)
}

/** nginx with the configuration in `deploy/`, over TLS as well. */
export function ourNginx({ folder, port, tlsPort, cert, key, read }: Place): ProxyProgram {
  const config = read('deploy/nginx/pipegate.conf')
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace('# listen 443 ssl', `listen 127.0.0.1:${tlsPort} ssl`)
    .replace('# ssl_certificate /etc/ssl/pipe.pem', `ssl_certificate ${cert}`)
    .replace('# ssl_certificate_key /etc/ssl/pipe.key', `ssl_certificate_key ${key}`)
  return nginx(folder, config)
}

/** HAProxy with the configuration in `deploy/`, over TLS as well. @param alpn what it speaks there */
export function ourHaproxy({ port, tlsPort, cert, key, read, write }: Place, alpn = 'http/1.1'): ProxyProgram {
  const pem = write('both.pem', readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'))
  const config = read('deploy/haproxy/haproxy.cfg')
    .replace('bind :80', `bind 127.0.0.1:${port}\n  bind 127.0.0.1:${tlsPort} ssl crt ${pem} alpn ${alpn}`)
    // What a test machine has fewer of.
    .replace('maxconn 20000', 'maxconn 1000')
    // What has other things to do is not dead: a name that moves between the requests of its two sides leaves both waiting.
    .replace('timeout connect 5s', 'timeout connect 5s\n  timeout check 20s')
  return { file: 'haproxy', args: ['-db', '-f', write('haproxy.cfg', config)] }
}

/** Caddy with the configuration in `deploy/`, as far as Debian's 2.6 can: without `enable_full_duplex` and `timeouts`. */
export function ourCaddy({ folder, port, read, write }: Place): ProxyProgram {
  const config = read('deploy/caddy/Caddyfile')
    .replace(/.*enable_full_duplex\n/, '')
    .replace(/\t\ttimeouts \{[^}]*\}\n/, '')
    .replace(/^\{/m, '{\n\tadmin off')
    .replace('pipe.example.org {', `http://127.0.0.1:${port} {\n\tbind 127.0.0.1`)
  const home = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  return { file: 'caddy', args: ['run', '--adapter', 'caddyfile', '--config', write('Caddyfile', config)], env: home }
}

/** So many that a proxy which takes the nodes in turns cannot bring two sides together by chance: no multiple of theirs. */
export function someNames(name: (i: number) => string): string[] {
  return Array.from({ length: 16 * NODES + 1 }, (_, i) => name(i))
}

/** Sends and receives the name itself, each by another form of its address. @returns what came */
export async function meet({ url }: Pick<Front, 'url'>, name: string, i: number): Promise<string> {
  const [one, other] = [name, `api/v1/pipe/${name.replace('%c3', '%C3')}`]
  const receiver = fetch(url(i % 2 === 0 ? one : `${other}?download`), { signal: AbortSignal.timeout(20_000) })
  const sender = await fetch(url(i % 3 === 0 ? `${other}?wait=20` : one), { method: 'PUT', body: name })
  const lines = await sender.text()
  if (!lines.endsWith('[INFO] Transfer complete.\n')) throw new Error(`${name}: ${sender.status} ${lines}`)
  return (await receiver).text()
}

/** Sends a line, and another one when the first has arrived at a receiver with this address. @returns what came */
export async function inPieces({ url }: Pick<Front, 'url'>, address: string): Promise<string> {
  const receiver = curl(['-N', '--interface', address, url('name')])
  const sender = curl(['-N', '-T', '-', url('name')])
  sender.stdin.write('a line\n')
  await receiver.waitFor('a line\n')
  sender.stdin.end('the last one\n')
  return (await receiver.result).stdout.toString()
}

/** Where the transfer of each name was completed, since then. */
export function homes(nodes: readonly Node[], from = 0): Map<string, number> {
  const isEnd = ({ msg, reason, time }: LogLine) =>
    msg === 'transfer' && reason === 'complete' && (time as number) >= from
  return new Map(nodes.flatMap(({ lines }, node) => lines.filter(isEnd).map(({ pipe }) => [pipe as string, node])))
}

/** A receiver that waits, and leaves: the gateway behind the proxy has to notice both. */
export async function waitAndLeave({ nodes, url }: Pick<Front, 'nodes' | 'url'>): Promise<void> {
  const waiting = () => nodes.reduce((sum, node) => sum + node.waiting(), 0)
  const receiver = curl([url('waits')])
  await eventually(() => waiting() === 1 || 'it does not wait')
  receiver.kill()
  await eventually(() => waiting() === 0 || 'it still counts as waiting')
}
