/** The relays that are compared, and how each of them is started. */

import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Target } from './client/dial.js'
import { PEERS, PROJECT } from './paths.js'

/** What a relay is started with. */
export interface StartOptions {
  /** Free ports of 127.0.0.1. Most need one or two. */
  readonly ports: readonly [number, number, number, number]
  /** Serve HTTPS with these files. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** A program that relays. */
export interface Peer {
  readonly name: string
  /** What is missing, as a sentence with a way to get it; null when it can be started. */
  missing(): string | null
  /** The command line. */
  command(options: StartOptions): readonly [file: string, ...args: string[]]
  /** Where clients connect. */
  target(options: StartOptions): Target
  /** Milliseconds until it listens, where 10 s may not do. */
  readonly startsWithinMs?: number
  /** It ends after one transfer, so that every round needs a new one. */
  readonly oneShot?: true
  /** It answers `GET /api/v1/pipe/health`. */
  readonly isPipegate?: true
}

function http({ ports: [port], tls }: StartOptions): Target {
  return { scheme: tls === undefined ? 'http' : 'https', port, outPort: port }
}

/** pipegate as it was built in `project`, with more places for waiting pipes than any lane needs. */
export function pipegate(project = PROJECT, name = 'pipegate'): Peer {
  const main = `${project}dist/gateway/main.js`
  return {
    name,
    isPipegate: true,
    missing: () => (existsSync(main) ? null : `${main} is missing: npm run build`),
    command: ({ ports: [port], tls }) => [
      process.execPath,
      main,
      'serve',
      ...['--port', `${port}`, '--log-level', 'silent', '--max-waiting', '100000'],
      ...(tls === undefined ? [] : ['--tls-cert', tls.cert, '--tls-key', tls.key]),
    ],
    target: http,
  }
}

/** What all of them take that speak as Piping Server does. */
function pipingFlags({ ports: [port, spare], tls }: StartOptions): readonly string[] {
  if (tls === undefined) return ['--http-port', `${port}`]
  const https = ['--enable-https', '--https-port', `${port}`, '--key-path', tls.key, '--crt-path', tls.cert]
  return ['--http-port', `${spare}`, ...https]
}

/** The same job on the same runtime: https://github.com/nwtgck/piping-server */
export const pipingServer: Peer = {
  name: 'piping-server',
  missing: () => (existsSync(PIPING_SERVER) ? null : 'piping-server is not installed: npm ci'),
  command: (options) => [process.execPath, PIPING_SERVER, '--host', '127.0.0.1', ...pipingFlags(options)],
  target: http,
}

const PIPING_SERVER = `${PROJECT}node_modules/piping-server/dist/src/index.js`

/** The same job, compiled: https://github.com/nwtgck/go-piping-server */
export const goPipingServer: Peer = {
  name: 'go-piping-server',
  missing: () => (existsSync(GO_PIPING_SERVER) ? null : 'go-piping-server is not installed: sh perf/peers.sh'),
  command: (options) => [GO_PIPING_SERVER, ...pipingFlags(options)],
  target: http,
}

const GO_PIPING_SERVER = `${PEERS}bin/go-piping-server`

/** The same job, compiled without a collector of garbage: https://github.com/nwtgck/piping-server-rust */
export const rustPipingServer: Peer = {
  name: 'piping-server-rust',
  missing: () => (existsSync(RUST_PIPING_SERVER) ? null : 'piping-server-rust is not installed: sh perf/peers.sh'),
  command: (options) => [RUST_PIPING_SERVER, '--host', '127.0.0.1', ...pipingFlags(options)],
  target: http,
}

const RUST_PIPING_SERVER = `${PEERS}bin/piping-server`

/** A bare relay of bytes without HTTP: the floor in practice. */
export const socat: Peer = {
  name: 'socat',
  oneShot: true,
  missing: () => (isOnPath('socat') ? null : 'socat is not installed: sh perf/peers.sh'),
  command: ({ ports: [port, outPort] }) => [
    'socat',
    ...['-u', '-b', '524288'],
    `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`,
    `TCP-LISTEN:${outPort},bind=127.0.0.1,reuseaddr`,
  ],
  target: ({ ports: [port, outPort] }) => ({ scheme: 'raw', port, outPort }),
}

/** A proxy in front of relays that run already. `config` is written to `file`; its processor time is its own alone. */
export function haproxy(name: string, file: string, config: (port: number) => string): Peer {
  return {
    name,
    missing: () => (isOnPath('haproxy') ? null : 'haproxy is not installed: sh perf/peers.sh'),
    command: ({ ports: [port] }) => {
      writeFileSync(file, config(port))
      return ['haproxy', '-db', '-f', file]
    },
    target: http,
  }
}

/** A broker, for latency: it has no back-pressure, so that it cannot be given a stream as fast as it goes. */
export const redis: Peer = {
  name: 'Redis pub/sub',
  missing: () => (isOnPath('redis-server') ? null : 'redis-server is not installed: sh perf/peers.sh'),
  command: ({ ports: [port] }) => ['redis-server', '--port', `${port}`, '--bind', '127.0.0.1', '--save', ''],
  target: ({ ports: [port] }) => ({ scheme: 'redis', port, outPort: port }),
}

/** The other broker; the same holds. */
export const nats: Peer = {
  name: 'NATS core',
  missing: () => (isOnPath('nats-server') ? null : 'nats-server is not installed: sh perf/peers.sh'),
  command: ({ ports: [port] }) => ['nats-server', '-a', '127.0.0.1', '-p', `${port}`],
  target: ({ ports: [port] }) => ({ scheme: 'nats', port, outPort: port }),
}

/** The least that Node can do: bytes from one TCP connection to another, or back where they came from. */
export function bareNode(job: 'relay' | 'echo'): Peer {
  return {
    name: `bare Node ${job}`,
    missing: () => null,
    command: ({ ports: [port, outPort] }) => [process.execPath, BARE_NODE, job, `${port}`, `${outPort}`],
    target: ({ ports: [port, outPort] }) => ({ scheme: 'raw', port, outPort: job === 'echo' ? port : outPort }),
  }
}

const BARE_NODE = fileURLToPath(new URL('bare-node.js', import.meta.url))

export function isOnPath(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
