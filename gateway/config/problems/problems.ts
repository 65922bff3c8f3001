import type { Origin } from '../origin.js'
import { VARIABLE_PREFIX, variableOf } from '../setting-names.js'
import { SETTING_KEYS } from '../settings.js'
import { nearest } from './did-you-mean.js'
import { printable, show } from './show.js'

/** One thing that is wrong with the configuration. */
export interface Problem {
  /** The flag, the variable or the file to correct; with line and column when the file is not YAML. */
  readonly where: string
  /** The setting concerned, or the name that was written when there is no such setting. */
  readonly key: string
  readonly found: string
  readonly expected: string
  /** All of the above as one line for people. */
  readonly line: string
}

/** Everything that is wrong with the configuration, at once. The program should exit with {@link exitCode}. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly exitCode = 1
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(message(problems.map((problem) => problem.line)))
    this.problems = problems
  }
}

function message(lines: readonly string[]): string {
  if (lines.length === 1) return `configuration: ${lines[0]}`
  return [`configuration: ${lines.length} problems`, ...lines.map((line) => `  ${line}`)].join('\n')
}

/** What to look for when correcting a value. A file holds many keys, so a file's path is followed by the key. */
function place(origin: Origin, key: string): string {
  return origin.source === 'file' ? `${printable(origin.name)}: ${key}` : printable(origin.name)
}

/** A value that its setting does not take. `found` is printed as it is: see {@link show}. */
export function badValue(origin: Origin, key: string, found: string, expected: string): Problem {
  const line = `${place(origin, key)}: found ${found}, expected ${expected}`
  return { where: origin.name, key, found, expected, line }
}

/** Settings that are each valid, but not together. `origins` are those of the values that were given. */
export function badCombination(origins: readonly Origin[], key: string, found: string, expected: string): Problem {
  const where = [...new Set(origins.map((origin) => origin.name))].join(', ')
  return { where, key, found, expected, line: `${printable(where)}: found ${found}, expected ${expected}` }
}

/** A file that cannot be used as a configuration at all. */
export function badFile(where: string, found: string, expected: string): Problem {
  const line = `${printable(where)}: found ${found}, expected ${expected}`
  return { where, key: 'config', found, expected, line }
}

/** A name that no setting has, with the nearest existing one if there is a near one. */
export function unknownName(origin: Origin, name: string): Problem {
  const inFile = origin.source === 'file'
  const near = nearest(inFile ? name : name.slice(VARIABLE_PREFIX.length), SETTING_KEYS)
  const wanted = near === undefined ? undefined : inFile ? show(near) : variableOf(near)
  const what = inFile ? `${printable(origin.name)}: key ${show(name)} is unknown` : `${printable(name)} is unknown`
  const line = wanted === undefined ? what : `${what}; did you mean ${wanted}?`
  return { where: origin.name, key: name, found: show(name), expected: wanted ?? 'a known name', line }
}
