/** How hard it is to find a name by trying. No DOM. */

/**
 * Below so many bits a name is easy to guess. An attacker who tries a thousand names a second for an hour has tried 2^22 of them, and
 * a name lives for minutes; but names of people are not drawn evenly, so that the estimate is on the careful side.
 */
const HARD = 38
const WORD = 8
const WORD_LETTERS = 8
const DIGIT = Math.log2(10)

/** Whether nobody will find it by trying names, as far as can be told from how it looks. What was drawn at random is hard anyway. */
export function isHardToGuess(name: string): boolean {
  const parts = new Set(name.toLowerCase().match(/\p{L}+|\p{N}+/gu) ?? [])
  let bits = 0
  for (const part of parts) bits += bitsOf(part)
  return bits >= HARD
}

/** A word is one of a few hundred that come to mind, however long it is; what is longer than a word may be something else. */
function bitsOf(part: string): number {
  const length = Math.min(part.length, 2 * new Set(part).size)
  if (/^\p{N}/u.test(part)) return length * DIGIT
  return Math.min(WORD, 4.7 * length) + 3 * Math.max(0, length - WORD_LETTERS)
}
