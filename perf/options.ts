/** The command line of `npm run perf` and `npm run perf:compare`. */

import { parseArgs } from 'node:util'
import { LANES } from './lanes/index.js'
import { PROJECT } from './paths.js'

export interface Options {
  /** What is named besides flags. */
  readonly words: readonly string[]
  readonly quick: boolean
  readonly rounds: number
  /** How long `soak` runs. */
  readonly seconds: number | null
  /** Where results are written. */
  readonly out: string
}

/** Reads the command line. Throws a sentence for the user. */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string' },
      out: { type: 'string', default: `${PROJECT}perf/out` },
    },
  })
  return {
    words: positionals,
    quick: values.quick,
    rounds: count('--rounds', values.rounds),
    seconds: values.seconds === undefined ? null : count('--seconds', values.seconds),
    out: values.out,
  }
}

function count(flag: string, text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) throw new Error(`${flag} takes a whole number from 1 on, not "${text}"`)
  return Number(text)
}

/** The lanes of these names, or `fallback` for none. */
export function namedLanes(names: readonly string[], fallback: readonly string[]): readonly string[] {
  const known = LANES.map(({ name }) => name)
  for (const name of names) {
    if (!known.includes(name)) throw new Error(`there is no lane "${name}"; there are ${known.join(', ')}`)
  }
  return names.length === 0 ? fallback : names
}
