import { randomInt } from 'node:crypto'
import { WORDLIST } from '../../plugins/pages/wordlist.js'

/** Bits of randomness in one word: 8, since there are 256 of them. */
export const BITS_PER_WORD = Math.log2(WORDLIST.length)

/**
 * Words of a secret that encrypts: 48 bits. Who has the ciphertext can try one secret for each second of a processor and 256 MiB
 * of memory (scrypt, 2^18 rounds): half of all takes 4.5 million years of one processor. Four words, 32 bits, would be 68 years, an
 * afternoon for who rents enough of them.
 */
export const SECRET_WORDS = 6

/** Fewest bits that a secret is worth its name with. */
const FEWEST_BITS = 44

/** Words to be read aloud, `amber-otter-lantern-maple`, from the list of the pages: 8 bits each. */
export function newWords(count: number): string {
  return Array.from({ length: count }, () => WORDLIST[randomInt(WORDLIST.length)]).join('-')
}

/**
 * A secret to encrypt with.
 * @throws RangeError for fewer than 6 words
 */
export function newSecret(count = SECRET_WORDS): string {
  if (count * BITS_PER_WORD < FEWEST_BITS) {
    throw new RangeError(`${count} words are ${count * BITS_PER_WORD} bits; a secret has at least ${FEWEST_BITS}`)
  }
  return newWords(count)
}
