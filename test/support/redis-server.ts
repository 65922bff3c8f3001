/** A real Redis on a free port of 127.0.0.1, without a disk, that can be killed, stopped and started again. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.js'
import { freePort } from './free-port.js'
import type { Teardown } from './teardown.js'

export class RedisServer {
  #child: ChildProcess | undefined

  private constructor(
    readonly port: number,
    readonly dir: string,
  ) {}

  static async start(t: Teardown): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'pipegate-redis-')))
    t.teardown(async () => {
      await server.stop()
      await rm(server.dir, { recursive: true, force: true })
    })
    await server.run()
    return server
  }

  async run(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--dir', this.dir]
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    // When a test hangs its teardown does not run.
    process.once('exit', () => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
    })
    await eventually(() => said.includes('Ready to accept connections') || `redis-server said: ${said}`, {
      timeoutMs: 30_000,
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }
}
