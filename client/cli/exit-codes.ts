/** What the exit codes of all commands mean. A description says it more closely for its command. */
export const EXIT_CODES = {
  0: 'done',
  1: 'it failed',
  2: 'wrong usage, or the server refuses',
  3: 'timed out',
  129: 'ended by SIGHUP: the terminal is gone',
  130: 'ended by SIGINT: Ctrl-C',
  141: 'nobody reads the output any more',
  143: 'ended by SIGTERM',
} as const

/** For descriptions of commands that go on until they are done or interrupted. */
export const SIGNAL_EXITS = {
  129: EXIT_CODES[129],
  130: EXIT_CODES[130],
  141: EXIT_CODES[141],
  143: EXIT_CODES[143],
} as const

export type ExitCode = keyof typeof EXIT_CODES
