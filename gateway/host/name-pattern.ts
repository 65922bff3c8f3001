import { canonicalName } from '../http/address.js'

/**
 * Patterns of names: `*` stands for any characters of one segment, none included, `**` for any characters, slashes
 * included. Everything else stands for itself. `logs/*` covers `logs/today` and not `logs/a/b`; `logs/**` covers both.
 */
export class NamePattern {
  /** As it was written. */
  readonly source: string
  /** Literals and runs of stars, alternating. */
  readonly #pieces: readonly string[]

  constructor(source: string) {
    this.source = source
    // Half of a surrogate pair has no escape, and no name has the character that stands for it.
    this.#pieces = canonicalName(source.replace(/\p{Cs}/gu, '\ufffd'))
      .split(/(\*+)/)
      .filter((piece) => piece !== '')
  }

  /**
   * @param name in the spelling of `Join.name`
   *
   * The time is at most the product of both lengths, whatever the pattern: it may come from a token, so no backtracking.
   */
  covers(name: string): boolean {
    // The positions in the name where a match of the pieces so far can end.
    let ends = new Uint8Array(name.length + 1)
    ends[0] = 1
    for (const piece of this.#pieces) ends = advance(ends, piece, name)
    return ends[name.length] === 1
  }
}

function advance(ends: Uint8Array, piece: string, name: string): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(ends.length)
  if (piece.startsWith('*')) {
    const stopsAtSlash = piece.length === 1
    for (let at = 0; at < ends.length; at++) {
      const goesOn = at > 0 && next[at - 1] === 1 && !(stopsAtSlash && name[at - 1] === '/')
      next[at] = ends[at] === 1 || goesOn ? 1 : 0
    }
    return next
  }
  for (let at = 0; at + piece.length < ends.length; at++) {
    if (ends[at] === 1 && name.startsWith(piece, at)) next[at + piece.length] = 1
  }
  return next
}
