/** Brings the page that receives to life. */
import { Announcer } from '../../../page-kit/page/browser/announcer.js'
import { copyButton } from '../../../page-kit/page/browser/copy-button.js'
import { contentsText } from '../contents.js'
import { receiverStatus } from '../receiver-status.js'
import type { StatusText } from '../sender-status.js'
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
import { receive } from './save.js'
import { detailsOf, drawStatus } from './status-card.js'

const { name, query, links } = givenData<{ readonly name: string; readonly query: string; readonly links: boolean }>()
const [saveLink, showButton, stopButton, tokenField] = [
  element<HTMLAnchorElement>('#save'),
  element<HTMLButtonElement>('#show'),
  element<HTMLButtonElement>('#stop'),
  element<HTMLInputElement>('#token'),
]
const address = `${location.origin}${location.pathname}`
const given = `&${query}`
const announcer = new Announcer(element('#live'))

/** Who reads the stream: a download of the browser's own, of which only `?progress` tells, or the page. */
let asked: 'browser' | 'page' | undefined
/** Receivers have been seen since a download was asked for. */
let isSeen = false
/** What the page itself knows of its stream's end. */
let ended: StatusText | undefined
let abort = new AbortController()

const live = new LiveTransfer({
  url: `${address}?progress${given}`,
  headers: requestHeaders,
  changed: show,
  refused,
})

function show(): void {
  const { link, shown } = live
  followDownload()
  const view = live.view()
  const blind = link === undefined || (link.kind === 'lost' && shown.state === 'idle')
  if (ended !== undefined) drawStatus(ended, null, name, '')
  else {
    const status = blind ? unseen(link) : receiverStatus(view, shown, asked !== undefined)
    drawStatus(status, blind ? null : view, name, blind ? '' : detailsOf(view, shown))
    if (!blind) write('#what', contentsText(shown))
    if (!blind) announcer.see({ ...view, phase: status.phase, fields: { ...view.fields, ...status } }, Date.now())
  }
  showActions()
}

/** What can be said of what is not shown. */
function unseen(link: typeof live.link): StatusText {
  if (asked !== undefined)
    return { phase: 'waiting', headline: 'Waiting', sentence: 'It begins when the sender is there.' }
  const why = link?.kind === 'lost' && link.status === undefined ? `${link.why} ` : ''
  return {
    phase: 'idle',
    headline: 'Receive',
    sentence: `${why}It begins when both sides are there. Nothing is stored on the way.`,
  }
}

/** Who may not watch, or cannot, may still receive. */
function refused(status: number, why: string): void {
  if (status === 401) {
    askForToken()
    live.pause()
    // Too many watch, or a proxy has lost the gateway: that passes.
  } else if (status !== 429 && (status < 500 || status === 501)) {
    live.end()
    if (status !== 403 && status !== 501) write('#problem', why)
  }
}

/** Nobody tells a page what becomes of a download: it is the receiver that comes, and goes. */
function followDownload(): void {
  if (asked !== 'browser') return
  const { state, receivers } = live.shown
  if (state !== 'idle' && receivers > 0) isSeen = true
  const isOver = state === 'complete' || state === 'failed'
  if (isOver || (isSeen && receivers === 0)) asked = undefined
}

function showActions(): void {
  const isBusy = asked !== undefined
  saveLink.hidden = isBusy
  showButton.hidden = isBusy
  stopButton.hidden = asked !== 'page'
}

function ask(who: 'browser' | 'page'): void {
  asked = who
  isSeen = false
  ended = undefined
  write('#problem', '')
  show()
}

/** The page reads the stream itself. */
async function read(wanted: 'text' | 'file'): Promise<void> {
  ask('page')
  element('#text-card').hidden = true
  abort = new AbortController()
  try {
    const { signal } = abort
    // As a download it would have a type also where its sender has said none, and that may be text.
    const response = await fetch(`${address}?${wanted === 'file' ? 'download' : ''}${given}`, {
      headers: requestHeaders(),
      cache: 'no-store',
      signal,
    })
    if (response.status === 401) return askForToken()
    if (!response.ok) throw new Refused(await refusalOf(response))
    const { file } = await receive(response, wanted, name, (text) => {
      element('#text-card').hidden = false
      write('#text', text)
    })
    const sentence = file === undefined ? 'All of it is here.' : `All of it was received, and saved as ${file}.`
    ended = { phase: 'complete', headline: 'Received', sentence }
  } catch (error) {
    ended = { phase: 'failed', headline: abort.signal.aborted ? 'Stopped' : 'Failed', sentence: reason(error) }
  } finally {
    asked = undefined
    show()
    if (ended !== undefined) announcer.say(`${ended.headline}. ${ended.sentence}`, Date.now())
  }
}

class Refused extends Error {}

function reason(error: unknown): string {
  if (abort.signal.aborted) return 'You stopped it. The sender has been told.'
  return error instanceof Refused ? error.message : 'The stream was cut: what is here is not all of it.'
}

/** With a token in the page the browser's own download gets a signed link, or is none. */
async function saveWithToken(): Promise<void> {
  const signature = links ? await receiveSignature(address).catch(() => undefined) : undefined
  if (signature === undefined) return read('file')
  const link = document.createElement('a')
  link.href = `${address}?download${given}&sig=${encodeURIComponent(signature)}`
  link.download = ''
  link.click()
  ask('browser')
}

saveLink.addEventListener('click', (event) => {
  if (!('Authorization' in authorization())) return ask('browser')
  event.preventDefault()
  void saveWithToken()
})
showButton.addEventListener('click', () => void read('text'))
stopButton.addEventListener('click', () => abort.abort())
tokenField.addEventListener('change', () => {
  write('#problem', '')
  live.again()
})
copyButton(element('#copy-text'), () => element('#text').textContent ?? '')
show()
