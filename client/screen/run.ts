import { endingOf } from './ending.js'
import type { Ending, Screen } from './screen.js'
import { dieOf, SIGNALS } from './signals.js'
import type { TransferView } from './transfer-view.js'

/** Often enough for the speed and for the eye. */
const TICK_MS = 250
/** What a shell reports of a program that wrote where nobody reads: 128 + SIGPIPE. */
const BROKEN_PIPE = 141

const INTERRUPTED: Ending = { line: '', exitCode: 1, data: { state: 'interrupted' } }

/**
 * Runs a transfer under the eyes of somebody, who may interrupt it.
 * @param server for people
 * @param work resolves with how it ended, or rejects with why it failed; when its signal is aborted it leaves things as they should be
 *   found
 * @returns the exit code; a signal ends the program by itself
 */
export async function runShown(
  screen: Screen,
  view: TransferView,
  output: NodeJS.WriteStream,
  server: string,
  work: (signal: AbortSignal) => Promise<Ending>,
): Promise<number> {
  const ticks = setInterval(() => {
    view.sample()
    screen.show(view, false)
  }, TICK_MS)
  return runUntilOver(screen, output, server, (signal) => work(signal).finally(() => clearInterval(ticks)))
}

/** The same without a transfer to show. */
export async function runUntilOver(
  screen: Screen,
  output: NodeJS.WriteStream,
  server: string,
  work: (signal: AbortSignal) => Promise<Ending>,
): Promise<number> {
  const stop = new AbortController()
  let interrupt: NodeJS.Signals | 'EPIPE' | undefined
  const interrupted = (by: NodeJS.Signals | 'EPIPE') => {
    // The second time it does not wait for anything.
    if (interrupt !== undefined && by !== 'EPIPE') dieOf(by)
    interrupt ??= by
    stop.abort()
  }
  for (const signal of SIGNALS) process.on(signal, interrupted)
  output.on('error', () => interrupted('EPIPE'))
  const ending = await work(stop.signal).catch((error) => (stop.signal.aborted ? INTERRUPTED : endingOf(error, server)))
  // What was done before the signal came is done.
  if (interrupt === undefined || (ending.exitCode === 0 && interrupt !== 'EPIPE')) {
    screen.end(ending)
    return ending.exitCode
  }
  if (interrupt === 'EPIPE') return BROKEN_PIPE
  screen.leave()
  if (ending.exitCode !== 0 && ending.line !== '') screen.say([ending.line], ending.data)
  return dieOf(interrupt)
}
