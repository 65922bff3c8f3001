/** Another machine: a network namespace with a cable to this one, which can be pulled. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { type CurlRun, curl } from './curl.js'
import { eventually } from './eventually.js'
import type { Teardown } from './teardown.js'

/** Nothing lives longer than this, whatever becomes of the test. */
const MOST_SECONDS = '600'
let count = 0

export class RemoteMachine {
  /** This machine's address, as the other one sees it. */
  readonly here: string
  readonly #there: string
  readonly #holder: ChildProcess
  readonly #cable: string
  readonly #curls: CurlRun[] = []

  private constructor(holder: ChildProcess) {
    this.#holder = holder
    // Of the addresses that are kept for benchmarks (RFC 2544), four for each cable, so that test files can run side by side.
    const number = ((process.pid * 7 + count++) % 16_384) * 4
    const address = (last: number) => `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${(number & 255) + last}`
    this.here = address(1)
    this.#there = address(2)
    this.#cable = `pg${process.pid}x${count}`
  }

  /** Undefined where this needs more than the test may do, or has: root, and `ip` of iproute2. */
  static async connect(t: Teardown): Promise<RemoteMachine | undefined> {
    const holder = spawn('unshare', ['--net', 'sleep', MOST_SECONDS], { stdio: 'ignore' })
    holder.on('error', () => {})
    const machine = new RemoteMachine(holder)
    t.teardown(() => machine.#destroy())
    try {
      await machine.#plugIn()
      return machine
    } catch {
      return undefined
    }
  }

  async #plugIn(): Promise<void> {
    const { pid } = this.#holder
    const other = `${this.#cable}o`
    await eventually(() => this.#isApart() || 'it has no network of its own', { timeoutMs: 20_000 })
    run('ip', 'link', 'add', this.#cable, 'type', 'veth', 'peer', 'name', other)
    run('ip', 'link', 'set', other, 'netns', `${pid}`)
    run('ip', 'addr', 'add', `${this.here}/30`, 'dev', this.#cable)
    run('ip', 'link', 'set', this.#cable, 'up')
    this.#run('ip', 'addr', 'add', `${this.#there}/30`, 'dev', other)
    this.#run('ip', 'link', 'set', other, 'up')
  }

  /** Once the namespace is its own, and not before, it is another one than this process has. */
  #isApart(): boolean {
    const network = (pid: number | string) => execFileSync('readlink', [`/proc/${pid}/ns/net`]).toString()
    return network(this.#holder.pid ?? 0) !== network('self')
  }

  curl(args: readonly string[]): CurlRun {
    const run = curl(args, { within: this.#within })
    this.#curls.push(run)
    return run
  }

  /** Nobody would tell a curl there that its connection is over, and the test would wait for it. */
  #destroy(): void {
    for (const run of this.#curls) run.kill('SIGKILL')
    this.#holder.kill('SIGKILL')
  }

  /** Nothing comes from it or reaches it any more, and nobody says so. */
  vanish(): void {
    this.#run('ip', 'route', 'add', 'blackhole', `${this.here}/32`)
    this.#run('ip', 'link', 'set', `${this.#cable}o`, 'arp', 'off')
  }

  comeBack(): void {
    this.#run('ip', 'route', 'del', 'blackhole', `${this.here}/32`)
    this.#run('ip', 'link', 'set', `${this.#cable}o`, 'arp', 'on')
  }

  /** Its cable is pulled out at its end, and nobody here is told. */
  unplug(): void {
    this.#run('ip', 'link', 'set', `${this.#cable}o`, 'down')
  }

  replug(): void {
    this.#run('ip', 'link', 'set', `${this.#cable}o`, 'up')
  }

  get #within(): string[] {
    return ['nsenter', `--net=/proc/${this.#holder.pid}/ns/net`]
  }

  #run(...command: readonly string[]): void {
    const [file, ...args] = [...this.#within, ...command] as [string, ...string[]]
    run(file, ...args)
  }
}

function run(file: string, ...args: readonly string[]): void {
  execFileSync(file, args, { stdio: 'pipe' })
}
