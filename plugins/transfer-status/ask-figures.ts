import { counted } from './counted.js'
import type { AskFigures, MaybeAsk } from './snapshot.js'

/** What is told besides of a name on which questions are asked, taken from what counts them; nothing of any other. */
export function askFiguresOf(
  counts: { readonly askers: number; readonly workers: number; readonly unanswered: number } | undefined,
): AskFigures | Record<never, never> {
  if (counts === undefined) return {}
  const { askers, workers, unanswered } = counts
  return { ask: true, waitingAskers: askers, waitingWorkers: workers, unanswered }
}

/** `2 askers and no worker waiting, 3 questions unanswered`; undefined for any other name. */
export function askInWords({
  ask,
  waitingAskers = 0,
  waitingWorkers = 0,
  unanswered = 0,
}: MaybeAsk): string | undefined {
  if (ask !== true) return undefined
  const waiting = `${counted(waitingAskers, 'asker')} and ${counted(waitingWorkers, 'worker')} waiting`
  return `${waiting}, ${counted(unanswered, 'question')} unanswered`
}
