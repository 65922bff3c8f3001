import { isColoured, isUtf8 } from '../cli/style.js'
import { safeJson, safeText } from '../safe-text.js'
import type { Output, TerminalStyle } from '../watch/display.js'
import { liveLine, plainLine } from '../watch/line.js'
import type { TransferView } from './transfer-view.js'

/** How a command ended. */
export interface Ending {
  readonly line: string
  readonly exitCode: number
  /** For programs. */
  readonly data: Readonly<Record<string, unknown>>
}

/** What somebody sees who sends or receives. */
export interface Screen {
  /** Lines that stay. @param data the same for programs */
  say(lines: readonly string[], data: Readonly<Record<string, unknown>>): void
  /** The transfer has changed, or time has passed. */
  show(view: TransferView, isNews: boolean): void
  /** Interrupted: leaves the output as one would like to find it. */
  leave(): void
  /** Somebody is asked something meanwhile: nothing is drawn over the question. */
  during<T>(question: () => Promise<T>): Promise<T>
  end(ending: Ending): void
}

const ERASE_TO_END = '\x1b[K'
const GREEN = '\x1b[32m'
const RED = '\x1b[31m'
const DEFAULT_COLOUR = '\x1b[39m'

/** A terminal: the last line is drawn anew. */
export class TerminalScreen implements Screen {
  #isDrawn = false
  #isAsking = false

  constructor(
    readonly out: Output,
    readonly style: TerminalStyle,
  ) {}

  say(lines: readonly string[]): void {
    this.#erase()
    // There are names of files in it, which anybody may have given them.
    this.out.write(lines.map((line) => `${safeText(line, this.style.unicode)}\n`).join(''))
  }

  show(transfer: TransferView): void {
    if (this.#isAsking) return
    // A character in the last column would make some terminals begin another line.
    const line = liveLine(transfer.view, (this.out.columns || 80) - 1, this.style.unicode)
    this.out.write(`\r${line}${ERASE_TO_END}`)
    this.#isDrawn = true
  }

  leave(): void {
    if (this.#isDrawn) this.out.write('\n')
    this.#isDrawn = false
  }

  async during<T>(question: () => Promise<T>): Promise<T> {
    this.#erase()
    this.#isAsking = true
    try {
      return await question()
    } finally {
      this.#isAsking = false
    }
  }

  end({ line, exitCode }: Ending): void {
    this.#erase()
    const { unicode, colour } = this.style
    const isGood = exitCode === 0
    const mark = unicode ? (isGood ? '✓ ' : '✗ ') : ''
    const text = mark + safeText(line, unicode)
    this.out.write(`${colour ? (isGood ? GREEN : RED) + text + DEFAULT_COLOUR : text}\n`)
  }

  #erase(): void {
    if (this.#isDrawn) this.out.write(`\r${ERASE_TO_END}`)
    this.#isDrawn = false
  }
}

const PLAIN_EVERY_MS = 10_000

/** Lines of text: at each change, and every ten seconds while bytes flow. */
export class PlainScreen implements Screen {
  #shownAt = performance.now()
  #last = ''

  constructor(
    readonly out: Output,
    readonly unicode: boolean,
  ) {}

  say(lines: readonly string[]): void {
    for (const line of lines) if (line.trim() !== '') this.out.write(`${safeText(line, this.unicode)}\n`)
  }

  show(transfer: TransferView, isNews: boolean): void {
    const { view } = transfer
    const isDue = view.snapshot?.state === 'streaming' && performance.now() - this.#shownAt >= PLAIN_EVERY_MS
    if (!isNews && !isDue) return
    const line = plainLine(view)
    const what = view.loss?.why ?? line
    if (isNews && what === this.#last) return
    this.#last = what
    this.#shownAt = performance.now()
    this.out.write(`${line}\n`)
  }

  leave(): void {}

  during<T>(question: () => Promise<T>): Promise<T> {
    return question()
  }

  end({ line }: Ending): void {
    this.out.write(`${safeText(line, this.unicode)}\n`)
  }
}

/** One JSON object a line. */
export class JsonScreen implements Screen {
  #shownAt = 0

  constructor(readonly out: Output) {}

  say(_lines: readonly string[], data: Readonly<Record<string, unknown>>): void {
    this.out.write(`${safeJson(data)}\n`)
  }

  show(transfer: TransferView, isNews: boolean): void {
    const { snapshot, loss } = transfer.view
    if (!isNews && (snapshot?.state !== 'streaming' || performance.now() - this.#shownAt < 1000)) return
    this.#shownAt = performance.now()
    if (loss !== undefined) this.out.write(`${safeJson({ event: 'lost', ...loss })}\n`)
    else if (snapshot !== undefined) {
      const { state, bytes, totalBytes, speed, eta, elapsed, receivers } = snapshot
      this.out.write(`${safeJson({ event: state, bytes, totalBytes, speed, eta, elapsed, receivers })}\n`)
    }
  }

  leave(): void {}

  during<T>(question: () => Promise<T>): Promise<T> {
    return question()
  }

  end({ line, exitCode, data }: Ending): void {
    this.out.write(`${safeJson({ event: 'outcome', ...data, line, exitCode })}\n`)
  }
}

/** Only what has to be known, and how it ended. */
export function quietly(screen: Screen): Screen {
  return {
    say() {},
    show() {},
    leave() {},
    during: (question) => question(),
    end: (ending) => screen.end(ending),
  }
}

export interface ScreenOptions {
  readonly json: boolean
  readonly quiet: boolean
}

/** @param out the stream that is free for it: not the one that the data goes to */
export function screenOn(
  out: NodeJS.WriteStream,
  { json, quiet }: ScreenOptions,
  env: NodeJS.ProcessEnv,
): { readonly screen: Screen; readonly isTerminal: boolean; readonly unicode: boolean } {
  const unicode = isUtf8(env) || process.platform === 'win32'
  const isTerminal = out.isTTY === true && env.TERM !== 'dumb' && !json && !quiet
  const full = json
    ? new JsonScreen(out)
    : isTerminal
      ? new TerminalScreen(out, { unicode, colour: isColoured(out, env) })
      : new PlainScreen(out, unicode)
  return { screen: quiet && !json ? quietly(full) : full, isTerminal, unicode }
}
