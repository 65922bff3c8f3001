/** What the values of flags and arguments can be. */

/** What a value is called, which texts are one, and how a shell completes it. */
export interface ValueType<T> {
  /** Stands for the value in a usage line. */
  readonly metavar: string
  /** Completes the sentence "found …, expected …". */
  readonly expected: string
  /** The value, or undefined for a text that is none. */
  readonly read: (text: string) => T | undefined
  /** The only texts that are values. */
  readonly choices?: readonly string[]
  readonly completes?: 'file' | 'directory' | 'command'
  /** It may be a secret, or have one in it: no error shows it. */
  readonly secret?: true
}

/** Any text. */
export function text(metavar: string, expected = 'a text'): ValueType<string> {
  return { metavar, expected, read: (written) => written }
}

/** Any text, which no error shows: a token, or an address that may have a password in it. */
export function secret(metavar: string, expected = 'a text'): ValueType<string> {
  return { ...text(metavar, expected), secret: true }
}

/** The path of a file; a command that needs it to be there finds that out itself. */
export function file(metavar = 'FILE'): ValueType<string> {
  return { metavar, expected: 'the path of a file', read: (path) => path || undefined, completes: 'file' }
}

/** The path of a folder. */
export function directory(metavar = 'DIR'): ValueType<string> {
  return { metavar, expected: 'the path of a folder', read: (path) => path || undefined, completes: 'directory' }
}

/** One of a few words, spelled exactly so. */
export function choice<const T extends string>(...choices: readonly [T, T, ...T[]]): ValueType<T> {
  return {
    metavar: choices.length > 3 ? 'WORD' : choices.join('|'),
    expected: `one of ${choices.join(', ')}`,
    read: (written) => choices.find((each) => each === written),
    choices,
  }
}

/** A whole number from `min` to `max`, both included. `2abc`, `1.5`, `0x10` and `1e3` are none, where `parseInt` would guess. */
export function whole(min: number, max: number, metavar = 'N', what = 'a whole number'): ValueType<number> {
  const read = (written: string) => {
    if (!/^\d{1,15}$/.test(written)) return undefined
    const number = Number(written)
    return number >= min && number <= max ? number : undefined
  }
  return { metavar, expected: `${what} from ${min} to ${max}`, read }
}

/** A duration in whole seconds. A `setTimeout` waits 2 147 483 s at most: what is more fires at once. */
export function seconds(min: number, max: number): ValueType<number> {
  return whole(min, max, 'SECONDS', 'a whole number of seconds')
}
