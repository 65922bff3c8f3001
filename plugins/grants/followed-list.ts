import type { Host } from '../../gateway/host/plugin-api.js'
import { fileStamp, type ListOf, readListFile } from './list-file.js'

/** How often the file is checked for changes. */
const CHECK_MS = 1000

export interface ListSources<Entry, Table> extends ListOf<Entry> {
  /** What the configuration lists. */
  readonly fixed: readonly Entry[]
  /** A file with more of them. */
  readonly file: string | undefined
  /** @throws Error with one line */
  tableOf(entries: readonly Entry[]): Table
}

/** What the configuration lists and what a file lists, as it is now. */
export class FollowedList<Entry, Table> {
  table: Table
  readonly #host: Pick<Host, 'every' | 'log'>
  readonly #sources: ListSources<Entry, Table>
  readonly #file: string | undefined
  #stamp: string
  #count = 0

  /** @throws Error with one line */
  constructor(host: Pick<Host, 'every' | 'log' | 'resolve'>, sources: ListSources<Entry, Table>) {
    this.#host = host
    this.#sources = sources
    this.#file = sources.file === undefined ? undefined : host.resolve(sources.file)
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
  #read(): Table {
    const listed = this.#file === undefined ? [] : readListFile(this.#file, this.#sources)
    const all = [...this.#sources.fixed, ...listed]
    const table = this.#sources.tableOf(all)
    this.#count = all.length
    return table
  }

  #refresh(): void {
    // Before it is read, so that what is written meanwhile is read the next time.
    const stamp = this.#stampNow()
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    const { log } = this.#host
    const { what } = this.#sources
    try {
      this.table = this.#read()
      log.info({ [what]: this.#count }, `the file of ${what} has been read again`)
    } catch (error) {
      log.error({ problem: (error as Error).message }, `the file of ${what} is broken; the ${what} from before stay`)
    }
  }
}
