import type { Host } from '../../gateway/host/plugin-api.js'
import type { Config } from './config.js'
import { grantOf } from './entries.js'
import type { FailureKey } from './failures.js'
import { fileStamp, readTokenFile } from './token-file.js'
import { type Grant, TokenTable } from './token-table.js'

/** How often the file is checked for changes. */
const CHECK_MS = 1000

/** The tokens of the configuration and of the file, as it is now. */
export class TokenStore {
  table: TokenTable
  readonly #host: Host<Config, FailureKey>
  readonly #fixed: readonly Grant[]
  readonly #file: string | undefined
  #stamp: string

  constructor(host: Host<Config, FailureKey>) {
    const { file } = host.config
    this.#host = host
    this.#file = file === undefined ? undefined : host.resolve(file)
    this.#fixed = host.config.tokens.map((entry) => grantOf(entry, process.env))
    this.#stamp = this.#stampNow()
    this.table = this.#read()
  }

  follow(): void {
    if (this.#file !== undefined) this.#host.every(CHECK_MS, () => this.#refresh())
  }

  #stampNow(): string {
    return this.#file === undefined ? '' : fileStamp(this.#file)
  }

  /** @throws Error with one line */
  #read(): TokenTable {
    const listed = this.#file === undefined ? [] : readTokenFile(this.#file)
    return new TokenTable([...this.#fixed, ...listed.map((entry) => grantOf(entry, process.env))])
  }

  #refresh(): void {
    // Before it is read, so that what is written meanwhile is read the next time.
    const stamp = this.#stampNow()
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    const { log } = this.#host
    try {
      this.table = this.#read()
      log.info({ tokens: this.table.grants.length }, 'the file of tokens has been read again')
    } catch (error) {
      log.error({ problem: (error as Error).message }, 'the file of tokens is broken; the tokens from before stay')
    }
  }
}
