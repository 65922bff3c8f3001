/** Finds the examples in a Markdown file, and runs them in a shell as a reader would. */

import { type ChildProcess, spawn } from 'node:child_process'

export interface Example {
  /** What stands behind `example:` in the comment before the block; empty when there is no such comment. */
  readonly id: string
  /** The block's language. `sh`: commands, each group below a comment in a terminal of its own. `console`: `$ ` and output. */
  readonly kind: string
  readonly text: string
}

/** Every fenced block. An `<!-- example: id -->` stands in the line before it. */
export function examplesOf(markdown: string): Example[] {
  const blocks = markdown.matchAll(/(?:<!-- example: ([\w.-]+) -->\n)?^[ >]*```([^\n]*)\n([\s\S]*?)^[ >]*```/gm)
  return [...blocks].map(([, id = '', kind = '', text = '']) => ({ id, kind, text }))
}

/** The commands of an `sh` block: what stands below one comment line belongs to one terminal. */
export function terminals(text: string): string[] {
  return text
    .split(/^#.*\n/m)
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** The commands of a `console` block with the output that each of them shows. */
export function dialogue(text: string): { command: string; output: string }[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...output] = part.split('\n')
      return { command, output: output.join('\n') }
    })
}

/** Matches what is shown: `...` before a brace stands for anything within a line, as a line of its own for any lines. */
export function shown(output: string): RegExp {
  const pattern = output
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/^\\\.\\\.\\\.\n/gm, '(?:.*\\n)*')
    .replace(/\\\.\\\.\\\.(?=\\\})/g, '.*')
  return new RegExp(`^${pattern}$`)
}

/**
 * Shells of readers. In zsh, unlike bash, a `?`, a `*` or a `[` outside of quotes that matches no file is an error: what zsh
 * takes bash takes, so the last of these is what says most.
 */
export const SHELLS = ['bash', 'zsh'] as const
export type Shell = (typeof SHELLS)[number]

/** Without what somebody has in their own configuration. */
const PLAIN: Readonly<Record<Shell, readonly string[]>> = { bash: ['--norc'], zsh: ['-f'] }

/** One running terminal. */
export class Terminal {
  /** Standard output and error, as they would be read on a screen. */
  text = ''
  readonly done: Promise<number | null>
  readonly #child: ChildProcess

  constructor(command: string, cwd: string, env: NodeJS.ProcessEnv = {}, shell: Shell = 'bash') {
    // A process group of its own, so that a command that never ends can be stopped with all that it started.
    this.#child = spawn(shell, [...PLAIN[shell], '-c', `set -eo pipefail; ${command}`], {
      cwd,
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const read = (chunk: Buffer) => {
      this.text += chunk.toString()
    }
    this.#child.stdout?.on('data', read)
    this.#child.stderr?.on('data', read)
    this.done = new Promise((resolve) => this.#child.once('close', resolve))
  }

  stop(): void {
    const { pid, exitCode } = this.#child
    if (pid === undefined || exitCode !== null) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It ended by itself in between.
    }
  }
}
