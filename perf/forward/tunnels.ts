/** Programs that carry TCP connections to a service, and how each of them is started. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { PEERS, PROJECT } from '../paths.js'
import { isOnPath, type Peer, pipegate } from '../peers.js'
import { Relay } from '../relay.js'

/** One that runs. */
export interface Tunnel {
  /** Where programs connect to. */
  readonly port: number
  /** Seconds of processor time used so far, by all its processes. */
  cpu(): number
  stop(): Promise<void>
}

export interface TunnelKind {
  readonly name: string
  /** What is missing, as a sentence with a way to get it; null when it can be started. */
  missing(): string | null
  /** @param service the port of the service */
  start(service: number): Promise<Tunnel>
}

const MAIN = `${PROJECT}dist/gateway/main.js`
const CHISEL = `${PEERS}bin/chisel`
const PATH = `${process.env.PATH}:/usr/sbin`

/** A gateway and a forward on either side of it. */
const forward: TunnelKind = {
  name: 'pipegate forward',
  missing: () => pipegate().missing(),
  async start(service) {
    const gateway = await Relay.start(pipegate())
    const server = `http://127.0.0.1:${gateway.target.port}`
    const side = (flag: string, port: number) => [
      process.execPath,
      MAIN,
      'forward',
      '--server',
      server,
      flag,
      `${port}`,
      'lane',
    ]
    const near = await Relay.start(program('pipegate forward --listen', (port) => side('--listen', port)))
    const far = await Relay.start(program('pipegate forward --connect', () => side('--connect', service), service))
    return together(near.target.port, [gateway, near, far])
  },
}

/** A single hop without a name: what has to be spent at least. */
const socat: TunnelKind = {
  name: 'socat',
  missing: () => (isOnPath('socat') ? null : 'socat is not installed: sh perf/peers.sh'),
  async start(service) {
    const from = (port: number) => `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,nodelay`
    const relay = await Relay.start(
      program('socat', (port) => ['socat', '-b', '65536', from(port), `TCP:127.0.0.1:${service},nodelay`]),
    )
    return together(relay.target.port, [relay])
  },
}

/** A server that both could reach, here on the service's side. */
const ssh: TunnelKind = {
  name: 'ssh -L',
  missing: () => (sshd() && isOnPath('ssh') ? null : 'OpenSSH is not installed: sh perf/peers.sh'),
  async start(service) {
    const folder = mkdtempSync(join(tmpdir(), 'pipegate-ssh-'))
    const key = (name: string) => {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)])
      return join(folder, name)
    }
    const [host, own] = [key('host'), key('own')]
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true })
    const options = [
      'StrictModes no',
      'UsePAM no',
      'PidFile none',
      'PermitRootLogin yes',
      `AuthorizedKeysFile ${own}.pub`,
    ]
    writeFileSync(join(folder, 'sshd'), `${options.join('\n')}\n`)
    const flags = (port: number) => ['-D', '-e', '-f', join(folder, 'sshd'), '-h', host, '-p', `${port}`]
    const server = await Relay.start(program('sshd', (port) => [sshd()!, ...flags(port)]))
    const known = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=yes', 'IdentitiesOnly=yes']
    const to = ['-p', `${server.target.port}`, '-i', own, ...known.flatMap((option) => ['-o', option]), '127.0.0.1']
    const client = await Relay.start(
      program('ssh', (port) => ['ssh', '-F', 'none', '-N', '-L', `${port}:127.0.0.1:${service}`, ...to]),
    )
    return together(client.target.port, [server, client], () => rmSync(folder, { recursive: true }))
  },
}

function sshd(): string | undefined {
  return PATH.split(':')
    .map((folder) => join(folder, 'sshd'))
    .find((file) => existsSync(file))
}

/** TCP over a WebSocket, which is how it passes proxies too: https://github.com/jpillora/chisel */
const chisel: TunnelKind = {
  name: 'chisel',
  missing: () => (existsSync(CHISEL) ? null : 'chisel is not installed: sh perf/peers.sh'),
  async start(service) {
    const serve = (port: number) => [CHISEL, 'server', '--host', '127.0.0.1', '--port', `${port}`]
    const server = await Relay.start(program('chisel server', serve))
    const at = `http://127.0.0.1:${server.target.port}`
    const client = await Relay.start(
      program('chisel client', (port) => [CHISEL, 'client', at, `127.0.0.1:${port}:127.0.0.1:${service}`]),
    )
    return together(client.target.port, [server, client])
  },
}

export const TUNNELS: readonly TunnelKind[] = [forward, socat, ssh, chisel]

/** @param listens where it listens, when it is not on a port of its own */
function program(name: string, command: (port: number) => readonly string[], listens?: number): Peer {
  return {
    name,
    missing: () => null,
    command: ({ ports: [port] }) => command(port) as [string, ...string[]],
    target: ({ ports: [port] }) => ({ scheme: 'raw', port: listens ?? port, outPort: listens ?? port }),
  }
}

/** @param afterwards when all have ended */
function together(port: number, parts: readonly Relay[], afterwards = () => {}): Tunnel {
  return {
    port,
    cpu: () => parts.reduce((sum, part) => sum + part.cpu(), 0),
    async stop() {
      await Promise.all(parts.map((part) => part.stop()))
      afterwards()
    },
  }
}
