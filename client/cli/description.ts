export { flagOf } from '../../gateway/config/setting-names.js'

import type { Arguments, Flags, ValuesOf } from './flags.js'

/** Where a command stands in the list of all commands. */
export type Section = 'Transfers' | 'Access' | 'The gateway' | 'Finding out'

/** The order of the sections in that list. */
export const SECTIONS: readonly Section[] = ['Transfers', 'Access', 'The gateway', 'Finding out']

export interface Example {
  /** A line for a shell. Each `pipegate` in it is tested to be a command line that is understood. */
  readonly run: string
  /** What it does, in a few words without a full stop. */
  readonly does: string
}

/**
 * A command of the program, as data: what reads its command line, its help text, its man page, docs/cli.md and the completion
 * of the shells are all made from this. It stands in a module of its own, `description.ts` beside the command, that imports no
 * code of the command: listing commands and completing their flags must not load what they do.
 */
export interface Description<F extends Flags = Flags, A extends Arguments = Arguments> {
  readonly name: string
  /** One line without a full stop, which completes "pipegate NAME: …". */
  readonly summary: string
  readonly section: Section
  /** In their order. */
  readonly arguments: A
  /** Without `--help`, which every command has. */
  readonly flags: F
  /** Paragraphs on what it does. */
  readonly about: readonly string[]
  /** At least two. */
  readonly examples: readonly Example[]
  /** What the exit codes mean here, by number; see exit-codes.ts. 0, 1 and 2 are always there. */
  readonly exits: Readonly<Record<number, string>>
  /** Environment variables that it reads, and what for. */
  readonly variables?: Readonly<Record<string, string>>
  /** The page of docs/ that tells more, such as `watch.md`. */
  readonly page?: string
  /** It deals with a reader that leaves its standard output; for others the program ends with 141. */
  readonly ownsOutput?: true
}

/** Gives a description its exact type, from which {@link Values} follows. */
export function describe<const F extends Flags, const A extends Arguments>(
  description: Description<F, A>,
): Description<F, A> {
  return description
}

/** The values of a command line of this description. */
export type Values<D> = D extends Description<infer F, infer A> ? ValuesOf<F, A> : never
