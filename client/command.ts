/** What a command of the program leaves behind: `pipegate token`, `pipegate link`, `pipegate watch`, `pipegate doctor`. */
export interface CommandResult {
  /** For standard output when the exit code is 0, else for standard error; empty when the command has written by itself. */
  readonly text: string
  readonly exitCode: number
}

/** @param argv what stands behind the command's name */
export type Command = (argv: readonly string[]) => CommandResult | Promise<CommandResult>
