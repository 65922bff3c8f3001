/** `pipegate send` and `pipegate receive` as people run them: processes in folders of their own, against a gateway of the test. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { MAIN } from '../../support/project.js'

/** For a machine that is loaded and slow. */
const PATIENCE_MS = 60_000

export interface CliExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
  /** Both, as text. */
  readonly text: string
}

export interface CliOptions {
  /** The gateway. */
  readonly server: string
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** A running command; it is killed when the test ends. */
export class Cli {
  readonly child: ChildProcessWithoutNullStreams
  readonly #stdout: Buffer[] = []
  #stderr = ''
  readonly #ended: Promise<CliExit>
  exit: CliExit | undefined

  constructor(t: Test, args: readonly string[], { server, cwd, env }: CliOptions) {
    const { PATH, HOME } = process.env
    this.child = spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], {
      cwd,
      env: {
        PATH,
        HOME: HOME ?? '/',
        XDG_CONFIG_HOME: join(cwd, '.none'),
        LC_ALL: 'C.UTF-8',
        PIPEGATE_URL: server,
        ...env,
      },
    })
    this.child.stdout.on('data', (chunk: Buffer) => void this.#stdout.push(chunk))
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    // One that ends before it has read all is no error of ours.
    this.child.stdin.on('error', () => {})
    this.#ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        const stdout = Buffer.concat(this.#stdout)
        this.exit = { code, signal, stdout, stderr: this.#stderr, text: stdout.toString() + this.#stderr }
        resolve(this.exit)
      })
    })
    t.teardown(() => {
      this.child.kill('SIGKILL')
      return this.#ended.then(() => {})
    })
  }

  get text(): string {
    return Buffer.concat(this.#stdout).toString() + this.#stderr
  }

  async says(text: string | RegExp): Promise<void> {
    const has = () => (typeof text === 'string' ? this.text.includes(text) : text.test(this.text))
    await eventually(() => has() || (this.exit ? `it has ended: ${this.text}` : `it says ${this.text}`), {
      timeoutMs: PATIENCE_MS,
    })
  }

  async ends(): Promise<CliExit> {
    await eventually(() => this.exit !== undefined || `it runs, and says ${this.text}`, { timeoutMs: PATIENCE_MS })
    return this.exit!
  }
}

/** Two machines with a folder each. */
export interface Desks {
  readonly here: string
  readonly there: string
  send(...args: string[]): Cli
  receive(...args: string[]): Cli
  /** The same desks, where another gateway is theirs. */
  at(server: string): Desks
}

export function desks(t: Test, server: string, env: Readonly<Record<string, string>> = {}): Desks {
  const root = t.testdir()
  const [here, there] = [join(root, 'here'), join(root, 'there')]
  mkdirSync(here)
  mkdirSync(there)
  const at = (server: string): Desks => ({
    here,
    there,
    send: (...args) => new Cli(t, ['send', ...args], { server, cwd: here, env }),
    receive: (...args) => new Cli(t, ['receive', ...args], { server, cwd: there, env }),
    at,
  })
  return at(server)
}

/** All that is in a folder, as text that can be compared: kind, permissions, time and content of each. */
export function tree(folder: string, path = ''): string[] {
  return readdirSync(join(folder, path))
    .sort()
    .flatMap((name) => {
      const at = join(path, name)
      const { mode, mtimeMs, size } = lstatSync(join(folder, at))
      const bits = (mode & 0o777).toString(8)
      const kind = (mode & 0o170000) >> 12
      if (kind === 0o12) return [`${at} -> ${readlinkSync(join(folder, at))}`]
      if (kind === 0o04) return [`${at}/ ${bits}`, ...tree(folder, at)]
      return [
        `${at} ${bits} ${Math.floor(mtimeMs)} ${size} ${readFileSync(join(folder, at)).toString('base64').slice(0, 80)}`,
      ]
    })
}
