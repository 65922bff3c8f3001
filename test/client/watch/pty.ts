/** A program on a pseudo-terminal, and what would be on its screen. */

import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { eventually, type Verdict } from '../../support/eventually.js'
import type { Teardown } from '../../support/teardown.js'

export interface PtyOptions {
  readonly columns: number
  readonly env?: Readonly<Record<string, string>>
}

interface Test extends Teardown {
  testdir(): string
}

/** util-linux's `script` with a shell in it. It is killed when the test ends. */
export class Pty {
  /** All that came out, as it came. */
  text = ''
  /** The exit code as a shell sees it: 128 and the number of the signal if one ended the command. */
  readonly ended: Promise<number | null>
  exitCode: number | null | undefined

  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #deviceFile: string

  /** @param command for a shell */
  constructor(
    t: Test,
    command: string,
    readonly options: PtyOptions,
  ) {
    this.#deviceFile = join(t.testdir(), 'tty')
    const all = `stty cols ${options.columns} rows 24; tty > '${this.#deviceFile}'; ${command}`
    // What the tester's own terminal can show is another matter: Node asks a dozen variables (CI, TMUX, NO_COLOR, ...).
    const { PATH, HOME } = process.env
    this.#child = spawn('script', ['-qefc', all, '/dev/null'], {
      env: { PATH, HOME, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', SHELL: '/bin/sh', ...options.env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.text += text
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject).once('close', (code) => {
        this.exitCode = code
        resolve(code)
      })
    })
    t.teardown(() => {
      this.#child.kill('SIGKILL')
      return this.ended
    })
  }

  type(text: string): void {
    this.#child.stdin.write(text)
  }

  /** Makes the terminal so wide, as somebody does who pulls at the window. */
  resize(columns: number): void {
    if (!existsSync(this.#deviceFile)) throw new Error('the terminal is not there yet')
    execFileSync('stty', ['-F', readFileSync(this.#deviceFile, 'utf8').trim(), 'cols', String(columns)])
  }

  /** The lines of the screen, without blanks at their ends. */
  get screen(): string[] {
    return screenOf(this.text, this.options.columns)
  }

  shows(check: (screen: readonly string[]) => boolean, what: string): Promise<void> {
    const verdict = (): Verdict => check(this.screen) || `${what}: ${JSON.stringify(this.screen)}`
    return eventually(verdict, { timeoutMs: 30_000 })
  }
}

/** What a terminal shows of this output. It knows line breaks, colours and "erase to the end of the line", and nothing else. */
export function screenOf(text: string, columns: number): string[] {
  const rows: string[][] = [[]]
  let x = 0
  for (const [token] of text.matchAll(/\x1b\[[0-9;?]*[A-Za-z]|[\s\S]/gu)) {
    const row = rows.at(-1)!
    if (token === '\r') x = 0
    else if (token === '\n') rows.push([])
    else if (token === '\x1b[K') row.length = Math.min(row.length, x)
    else if (/^\x1b\[\d*m$/.test(token)) continue
    else if (/^[\x00-\x1f\x7f-\x9f]/.test(token)) throw new Error(`the terminal was sent ${JSON.stringify(token)}`)
    else if (x < columns) row[x++] = token
    else {
      rows.push([token])
      x = 1
    }
  }
  return rows.map((row) =>
    Array.from(row, (char) => char ?? ' ')
      .join('')
      .trimEnd(),
  )
}
