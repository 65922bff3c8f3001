/** The program on a real pseudo-terminal, which util-linux's `script` makes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { eventually } from '../../support/eventually.js'
import { MAIN, ownEnvironment } from '../../support/program.js'
import { PROJECT } from '../../support/project.js'
import type { Teardown } from '../../support/teardown.js'

export interface TerminalOptions {
  readonly columns?: number
  /** The project's folder when absent. */
  readonly cwd?: string
  /** Besides UTF-8, and a terminal with colours. */
  readonly env?: Readonly<Record<string, string>>
}

const ENV = { TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' }

export class Terminal {
  /** All that the terminal was told to show. */
  shown = ''
  /** The exit code of the program, when it has ended. */
  code: number | null | undefined
  readonly #script: ChildProcess

  constructor(t: Teardown, args: readonly string[], { columns = 80, cwd = PROJECT, env = {} }: TerminalOptions = {}) {
    const command = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ')
    const own: NodeJS.ProcessEnv = { ...ownEnvironment(), ...ENV, ...env }
    if (env.NO_COLOR === undefined) delete own.NO_COLOR
    this.#script = spawn('script', ['-qefc', `stty cols ${columns} rows 50; exec ${command}`, '/dev/null'], {
      cwd,
      env: own,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    this.#script.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text.replaceAll('\r\n', '\n')
    })
    const ended = new Promise<void>((resolve) => {
      this.#script.once('close', (code) => {
        this.code = code
        resolve()
      })
    })
    t.teardown(() => {
      // The program has lost its terminal then, and stops.
      this.#script.kill('SIGKILL')
      return ended
    })
  }

  type(text: string): void {
    this.#script.stdin!.write(text)
  }

  async waitFor(what: RegExp | string, timeoutMs = 30_000): Promise<void> {
    const has = () => (typeof what === 'string' ? this.shown.includes(what) : what.test(this.shown))
    await eventually(() => has() || `${what} is not shown: ${this.shown}`, { timeoutMs })
  }

  /** Resolves with the exit code. */
  async ends(): Promise<number | null> {
    await eventually(() => this.code !== undefined || `it still runs: ${this.shown}`)
    return this.code!
  }
}
