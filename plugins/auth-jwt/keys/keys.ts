import type { KeyObject } from 'node:crypto'
import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters } from 'jose'

/** Where the keys come from that tokens are checked with. */
export interface Keys {
  /** What a token's `alg` may be. Never `none`, and never HMAC beside the others. */
  readonly algorithms: readonly string[]
  /**
   * The key for a token. Nothing of the token has been proved yet: `kid` chooses among the keys that are there, and what
   * else its header says about keys (`jwk`, `jku`, `x5c`, `x5u`) is not looked at.
   *
   * @throws TokenProblem, KeysUnavailable
   */
  find(
    header: JWSHeaderParameters,
    jws: FlattenedJWSInput,
    signal: AbortSignal,
  ): Promise<CryptoKey | KeyObject | Uint8Array>
  /** Returns at once. */
  start(): void
  stop(): void
}

/** There is no key to check a token with, and it is not the token's fault. */
export class KeysUnavailable extends Error {
  constructor(
    /** In seconds; at least 1. */
    readonly retryAfter: number,
  ) {
    super('no key can be had')
  }
}
