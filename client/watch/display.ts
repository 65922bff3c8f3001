import { safeJson, safeText } from '../safe-text.js'
import type { ProgressEvent } from '../wire/events.js'
import { liveLine, plainLine } from './line.js'
import type { Outcome } from './outcome.js'
import type { ConnectionLoss, View } from './view.js'

/** What has just happened; undefined when only time has passed. */
export type DisplayUpdate = ProgressEvent | { readonly event: 'lost'; readonly data: ConnectionLoss } | undefined

/** Where the view is shown. */
export interface Display {
  update(view: View, news: DisplayUpdate): void
  /** Whoever waits has been interrupted: leaves the output as one would like to find it. */
  leave(): void
  /** The last line, which stays. */
  end(outcome: Outcome): void
}

/** The parts of `process.stdout` that are used. */
export interface Output {
  readonly columns?: number
  write(text: string): unknown
}

export interface TerminalStyle {
  readonly unicode: boolean
  readonly colour: boolean
}

const ERASE_TO_END = '\x1b[K'
const GREEN = '\x1b[32m'
const RED = '\x1b[31m'
const DEFAULT_COLOUR = '\x1b[39m'

/** One line of a terminal that is drawn anew. */
export class LiveDisplay implements Display {
  #view: View | undefined

  constructor(
    readonly out: Output,
    readonly errors: Output,
    readonly look: TerminalStyle,
  ) {}

  update(view: View): void {
    this.#view = view
    // A character in the last column would make some terminals begin another line.
    const columns = (this.out.columns || 80) - 1
    this.out.write(`\r${liveLine(view, columns, this.look.unicode)}${ERASE_TO_END}`)
  }

  leave(): void {
    if (this.#view === undefined) return
    // Over the ^C that the terminal has echoed.
    this.update(this.#view)
    this.out.write('\n')
  }

  end(outcome: Outcome): void {
    if (this.#view !== undefined) this.out.write(`\r${ERASE_TO_END}`)
    writeOutcome(outcome, this.out, this.errors, this.look)
  }
}

const PLAIN_EVERY_MS = 10_000

/** Lines of text: one at each change, and one every ten seconds while bytes flow. */
export class PlainDisplay implements Display {
  #last = ''
  #lastAt = 0

  constructor(
    readonly out: Output,
    readonly errors: Output,
    readonly unicode: boolean,
    readonly now: () => number,
  ) {}

  update(view: View, news: DisplayUpdate): void {
    const isChange = news?.event === 'state' || news?.event === 'lost'
    const isStreaming = view.snapshot?.state === 'streaming' && view.loss === undefined
    const isDue = isStreaming && this.now() - this.#lastAt >= PLAIN_EVERY_MS
    if (!isChange && !isDue) return
    // The last state says nothing that the last line does not.
    if (view.loss === undefined && view.snapshot !== undefined && isOver(view.snapshot.state)) return
    const line = plainLine(view)
    // The next attempt that fails for the same reason is no news.
    const what = view.loss?.why ?? line
    if (isChange && what === this.#last) return
    this.#last = what
    this.#lastAt = this.now()
    this.out.write(`${line}\n`)
  }

  leave(): void {}

  end(outcome: Outcome): void {
    writeOutcome(outcome, this.out, this.errors, { unicode: this.unicode, colour: false })
  }
}

/** One JSON object a line. */
export class JsonDisplay implements Display {
  constructor(readonly out: Output) {}

  update(_view: View, news: DisplayUpdate): void {
    if (news === undefined) return
    const data = news.event === 'lost' ? { why: news.data.why, retrySec: news.data.retryMs / 1000 } : news.data
    this.out.write(`${safeJson({ event: news.event, data })}\n`)
  }

  leave(): void {}

  end(outcome: Outcome): void {
    this.out.write(`${safeJson({ event: 'outcome', data: outcome })}\n`)
  }
}

/** Only the end of another one. */
export function quietly(display: Display): Display {
  return { update() {}, leave() {}, end: (outcome) => display.end(outcome) }
}

/** What the server has said stands on the output, what kept it from saying it among the errors. */
function writeOutcome(
  { line, exitCode }: Outcome,
  out: Output,
  errors: Output,
  { unicode, colour }: TerminalStyle,
): void {
  const text = safeText(line, unicode)
  if (exitCode > 1) errors.write(`pipegate: ${text}\n`)
  else out.write(`${colour ? (exitCode === 0 ? GREEN : RED) + text + DEFAULT_COLOUR : text}\n`)
}

function isOver(state: string): boolean {
  return state === 'complete' || state === 'failed'
}
