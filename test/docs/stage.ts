/** What the examples of the documentation need around them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Terminal } from './examples.js'

/** What an example needs around it, and how to see that it did what it says. */
export interface Stage {
  /** Files and folders that the reader has. */
  readonly has?: Record<string, string | Record<string, string>>
  /** It is run in the project's own folder. */
  readonly atRoot?: true
  /** Returns variables for the commands. */
  prepare?(dir: string, t: Test): NodeJS.ProcessEnv
  /** The example does not end by itself; this makes it do its work, and it is stopped afterwards. */
  endless?(dir: string, run: readonly Terminal[]): Promise<void>
  check?(t: Test, dir: string, run: readonly Terminal[]): void
}

export function same(t: Test, dir: string, ...files: string[]): void {
  const [first, ...others] = files.map((file) => readFileSync(join(dir, file)))
  for (const other of others) t.ok(other.equals(first!), files.join(' and '))
}
