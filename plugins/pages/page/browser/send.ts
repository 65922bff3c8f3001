/** Brings the page that sends to life. */
import { Announcer } from '../../../page-kit/page/browser/announcer.js'
import { formatBytes } from '../../../transfer-status/format.js'
import type { Receipt, Snapshot } from '../../../transfer-status/snapshot.js'
import { finalStatus, type Outcome, outcomeOfReceipt, senderStatus } from '../sender-status.js'
import {
  askForToken,
  authorization,
  element,
  givenData,
  receiveSignature,
  refusalOf,
  requestHeaders,
  write,
} from './document.js'
import { LiveTransfer } from './live-transfer.js'
import { SendForm } from './send-form.js'
import { Share } from './share.js'
import { detailsOf, drawStatus } from './status-card.js'
import { dispositionOf, Upload } from './upload.js'

/** Giving somebody a link takes its time: as long as the gateway lets anybody wait. */
const MAX_WAIT_S = 3600
/** How long the gateway may take to say what became of a connection that broke. */
const AFTERMATH_MS = 5000

const { base, links } = givenData<{ readonly base: string; readonly links: boolean }>()
const [form, sendButton, cancelButton, moreButton] = [
  element<HTMLFormElement>('#form'),
  element<HTMLButtonElement>('#send'),
  element<HTMLButtonElement>('#cancel'),
  element<HTMLButtonElement>('#more'),
]
const announcer = new Announcer(element('#live'))
const share = new Share()
const addressOf = ({ path }: SendForm) => `${location.origin}${base}/${path}`
const choice = new SendForm((choice) => share.show(addressOf(choice), choice.kind, choice.receivers))
let attempt: Attempt | undefined

/** What stands in the way, before anything is sent; otherwise the name as it is, if that can be seen. */
async function lookAt(url: string): Promise<{ readonly problem: string } | { readonly now: Snapshot | undefined }> {
  const response = await fetch(`${url}?status`, { headers: requestHeaders(), cache: 'no-store' })
  if (response.status === 401) return { problem: '401' }
  // Not to be seen, or not by us: then we do without.
  if (response.status === 403 || response.status === 501) return { now: undefined }
  if (!response.ok) return { problem: await refusalOf(response) }
  const now = (await response.json()) as Snapshot
  const isBusy = now.state === 'streaming' || (now.state === 'waiting' && now.hasSender)
  if (isBusy) return { problem: 'Somebody is sending under this name already. Choose another one.' }
  if (now.state === 'waiting' && now.totalReceivers !== choice.receivers)
    return { problem: `Whoever waits under this name says that there are ${now.totalReceivers} receivers.` }
  return { now }
}

/** One stream, from its first byte to its outcome. */
class Attempt {
  #outcome: Outcome | undefined
  #receipt: Receipt | null = null
  readonly #upload: Upload
  readonly #live: LiveTransfer | undefined
  /** For whom there is no live state. */
  #sent = 0

  constructor(url: string, query: string, body: File | string, now: Snapshot | undefined) {
    const disposition = body instanceof File ? { 'Content-Disposition': dispositionOf(body) } : {}
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
      announcer.see({ ...view, phase: status.phase, fields: { ...view.fields, ...status } }, Date.now())
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
    if (outcome.kind === 'refused' && outcome.status === 401) {
      step('choose')
      askForToken()
      return
    }
    this.show()
    step('over')
    const { headline, sentence } = finalStatus(outcome, this.#receipt)
    announcer.say(`${headline}. ${sentence}`, Date.now())
  }
}

const BLIND = 'This gateway does not show how it goes. It tells at the end: keep this page open.'
/** What there is to do now: choose, wait for the outcome, or begin anew. */
function step(next: 'choose' | 'send' | 'over'): void {
  element('main').dataset.step = next
  form.hidden = next !== 'choose'
  cancelButton.hidden = next !== 'send'
  moreButton.hidden = next !== 'over'
  sendButton.disabled = false
  if (next === 'choose') {
    element('main').dataset.phase = 'idle'
    write('title', 'Send · pipegate')
  } else element('#headline').focus()
}

async function send(): Promise<void> {
  const problem = choice.problem()
  const body = choice.body
  if (problem !== undefined || body === undefined) return write('#problem', problem ?? '')
  sendButton.disabled = true
  write('#problem', '')
  const url = addressOf(choice)
  const found = await lookAt(url).catch(() => ({ problem: 'The gateway cannot be reached.' }))
  if ('problem' in found) {
    sendButton.disabled = false
    if (found.problem === '401') askForToken()
    else write('#problem', found.problem)
    return
  }
  const { kind, receivers } = choice
  const needsLink = links && 'Authorization' in authorization()
  share.show(url, kind, receivers, needsLink ? await receiveSignature(url).catch(() => undefined) : undefined)
  write('#lines', '')
  element('#said').hidden = true
  write('#what', body instanceof File ? `${body.name} · ${formatBytes(body.size)}` : 'Text')
  attempt = new Attempt(url, `?wait=${MAX_WAIT_S}${receivers === 1 ? '' : `&n=${receivers}`}`, body, found.now)
  attempt.show()
  step('send')
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void send()
})
cancelButton.addEventListener('click', () => attempt?.cancel())
moreButton.addEventListener('click', () => {
  attempt?.leave()
  attempt = undefined
  step('choose')
  choice.rename()
  element('#name').focus()
})
addEventListener('beforeunload', (event) => {
  if (attempt !== undefined && !attempt.isOver) event.preventDefault()
})
