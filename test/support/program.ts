/** The program as a user starts it: a process of its own, with its output, its log and its exit code. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { eventually, USUAL_MS } from './eventually.js'
import { TEST_HOSTS } from './hosts.js'
import { MAIN, PROJECT } from './project.js'
import type { Teardown } from './teardown.js'
import { TEST_THREADS } from './threads/wanted.js'

export { MAIN, PROJECT } from './project.js'

/** A log line as it was written. */
export interface Line {
  readonly level: number
  readonly time: number
  readonly msg: string
  readonly [field: string]: unknown
}

export interface Exit {
  /** The exit code, or null when a signal ended the process. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** `performance.now()` at the end. */
  readonly at: number
}

export interface ProgramOptions {
  /** Variables besides the tester's own, from which every `PIPEGATE_*` is taken out. */
  readonly env?: Readonly<Record<string, string>>
  /** What to start instead of `node gateway/main.js`, before the arguments. */
  readonly command?: readonly [file: string, ...args: string[]]
}

/** A running program. It is killed, by its own process id, when the test ends. */
export class Program {
  /** Resolves when the process ended and all that it printed has been read. */
  readonly ended: Promise<Exit>
  exit: Exit | undefined
  stdout = ''
  stderr = ''

  readonly #child: ChildProcessByStdio<null, Readable, Readable>

  constructor(t: Teardown, args: readonly string[], { env = {}, command = [process.execPath, MAIN] }: ProgramOptions) {
    const [file, ...first] = command
    this.#child = spawn(file, [...first, ...args], {
      cwd: PROJECT,
      env: { ...ownEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => {
        this.exit = { code, signal, stdout: this.stdout, stderr: this.stderr, at: performance.now() }
        resolve(this.exit)
      })
    })
    t.teardown(() => {
      this.kill('SIGKILL')
      return this.ended
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Every line of standard output, parsed. Throws when one is not JSON. The last one may still be on its way. */
  get log(): Line[] {
    const lines = this.stdout.split('\n')
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Line)
  }

  /** Calls `run` with each line of the log from here on, as soon as it is there. */
  onLine(run: (line: Line) => void): void {
    let rest = ''
    this.#child.stdout.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) run(JSON.parse(line) as Line)
    })
  }

  /** Lines with this message. */
  logged(msg: string): Line[] {
    return this.log.filter((line) => line.msg === msg)
  }

  /** Resolves with the `count`-th line of this message. */
  async waitForLog(msg: string, count = 1, timeoutMs = USUAL_MS): Promise<Line> {
    const find = () => {
      if (this.logged(msg).length >= count) return true
      const what = `${this.logged(msg).length} of ${count} lines "${msg}": ${this.stdout.slice(-500)} ${this.stderr}`
      if (this.exit !== undefined) throw new Error(`the program ended with ${this.exit.code} and ${what}`)
      return what
    }
    await eventually(find, { timeoutMs })
    return this.logged(msg)[count - 1]!
  }

  /** The address that the log tells, up to the names. */
  get base(): string {
    return this.logged('listening')[0]!.url as string
  }

  get port(): number {
    return Number(new URL(this.base).port)
  }

  /** The address of a name, which may have a query. */
  url(nameAndQuery: string): string {
    return this.base + nameAndQuery
  }

  kill(signal: NodeJS.Signals): void {
    if (this.exit === undefined) this.#child.kill(signal)
  }

  /** Sends a signal, waits for the end, and tells how long it took. */
  async endsAfter(signal: NodeJS.Signals, timeoutMs = 10_000): Promise<Exit & { readonly ms: number }> {
    const from = performance.now()
    this.kill(signal)
    const exit = await this.ends(timeoutMs)
    return { ...exit, ms: exit.at - from }
  }

  /** Waits for the end, with a deadline. */
  async ends(timeoutMs = 10_000): Promise<Exit> {
    await eventually(() => this.exit !== undefined || `the process still runs: ${this.stdout.slice(-500)}`, {
      timeoutMs,
    })
    return this.exit!
  }
}

/** Without what a test runner tells Node through it, which would make the program another one. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of Object.keys(env)) if (name.startsWith('PIPEGATE_') || name === 'NODE_OPTIONS') delete env[name]
  return env
}

/** Runs the program with these arguments to its end. */
export function runProgram(
  t: Teardown,
  args: readonly string[],
  { timeoutMs = USUAL_MS, ...options }: ProgramOptions & { readonly timeoutMs?: number } = {},
): Promise<Exit> {
  return new Program(t, args, options).ends(timeoutMs)
}

/** Starts `pipegate serve` on a free port, with these flags besides, and waits until it listens. */
export async function startProgram(
  t: Teardown,
  flags: readonly string[] = [],
  options: ProgramOptions = {},
): Promise<Program> {
  const threads = TEST_THREADS === 1 || flags.includes('--threads') ? [] : ['--threads', `${TEST_THREADS}`]
  const program = new Program(t, ['serve', '--port', '0', '--hosts', TEST_HOSTS, ...threads, ...flags], options)
  // Loading its modules is what it takes longest for on a machine that has other things to do.
  await program.waitForLog('listening', 1, 30_000)
  return program
}
