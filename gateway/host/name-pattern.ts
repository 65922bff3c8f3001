import { canonicalName } from '../http/address.js'

/**
 * Patterns of names: `*` stands for any characters of one segment, none included, `**` for any characters, slashes
 * included. Everything else stands for itself. `logs/*` covers `logs/today` and not `logs/a/b`; `logs/**` covers both.
 */
export class NamePattern {
  /** As it was written. */
  readonly source: string
  /** Literals and runs of stars, by turns. */
  readonly #pieces: readonly string[]
  readonly #first: string
  readonly #last: string
  /** Characters that a name has at least. */
  readonly #least: number
  /** Runs of stars. Nearly all patterns have one or none. */
  readonly #stars: readonly string[]

  constructor(source: string) {
    this.source = source
    // Half of a surrogate pair has no escape, and no name has the character that stands for it.
    this.#pieces = canonicalName(source.replace(/\p{Cs}/gu, '\ufffd'))
      .split(/(\*+)/)
      .filter((piece) => piece !== '')
    const [first = ''] = this.#pieces
    const last = this.#pieces.at(-1) ?? ''
    this.#first = isStar(first) ? '' : first
    this.#last = isStar(last) ? '' : last
    this.#stars = this.#pieces.filter(isStar)
    this.#least = this.#pieces.reduce((sum, piece) => sum + (isStar(piece) ? 0 : piece.length), 0)
  }

  /**
   * @param name in the spelling of `Join.name`
   *
   * A pattern may come from a token, so there is no backtracking: of each character of the pattern, of which a name has as many
   * or it is not covered, a few operations on as many bits as the name has characters.
   */
  covers(name: string): boolean {
    if (name.length < this.#least || !name.startsWith(this.#first) || !name.endsWith(this.#last)) return false
    const [star, another] = this.#stars
    if (star === undefined) return name === this.#first
    if (another !== undefined) return this.#matches(name)
    return star.length > 1 || !name.slice(this.#first.length, name.length - this.#last.length).includes('/')
  }

  #matches(name: string): boolean {
    const positions = new NamePositions(name)
    // Bit n: what came of the pattern so far can end before the n-th character of the name.
    let ends = 1n
    for (const piece of this.#pieces) {
      if (isStar(piece)) ends = piece.length === 1 ? positions.behindSegment(ends) : positions.behindAny(ends)
      else for (let i = 0; i < piece.length && ends !== 0n; i++) ends = positions.behind(ends, piece[i]!)
      if (ends === 0n) return false
    }
    return ends >> BigInt(name.length) === 1n
  }
}

const isStar = (piece: string) => piece.startsWith('*')

/** Sets of positions in a name, a bit for each. */
class NamePositions {
  readonly #of = new Map<string, bigint>()
  readonly #all: bigint
  readonly #notSlash: bigint

  constructor(name: string) {
    let bit = 1n
    for (let i = 0; i < name.length; i++, bit <<= 1n) this.#of.set(name[i]!, (this.#of.get(name[i]!) ?? 0n) | bit)
    this.#all = (bit << 1n) - 1n
    this.#notSlash = (bit - 1n) & ~(this.#of.get('/') ?? 0n)
  }

  behind(ends: bigint, character: string): bigint {
    return (ends & (this.#of.get(character) ?? 0n)) << 1n
  }

  /** From the first one on. */
  behindAny(ends: bigint): bigint {
    return this.#all & ~((ends & -ends) - 1n)
  }

  /** Up to the next slash. The carry of the sum runs through the bits of a segment, and changes all of them. */
  behindSegment(ends: bigint): bigint {
    const inside = this.#notSlash
    return ends | ((inside + (ends & inside)) ^ inside)
  }
}
