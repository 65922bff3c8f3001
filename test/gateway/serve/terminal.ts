/** The program on a terminal of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pty } from '../../client/watch/pty.js'
import { eventually } from '../../support/eventually.js'
import { MAIN, PROJECT } from '../../support/program.js'
import type { Teardown } from '../../support/teardown.js'

export interface TerminalOptions {
  readonly columns?: number
  /** The project's folder when absent. */
  readonly cwd?: string
  /** Besides UTF-8, and a terminal with colours. */
  readonly env?: Readonly<Record<string, string>>
}

export class Terminal {
  readonly #pty: Pty

  constructor(t: Teardown, args: readonly string[], { columns = 80, cwd = PROJECT, env = {} }: TerminalOptions = {}) {
    const command = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ')
    // Not the folder of the test, which would be made anew: there are files in it.
    const own = mkdtempSync(join(tmpdir(), 'terminal-'))
    t.teardown(() => rmSync(own, { recursive: true, force: true }))
    const test = { teardown: (run: () => unknown) => t.teardown(run), testdir: () => own }
    this.#pty = new Pty(test, `cd '${cwd}'; exec ${command}`, { columns, env })
  }

  /** All that the terminal was told to show. */
  get shown(): string {
    return this.#pty.text.replaceAll('\r\n', '\n')
  }

  type(text: string): void {
    this.#pty.type(text)
  }

  async waitFor(what: RegExp | string, timeoutMs = 30_000): Promise<void> {
    const has = () => (typeof what === 'string' ? this.shown.includes(what) : what.test(this.shown))
    await eventually(() => has() || `${what} is not shown: ${this.shown}`, { timeoutMs })
  }

  /** Resolves with the exit code. */
  async ends(): Promise<number | null> {
    await eventually(() => this.#pty.exitCode !== undefined || `it still runs: ${this.shown}`)
    return this.#pty.exitCode!
  }
}
