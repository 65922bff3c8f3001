/** Brings the page that sends to life. */
import { Announcer } from '../../../page-kit/page/browser/announcer.js'
import {
  askForToken,
  hasToken,
  receiveSignature,
  refusalOf,
  requestHeaders,
} from '../../../page-kit/page/browser/credentials.js'
import { element, givenData, write } from '../../../page-kit/page/browser/elements.js'
import { formatBytes } from '../../../transfer-status/format.js'
import type { Snapshot } from '../../../transfer-status/snapshot.js'
import type { Outcome } from '../sender-status.js'
import { Attempt } from './attempt.js'
import { acceptNames } from './have-name.js'
import type { Item } from './items.js'
import { prefillOf } from './prefill.js'
import { Preparation } from './preparation.js'
import { SendForm } from './send-form.js'
import { Share } from './share.js'
import { drawStatus } from './status-card.js'

/** Giving somebody a link takes its time: as long as the gateway lets anybody wait. */
const MAX_WAIT_S = 3600

interface Given {
  readonly base: string
  readonly links: boolean
  readonly addresses: readonly string[]
  readonly mayAutostart: boolean
}

const { base, links, addresses, mayAutostart } = givenData<Given>()
const [form, sendButton, cancelButton, againButton, moreButton] = [
  element<HTMLFormElement>('#form'),
  element<HTMLButtonElement>('#send'),
  element<HTMLButtonElement>('#cancel'),
  element<HTMLButtonElement>('#try-again'),
  element<HTMLButtonElement>('#more'),
]
const announcer = new Announcer(element('#live'))
const share = new Share(addresses)
const prefill = prefillOf(location.search, mayAutostart)
/** Until it has begun by itself, once. */
let startsItself = prefill.autostart
let attempt: Attempt | undefined
let preparation: Preparation | undefined
/** Between the button and the first byte. */
let isStarting = false

const pathOf = ({ path }: SendForm) => `${base}/${path}`
const choice = new SendForm(prefill, showLink, prepare)

function showLink(form: SendForm, signature?: string): void {
  share.show({ path: pathOf(form), kind: form.kind, receivers: form.receivers, signature })
}

/** The files that are chosen are others. */
function prepare(items: readonly Item[]): void {
  preparation?.cancel()
  preparation = items.length === 0 || choice.singleFile !== undefined ? undefined : new Preparation(items)
  if (items.length > 0 && startsItself) void send()
}

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

/** What there is to do now: choose, wait for the outcome, or begin anew. */
function step(next: 'choose' | 'send' | 'over'): void {
  element('main').dataset.step = next
  form.hidden = next !== 'choose'
  element('#have').hidden = next !== 'choose'
  cancelButton.hidden = next !== 'send'
  moreButton.hidden = next !== 'over'
  if (next !== 'over') againButton.hidden = true
  sendButton.disabled = false
  if (next === 'choose') {
    element('main').dataset.phase = 'idle'
    write('title', 'Send · pipegate')
  } else element('#headline').focus()
}

function over(outcome: Outcome): void {
  if (outcome.kind === 'refused' && outcome.status === 401) {
    step('choose')
    askForToken()
    return
  }
  againButton.hidden = outcome.kind === 'delivered'
  moreButton.classList.toggle('primary', outcome.kind === 'delivered')
  step('over')
}

async function send(): Promise<void> {
  const problem = choice.problem()
  if (problem !== undefined) {
    step('choose')
    return write('#problem', problem)
  }
  if (isStarting) return
  isStarting = true
  startsItself = false
  sendButton.disabled = againButton.disabled = true
  write('#problem', '')
  try {
    await start(`${location.origin}${pathOf(choice)}`)
  } finally {
    isStarting = false
    sendButton.disabled = againButton.disabled = false
  }
}

async function start(url: string): Promise<void> {
  const found = await lookAt(url).catch(() => ({ problem: 'The gateway cannot be reached.' }))
  if ('problem' in found) {
    step('choose')
    if (found.problem === '401') askForToken()
    else write('#problem', found.problem)
    return
  }
  const needsLink = links && hasToken()
  showLink(choice, needsLink ? await receiveSignature(url).catch(() => undefined) : undefined)
  attempt?.leave()
  attempt = undefined
  write('#lines', '')
  element('#said').hidden = true
  write('#what', '')
  step('send')
  const body = await bodyToSend()
  if (body === undefined) return
  const fileName = prefill.filename !== '' ? prefill.filename : body instanceof File ? body.name : ''
  write('#what', body instanceof File ? `${fileName} · ${formatBytes(body.size)}` : 'Text')
  const n = choice.receivers === 1 ? '' : `&n=${choice.receivers}`
  const query = `?wait=${MAX_WAIT_S}${n}`
  attempt = new Attempt({ url, query, body, fileName, now: found.now, announcer, over })
  attempt.show()
}

/** Undefined when it cannot be had any more; the page says why then. */
async function bodyToSend(): Promise<File | string | undefined> {
  if (choice.kind === 'text') return choice.text
  const single = choice.singleFile
  if (single !== undefined) return single
  const archive = preparation!
  try {
    return await archive.shown()
  } catch {
    const { isCancelled } = archive
    preparation = new Preparation(choice.items)
    drawStatus(
      {
        phase: 'failed',
        headline: isCancelled ? 'Cancelled' : 'Not sent',
        sentence: isCancelled
          ? 'You stopped it before anything was sent.'
          : 'One of the files cannot be read any more. Choose them again.',
      },
      null,
      'Send',
      '',
    )
    over({ kind: isCancelled ? 'cancelled' : 'failed', why: '' })
    return undefined
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void send()
})
cancelButton.addEventListener('click', () => {
  if (attempt === undefined) preparation?.cancel()
  else attempt.cancel()
})
againButton.addEventListener('click', () => void send())
moreButton.addEventListener('click', () => {
  attempt?.leave()
  attempt = undefined
  step('choose')
  choice.clear()
  element('#file').focus()
})
addEventListener('beforeunload', (event) => {
  if (isStarting || (attempt !== undefined && !attempt.isOver)) event.preventDefault()
})
acceptNames(base)
if (startsItself && choice.kind === 'text') void send()
