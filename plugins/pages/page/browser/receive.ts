/** Brings the page that receives to life. */
import { Announcer } from '../../../page-kit/page/browser/announcer.js'
import { copyButton } from '../../../page-kit/page/browser/copy-button.js'
import {
  askForToken,
  hasToken,
  receiveSignature,
  refusalOf,
  requestHeaders,
} from '../../../page-kit/page/browser/credentials.js'
import { element, givenData, write } from '../../../page-kit/page/browser/elements.js'
import { contentsText } from '../contents.js'
import { expiredStatus, failedStatus, receiverStatus } from '../receiver-status.js'
import type { StatusText } from '../sender-status.js'
import { LiveTransfer } from './live-transfer.js'
import { receive } from './save.js'
import { detailsOf, drawStatus } from './status-card.js'

interface Given {
  readonly name: string
  readonly query: string
  readonly links: boolean
  readonly isText: boolean
  readonly autostart: boolean
}

const { name, query, links, isText, autostart } = givenData<Given>()
const [saveLink, showButton, stopButton, waitButton, tokenField] = [
  element<HTMLAnchorElement>('#save'),
  element<HTMLButtonElement>('#show'),
  element<HTMLButtonElement>('#stop'),
  element<HTMLButtonElement>('#wait-again'),
  element<HTMLInputElement>('#token'),
]
const address = `${location.origin}${location.pathname}`
const given = `&${query}`
const waitMs = Number(new URLSearchParams(query).get('wait')) * 1000 || 3_600_000
const announcer = new Announcer(element('#live'))

/** Who reads the stream: a download of the browser's own, of which only `?progress` tells, or the page. */
let asked: 'browser' | 'page' | undefined
/** Receivers have been seen since a download was asked for. */
let isSeen = false
/** How it ended. It stays until somebody asks for more, or another sender is there. */
let ended: StatusText | undefined
/** Of the transfer that ended so. */
let endedId: string | null = null
/** Until then it waits for a sender: Unix time in milliseconds. */
let waitsUntil = Date.now() + waitMs
let clicks = 0
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
  expire()
  const view = live.view()
  const blind = link === undefined || (link.kind === 'lost' && shown.state === 'idle')
  if (ended !== undefined) drawStatus(ended, null, name, '')
  else {
    const receiving = { asked: asked !== undefined, left: (waitsUntil - Date.now()) / 1000 }
    const status = blind ? unseen(link) : receiverStatus(view, shown, receiving)
    drawStatus(status, blind ? null : view, name, blind ? '' : detailsOf(view, shown))
    // Minutes pass, and are no news.
    const told = { ...status, sentence: status.sentence.replace(/(, | It waits )for another .*?\./, '.') }
    if (!blind) announcer.see({ ...view, phase: told.phase, fields: { ...view.fields, ...told } }, Date.now())
  }
  if (!blind) showContents()
  showActions()
}

/** Name, size and type first; after the end they are still those of what was here. */
function showContents(): void {
  const { shown } = live
  if (shown.state === 'idle' || shown.state === 'complete' || shown.state === 'failed') return
  const isKnown = shown.hasSender
  write('#file', (isKnown ? shown.fileName : null) ?? name)
  write('#under', shown.fileName === null || !isKnown ? 'Sent to you' : `Sent to you as ${name}`)
  write('#what', isKnown ? contentsText(shown) : '')
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
  const { state, receivers, transferId, hasSender } = live.shown
  if (ended !== undefined && hasSender && transferId !== endedId && asked === undefined) ended = undefined
  if (asked !== 'browser') return
  if (state !== 'idle' && receivers > 0) isSeen = true
  if (state === 'failed') end(failedStatus(live.shown, true))
  else if (state === 'complete' || (isSeen && receivers === 0)) asked = undefined
}

function end(status: StatusText): void {
  ended = status
  endedId = live.shown.transferId
  asked = undefined
  announcer.say(`${status.headline}. ${status.sentence}`, Date.now())
}

/** Nobody waits for ever. */
function expire(): void {
  const { state, hasSender } = live.shown
  const isWaiting = state === 'idle' || (state === 'waiting' && !hasSender)
  if (ended !== undefined || !isWaiting || asked === 'page' || Date.now() < waitsUntil) return
  end(expiredStatus())
  waitButton.hidden = false
  live.pause()
}

function showActions(): void {
  const isBusy = asked !== undefined
  saveLink.hidden = isBusy || !waitButton.hidden
  showButton.hidden = isBusy || !waitButton.hidden
  stopButton.hidden = asked !== 'page'
}

function ask(who: 'browser' | 'page'): void {
  asked = who
  isSeen = false
  ended = undefined
  waitsUntil = Date.now() + waitMs
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
    end({ phase: 'complete', headline: 'Received', sentence })
  } catch (error) {
    end({ phase: 'failed', headline: abort.signal.aborted ? 'Stopped' : 'Failed', sentence: reason(error) })
  } finally {
    asked = undefined
    show()
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
  link.href = `${address}?download${given}&sig=${encodeURIComponent(signature)}${numbered()}`
  link.download = ''
  link.click()
  ask('browser')
}

/** Somebody who asks again is not the browser that does so by itself, and has another address. */
function numbered(): string {
  return ++clicks === 1 ? '' : `&again=${clicks}`
}

saveLink.addEventListener('click', (event) => {
  if (!hasToken()) {
    saveLink.href = `?download${given}${numbered()}`
    ask('browser')
    return
  }
  event.preventDefault()
  void saveWithToken()
})
showButton.addEventListener('click', () => void read('text'))
stopButton.addEventListener('click', () => abort.abort())
waitButton.addEventListener('click', () => {
  waitButton.hidden = true
  ended = undefined
  waitsUntil = Date.now() + waitMs
  live.again()
  show()
  element('#headline').focus()
})
tokenField.addEventListener('change', () => {
  write('#problem', '')
  live.again()
})
copyButton(element('#copy-text'), () => element('#text').textContent ?? '')
show()
if (autostart && isText) void read('text')
else if (autostart) saveLink.click()
