/** Finds the examples in a Markdown file, and runs them with bash as a reader would. */

import { type ChildProcess, spawn } from 'node:child_process'

export interface Example {
  readonly id: string
  /** `sh`: commands only, each group below a comment in a terminal of its own. `console`: `$ ` commands and their output. */
  readonly kind: 'sh' | 'console'
  readonly text: string
}

/** All `sh` and `console` blocks. One without an `<!-- example: id -->` before it has an empty id. */
export function examplesOf(markdown: string): Example[] {
  const blocks = markdown.matchAll(/(?:<!-- example: ([\w-]+) -->\n)?```(sh|console)\n([\s\S]*?)```/g)
  return [...blocks].map(([, id = '', kind, text = '']) => ({ id, kind: kind as Example['kind'], text }))
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

/** One running terminal. */
export class Terminal {
  /** Standard output and error, as they would be read on a screen. */
  text = ''
  readonly done: Promise<number | null>
  readonly #child: ChildProcess

  constructor(command: string, cwd: string, env: NodeJS.ProcessEnv = {}) {
    // A process group of its own, so that a command that never ends can be stopped with all that it started.
    this.#child = spawn('bash', ['-c', `set -eo pipefail; ${command}`], {
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
