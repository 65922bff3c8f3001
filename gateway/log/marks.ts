/** What stands before a line for a person. */
export interface Marks {
  readonly done: string
  readonly failed: string
  readonly warning: string
  /** What is neither good nor bad. */
  readonly plain: string
}

export const PLAIN_MARKS: Marks = { done: '✓', failed: '✗', warning: '!', plain: '·' }

export const COLOURED_MARKS: Marks = {
  done: '\x1b[32m✓\x1b[39m',
  failed: '\x1b[31m✗\x1b[39m',
  warning: '\x1b[33m!\x1b[39m',
  plain: '\x1b[2m·\x1b[22m',
}
