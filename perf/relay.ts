/** A relay that runs, in a process with nothing else in it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../test/support/eventually.js'
import { adopt, end } from './children.js'
import type { Target } from './client/dial.js'
import type { Peer, StartOptions } from './peers.js'
import { cpuOfFamily, family, residentBytes } from './proc.js'

/** What `GET /api/v1/pipe/health` tells. */
export interface Health {
  readonly waiting: number
  readonly streaming: number
  readonly heldBytes: number
}

export class Relay {
  readonly peer: Peer
  readonly target: Target
  readonly #child: ChildProcess

  private constructor(peer: Peer, target: Target, child: ChildProcess) {
    this.peer = peer
    this.target = target
    this.#child = child
  }

  /** Starts a relay on free ports of 127.0.0.1 and waits until it listens. */
  static async start(peer: Peer, tls?: StartOptions['tls']): Promise<Relay> {
    const options = { ports: await freePorts(), ...(tls !== undefined && { tls }) }
    const [file, ...args] = peer.command(options)
    const child = adopt(spawn(file, args, { env: cleanEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] }))
    let complaint = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000)
    })
    const target = peer.target(options)
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`${peer.name} ended with ${child.exitCode}: ${complaint}`)
        return isListening(target.port) || `${peer.name} does not listen on port ${target.port}: ${complaint}`
      },
      { timeoutMs: peer.startsWithinMs ?? 10_000 },
    )
    return new Relay(peer, target, child)
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Seconds of processor time used so far, by all its processes. */
  cpu(): number {
    return cpuOfFamily(this.pid)
  }

  /** Resident bytes of all its processes. */
  memory(): number {
    return family(this.pid).reduce((sum, pid) => sum + residentBytes(pid), 0)
  }

  /** Waits until the relay has done what was asked before: its processor time stands still for 100 ms. */
  async settle(): Promise<void> {
    let before = -1
    for (let i = 0; i < 50 && before !== this.cpu(); i++) {
      before = this.cpu()
      await sleep(100)
    }
  }

  async health(): Promise<Health> {
    const answer = await fetch(`http://127.0.0.1:${this.target.port}/api/v1/pipe/health`)
    return (await answer.json()) as Health
  }

  stop(): Promise<void> {
    return end(this.#child)
  }
}

/** Whether somebody listens, without connecting: a connection would be the only one that a one-shot relay takes. */
function isListening(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFileSync(file, 'latin1'))
  return tables.some((table) => new RegExp(`^ *\\d+: [0-9A-F]+:${hex} [0-9A-F]+:0000 0A `, 'm').test(table))
}

async function freePorts(): Promise<[number, number, number, number]> {
  const servers = Array.from({ length: 4 }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as { port: number }).port)
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
  return ports as [number, number, number, number]
}

/** Without what would make a relay another one. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of Object.keys(env)) if (name.startsWith('PIPEGATE_') || name === 'NODE_OPTIONS') delete env[name]
  return env
}
