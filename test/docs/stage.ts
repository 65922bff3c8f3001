/** What the examples of the documentation need around them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Shell, Terminal } from './examples.js'

/** What an example needs around it, and how to see that it did what it says. */
export interface Stage {
  /** Files and folders that the reader has. */
  readonly has?: Record<string, string | Record<string, string>>
  /** All terminals but the first are in the folder `there`, as on another machine, with these files. */
  readonly there?: Record<string, string>
  /** The shells that it is run in; all when absent. Encoders and players take their time, and what zsh takes bash takes. */
  readonly shells?: readonly Shell[]
  /** It is run in the project's own folder. */
  readonly atRoot?: true
  /** It takes long, and is run at night only (test/support/thorough.ts). */
  readonly atNight?: true
  /** Returns variables for the commands. @param origin of the gateway */
  prepare?(dir: string, t: Test, origin: string): NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>
  /** The others begin when the first terminal shows this. */
  readonly after?: RegExp
  /** What the reader then does with what the first terminal shows: more commands, in terminals of their own. */
  more?(shown: string): readonly string[]
  /** The example does not end by itself; this makes it do its work, and it is stopped afterwards. */
  endless?(dir: string, run: readonly Terminal[]): Promise<void>
  check?(t: Test, dir: string, run: readonly Terminal[]): void
}

export function same(t: Test, dir: string, ...files: string[]): void {
  const [first, ...others] = files.map((file) => readFileSync(join(dir, file)))
  for (const other of others) t.ok(other.equals(first!), files.join(' and '))
}
