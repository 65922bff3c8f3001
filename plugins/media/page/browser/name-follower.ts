/** The state of a name, followed by `?progress`, for pages that are not about a transfer's figures. */

import { requestHeaders } from '../../../page-kit/page/browser/credentials.js'
import { type ConnectionStatus, Follower } from '../../../page-kit/page/browser/follower.js'
import { afterDone, afterProgress, afterState, type DisplayState } from '../../../page-kit/page/display-state.js'
import { IDLE } from '../../../transfer-status/idle.js'
import type { Figures, Receipt, Snapshot } from '../../../transfer-status/snapshot.js'

export class NameFollower {
  /** Null as long as nobody tells. */
  shown: DisplayState | null = null
  readonly #follower: Follower

  /**
   * @param url of `?progress`
   * @param changed something is different
   * @param done a transfer is over
   * @param refused with a status: the gateway does not tell
   */
  constructor(
    url: string,
    changed: () => void,
    done: (receipt: Receipt) => void,
    readonly refused: (status: number) => void,
  ) {
    const on = {
      event: (name: string, data: unknown) => {
        const before = this.shown ?? IDLE
        if (name === 'state') this.shown = afterState(before, data as Snapshot)
        else if (name === 'progress') this.shown = afterProgress(before, data as Figures)
        else if (name === 'done') {
          this.shown = afterDone(before, data as Receipt)
          done(data as Receipt)
        }
        changed()
      },
      link: (link: ConnectionStatus) => {
        if (link.kind === 'lost') this.#lost(link.status)
        changed()
      },
    }
    this.#follower = new Follower(url, on, requestHeaders)
    this.#follower.start()
  }

  again(): void {
    this.#follower.again()
  }

  #lost(status: number | undefined): void {
    this.shown = null
    if (status === undefined) return
    // Too many watch, or a proxy has lost the gateway: that passes.
    if (status === 401) this.#follower.pause()
    else if (status !== 429 && (status < 500 || status === 501)) this.#follower.end()
    this.refused(status)
  }
}
