import type { Announcer } from '../../../page-kit/page/browser/announcer.js'
import { requestHeaders } from '../../../page-kit/page/browser/credentials.js'
import { element, write } from '../../../page-kit/page/browser/elements.js'
import { formatBytes } from '../../../transfer-status/format.js'
import type { Receipt, Snapshot } from '../../../transfer-status/snapshot.js'
import { finalStatus, type Outcome, outcomeOfReceipt, senderStatus } from '../sender-status.js'
import { LiveTransfer } from './live-transfer.js'
import { detailsOf, drawStatus } from './status-card.js'
import { dispositionOf, Upload } from './upload.js'

/** How long the gateway may take to say what became of a connection that broke. */
const AFTERMATH_MS = 5000
const BLIND = 'This gateway does not show how it goes. It tells at the end: keep this page open.'

export interface AttemptOptions {
  /** Of the name. */
  readonly url: string
  /** With its question mark. */
  readonly query: string
  readonly body: File | string
  /** What receivers save it as; empty for a text without one. */
  readonly fileName: string
  /** The name as it was before; undefined when that cannot be seen. */
  readonly now: Snapshot | undefined
  readonly announcer: Announcer
  over(outcome: Outcome): void
}

/** One stream, from its first byte to its outcome. */
export class Attempt {
  #outcome: Outcome | undefined
  #receipt: Receipt | null = null
  readonly #upload: Upload
  readonly #live: LiveTransfer | undefined
  /** For whom there is no live state. */
  #sent = 0

  constructor(readonly options: AttemptOptions) {
    const { url, query, body, fileName, now } = options
    const disposition = fileName === '' ? {} : { 'Content-Disposition': dispositionOf(fileName) }
    this.#upload = new Upload(
      `${url}${query}`,
      body,
      { ...disposition, ...requestHeaders() },
      {
        moved: (bytes) => {
          this.#sent = bytes
          if (this.#live === undefined) this.show()
        },
        said: (text) => {
          write('#lines', text)
          element('#said').hidden = text === ''
        },
        over: (outcome) => {
          if (outcome !== undefined) this.#end(outcome)
          else
            setTimeout(() => this.#end({ kind: 'failed', why: 'The connection to the gateway broke.' }), AFTERMATH_MS)
        },
      },
    )
    if (now === undefined) return
    const before = now.state === 'idle' ? now.last?.transferId : now.transferId
    this.#live = new LiveTransfer({
      url: `${url}?progress`,
      headers: requestHeaders,
      stale: before ?? null,
      changed: () => this.show(),
      done: (receipt) => {
        this.#receipt = receipt
        this.#end(outcomeOfReceipt(receipt))
        this.#live?.end()
        this.show()
      },
    })
  }

  /** Nothing of it is shown any more. */
  leave(): void {
    this.#live?.end()
  }

  get isOver(): boolean {
    return this.#outcome !== undefined
  }

  cancel(): void {
    this.#upload.cancel()
    this.#end({ kind: 'cancelled' })
  }

  show(): void {
    const view = this.#live?.view() ?? null
    if (this.#outcome !== undefined) {
      drawStatus(finalStatus(this.#outcome, this.#receipt), view, 'Send', '')
    } else if (this.#live === undefined || view === null) {
      drawStatus(
        { phase: 'waiting', headline: 'Sending', sentence: BLIND },
        null,
        'Send',
        this.#sent > 0 ? `${formatBytes(this.#sent)} have left this device.` : '',
      )
    } else {
      const status = senderStatus(view, this.#live.shown)
      drawStatus(status, view, 'Send', detailsOf(view, this.#live.shown))
      this.options.announcer.see({ ...view, phase: status.phase, fields: { ...view.fields, ...status } }, Date.now())
    }
  }

  /** The first word counts. */
  #end(outcome: Outcome): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    // What was delivered has its figures, in the other connection; and last words, in this one.
    if (outcome.kind !== 'delivered') {
      this.#live?.end()
      this.#upload.cancel()
    }
    this.show()
    this.options.over(outcome)
    const { headline, sentence } = finalStatus(outcome, this.#receipt)
    this.options.announcer.say(`${headline}. ${sentence}`, Date.now())
  }
}
