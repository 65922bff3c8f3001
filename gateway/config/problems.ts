import { SETTING_KEYS, VARIABLE_PREFIX, variableOf } from './settings.js'

/** Where a value came from. `name` is the flag, the variable or the path of the file, as it was written. */
export interface Origin {
  readonly source: 'default' | 'file' | 'env' | 'flag'
  readonly name: string
}

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

/** Everything that is wrong with the configuration, in one go. The program should exit with {@link exitCode}. */
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

const LONGEST_SHOWN = 80

/** Text on one line, safe for a terminal and a YAML comment: control characters and line separators are escaped. */
export function printable(text: string): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escaped)
}

/** A value as an error message shows it: short, on one line, and never a key that was pasted instead of its path. */
export function show(raw: unknown): string {
  if (Array.isArray(raw)) return 'a list'
  if (typeof raw === 'object' && raw !== null) return 'a mapping'
  if (typeof raw === 'symbol') return raw.description ?? ''
  if (typeof raw !== 'string') return String(raw)
  if (raw.includes('-----BEGIN')) return 'PEM text (not shown)'
  const quoted = printable(JSON.stringify(raw))
  return quoted.length > LONGEST_SHOWN ? `${quoted.slice(0, LONGEST_SHOWN)}…"` : quoted
}

/** The name to look for when correcting a value; a file holds many keys, so there it needs the key as well. */
function place(origin: Origin, key: string): string {
  return origin.source === 'file' ? `${printable(origin.name)}: ${key}` : printable(origin.name)
}

/** A value that is not what its setting takes. `found` is shown as it stands: see {@link show}. */
export function badValue(origin: Origin, key: string, found: string, expected: string): Problem {
  const line = `${place(origin, key)}: found ${found}, expected ${expected}`
  return { where: origin.name, key, found, expected, line }
}

/** Settings that are good each, but not together. `origins` are those of the values that were given. */
export function badTogether(origins: readonly Origin[], key: string, found: string, expected: string): Problem {
  const where = [...new Set(origins.map((origin) => origin.name))].join(', ')
  return { where, key, found, expected, line: `${printable(where)}: found ${found}, expected ${expected}` }
}

/** A file that is no configuration as a whole; `line` says all of it. */
export function badFile(where: string, found: string, expected: string): Problem {
  const line = `${printable(where)}: found ${found}, expected ${expected}`
  return { where, key: 'config', found, expected, line }
}

/** A name that no setting has; with the nearest one that exists, when one is near. */
export function unknownName(origin: Origin, name: string): Problem {
  const inFile = origin.source === 'file'
  const near = nearest(inFile ? name : name.slice(VARIABLE_PREFIX.length), SETTING_KEYS)
  const wanted = near === undefined ? undefined : inFile ? show(near) : variableOf(near)
  const what = inFile ? `${printable(origin.name)}: key ${show(name)} is unknown` : `${printable(name)} is unknown`
  const line = wanted === undefined ? what : `${what}; did you mean ${wanted}?`
  return { where: origin.name, key: name, found: show(name), expected: wanted ?? 'a known name', line }
}

/** The candidate that `word` is most likely a misspelling of; case, `-` and `_` do not count. */
export function nearest<T extends string>(word: string, candidates: readonly T[]): T | undefined {
  const plain = (text: string) => text.replace(/[-_]/g, '').toLowerCase()
  const limit = Math.max(1, Math.floor(plain(word).length / 3))
  // Nothing that long is near anything; the table below is quadratic in its length.
  if (word.length > 40) return undefined
  let best: T | undefined
  let least = limit + 1
  for (const candidate of candidates) {
    const distance = editDistance(plain(word), plain(candidate))
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const above = rows[i - 1]!
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : 1e9
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, replaced, swapped))
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}

/** The readable half of a system error's message: `ENOENT: no such file or directory`. */
export function systemError(error: unknown): string {
  return error instanceof Error ? printable(error.message.split(',')[0]!) : 'an error'
}
