import { WORDLIST } from './wordlist.js'

/** How many words, and how many digits behind them: 4 × 8 bits and 9.97 bits, so that one in 4.3 × 10^12 names is guessed. */
const COUNT = 4
const NUMBERS = 1000

/**
 * `amber-otter-lantern-maple-407`: 41.9 bits of randomness.
 * @param random what the parts of the name are drawn with
 * @param count words; fewer are for a name that need not be hard to guess
 */
export function newName(random: (bytes: Uint32Array<ArrayBuffer>) => Uint32Array, count = COUNT): string {
  const drawn = random(new Uint32Array(count + 1))
  const words = [...drawn.subarray(0, count)].map((each) => WORDLIST[each % WORDLIST.length])
  // 2^32 is no multiple of 1000: the first 296 numbers are drawn more often, by one part in four million.
  return [...words, String(drawn[count]! % NUMBERS).padStart(3, '0')].join('-')
}

/** As it stands in an address. What people type is text: a `%`, a `?` and a `#` are characters of the name. */
export function inAddress(name: string): string {
  // An apostrophe too, so that the address can stand in quotes in a shell.
  return name
    .split('/')
    .map((each) => encodeURIComponent(each).replaceAll("'", '%27'))
    .join('/')
}

/** Why an address cannot have this name, as a sentence; undefined when it can. The server has the last word. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'Give it a name.'
  // `//name` is the address of another host.
  if (name.startsWith('/')) return 'A name does not begin with a slash.'
  if (/\p{Cs}/u.test(name)) return 'The name has half a character in it.'
  // A browser takes these for steps between folders, and would go elsewhere.
  if (/(^|\/)\.{1,2}(\/|$)/.test(name)) return 'Between slashes a name cannot have just "." or "..".'
  return undefined
}
