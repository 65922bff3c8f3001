import { Refusal } from '../../core/index.js'
import { FAILURES } from './failures.js'

const OFF = new Set(['0', 'false', 'no'])
const ON = new Set(['', '1', 'true', 'yes'])

/** Whether the value of a parameter says that it is not meant. */
export function isOff(value: string): boolean {
  return OFF.has(value.toLowerCase())
}

/** The query of one request, by the contract's rules: the first value counts, names are case-sensitive. */
export class Parameters {
  readonly #values: URLSearchParams | null

  constructor(rawQuery: string) {
    this.#values = rawQuery === '' ? null : new URLSearchParams(rawQuery)
  }

  get isEmpty(): boolean {
    return this.#values === null
  }

  /** The decoded value; undefined when the parameter is absent. */
  get(name: string): string | undefined {
    return this.#values?.get(name) ?? undefined
  }

  has(name: string): boolean {
    return this.#values?.has(name) === true
  }

  /** True when bare, empty, `1`, `true` or `yes`, false for `0`, `false` and `no`; undefined when absent. */
  switch(name: string): boolean | undefined | Refusal {
    const value = this.get(name)?.toLowerCase()
    if (value === undefined) return undefined
    if (ON.has(value)) return true
    if (OFF.has(value)) return false
    return new Refusal(FAILURES.badParameter, {
      name,
      found: show(value),
      expected: 'nothing, 1, true, yes, 0, false or no',
    })
  }

  /** A whole number in plain digits; undefined when absent. */
  integer(name: string, min: number, max: number): number | undefined | Refusal {
    const value = this.get(name)
    return value === undefined ? undefined : integer(name, value, min, max)
  }

  /** One of these words; undefined when absent. */
  word<W extends string>(name: string, words: readonly W[]): W | undefined | Refusal {
    const value = this.get(name)
    if (value === undefined) return undefined
    const word = words.find((each) => each === value)
    return word ?? new Refusal(FAILURES.badParameter, { name, found: show(value), expected: words.join(' or ') })
  }
}

/** Reads a whole number written in plain digits without leading zeros. */
export function integer(name: string, value: string, min: number, max: number): number | Refusal {
  const number = /^(0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : Number.NaN
  if (number >= min && number <= max) return number
  return new Refusal(FAILURES.badParameter, { name, found: show(value), expected: `a whole number, ${min} to ${max}` })
}

/** Makes a client's input fit to be quoted in one short line of ASCII. */
export function show(found: string): string {
  const plain = found.replace(/[^\x20-\x7e]/g, '?')
  return plain.length > 60 ? `${plain.slice(0, 60)}...` : plain
}
