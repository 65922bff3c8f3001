/** `pipegate watch` as a process, against a server of progress that the test controls. */

import type { Test } from 'tap'
import { type Exit, Program } from '../../support/program.js'
import { type ProgressRequest, ProgressServer, receipt } from './progress-server.js'

/** For a machine that is loaded and slow. */
export const PATIENCE_MS = 30_000
/** Another one on the same name. */
export const OTHER = 'transfer-number-2'
export const UTF8 = { LC_ALL: 'C.UTF-8' }
/** The last line of `receipt()`. */
export const COMPLETE = 'complete: 7.6 GB in 8 h 2 m, average 283 kB/s\n'
export const FAILED = receipt({
  state: 'failed',
  reason: 'sender_left',
  message: 'The sender disconnected.',
  bytes: 1.2e9,
})
export const FAILED_LINE = 'failed: sender disconnected after 1.2 GB in 8 h 2 m\n'

/** `pipegate watch` and the server that it watches. */
export interface WatchRun {
  readonly server: ProgressServer
  readonly program: Program
  /** The next request that comes. */
  next(): Promise<ProgressRequest>
  ends(): Promise<Exit>
}

/** `pipegate watch` on the name `jobs` of a scripted server. */
export async function watch(
  t: Test,
  flags: readonly string[] = [],
  env: Record<string, string> = UTF8,
): Promise<WatchRun> {
  const server = await ProgressServer.start(t)
  const program = new Program(t, ['watch', server.url('jobs'), ...flags], { env })
  return { server, program, next: () => server.next(), ends: () => program.ends(PATIENCE_MS) }
}

/** @param last the last line of all that was printed */
export function isEnd(t: Test, exit: Exit, code: number, last: string | RegExp): void {
  t.equal(exit.code, code, `exit code, with ${exit.stdout} and ${exit.stderr}`)
  const shown = (exit.stdout + exit.stderr).split('\n').at(-2) ?? ''
  if (typeof last === 'string') t.equal(`${shown}\n`, last)
  else t.match(shown, last)
}
