import { createHash, timingSafeEqual } from 'node:crypto'
import type { Grant } from '../grants/fields.js'

/** What one token allows. The token itself is nowhere. */
export interface TokenGrant extends Grant {
  /** SHA-256 of the token, 32 bytes. */
  readonly digest: Buffer
}

export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest()
}

/** All tokens that are known. */
export class TokenTable {
  /** @throws Error with one line, for a name or a token that stands there twice */
  constructor(readonly grants: readonly TokenGrant[]) {
    const names = new Set<string>()
    const digests = new Map<string, string>()
    for (const { name, digest } of grants) {
      if (names.has(name)) throw new Error(`found two tokens with the name "${name}"; give each a name of its own`)
      names.add(name)
      const other = digests.get(digest.toString('hex'))
      if (other !== undefined) throw new Error(`the tokens "${other}" and "${name}" are the same; take one of them out`)
      digests.set(digest.toString('hex'), name)
    }
  }

  /**
   * Always takes a digest and as many comparisons as there are tokens: neither how much of a token is right nor which one
   * it is can be told from the time.
   */
  find(token: string): TokenGrant | undefined {
    const digest = digestOf(token)
    let found = -1
    for (let i = 0; i < this.grants.length; i++) {
      found = timingSafeEqual(digest, this.grants[i]!.digest) ? i : found
    }
    return this.grants[found]
  }
}
