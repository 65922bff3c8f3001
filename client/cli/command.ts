import type { Description, Values } from './description.js'

/** What a command leaves behind. */
export interface CommandResult {
  /** For standard output when the exit code is 0, else for standard error; empty when the command has written by itself. */
  readonly text: string
  readonly exitCode: number
}

/**
 * Runs a command. @throws WrongUsage for values that cannot be together. Any other error is printed as one line, and the exit
 * code is its `exitCode`, or 1.
 */
export type Run<D> = (values: Values<D>, program: Program) => CommandResult | Promise<CommandResult>

/** A command, of which nothing is loaded into memory before it is asked for. */
export interface Command {
  describe(): Promise<{ readonly description: Description }>
  // biome-ignore lint/suspicious/noExplicitAny: what `run` takes is what its own description says; a test reads both.
  load(): Promise<{ readonly run: (values: any, program: Program) => ReturnType<Run<Description>> }>
}

/** A program of several commands. */
export interface Program {
  readonly name: string
  /** What it is for, in one sentence. */
  readonly summary: string
  readonly commands: Readonly<Record<string, Command>>
  version(): string
}
