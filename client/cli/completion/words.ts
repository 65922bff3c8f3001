import { BUILT_IN } from '../built-in-flags.js'
import { type Description, flagOf } from '../description.js'
import type { ValueType } from '../values.js'

/** What a shell offers for a value. */
export type Offer = { readonly words: readonly string[] } | 'file' | 'directory' | 'command' | 'nothing'

/** A flag as a shell completes it. */
export interface FlagWord {
  /** `--port`, `-c`: all that mean the same. A toggle has `--x` and `--no-x`. */
  readonly names: readonly string[]
  /** One line. */
  readonly help: string
  /** undefined: it takes no value. */
  readonly value: { readonly metavar: string; readonly offer: Offer } | undefined
  readonly repeated: boolean
}

/** An argument as a shell completes it. */
export interface ArgumentWord {
  readonly metavar: string
  readonly offer: Offer
  readonly optional: boolean
  readonly repeated: boolean
}

/** The flags of a command, `--help` last. */
export function flagWords({ flags }: Description): FlagWord[] {
  const own = Object.entries(flags).map(([key, flag]): FlagWord => {
    const long = flagOf(key)
    const names = [...(flag.short === undefined ? [] : [`-${flag.short}`]), long]
    const takesValue = flag.kind === 'single' || flag.kind === 'list'
    return {
      names: flag.kind === 'toggle' ? [...names, long.replace('--', '--no-')] : names,
      help: firstSentence(flag.help),
      value: takesValue ? { metavar: flag.type.metavar, offer: offerOf(flag.type) } : undefined,
      repeated: flag.kind === 'list',
    }
  })
  const help = {
    names: [`-${BUILT_IN.help}`, '--help'],
    help: 'Print the help and exit',
    value: undefined,
    repeated: false,
  }
  return [...own, help]
}

export function argumentWords({ arguments: wanted }: Description): ArgumentWord[] {
  return Object.values(wanted).map(({ type, optional, repeated }) => ({
    metavar: type.metavar,
    offer: offerOf(type),
    optional: optional === true,
    repeated: repeated === true,
  }))
}

function offerOf({ choices, completes }: ValueType<unknown>): Offer {
  return choices === undefined ? (completes ?? 'nothing') : { words: choices }
}

/** Without its full stop: shells show a line beside each word. */
function firstSentence(help: string): string {
  return (/^.*?(?=[.;:](?:\s|$))/.exec(help)?.[0] ?? help).replace(/\s+/g, ' ')
}
