/** Brings the dashboard to life. What it says is in `page-kit/page/view.ts`, which the server has drawn it with before. */
import { Announcer } from '../../../page-kit/page/browser/announcer.js'
import { copyButton } from '../../../page-kit/page/browser/copy-button.js'
import { type ConnectionStatus, Follower } from '../../../page-kit/page/browser/follower.js'
import { afterDone, afterProgress, afterState, type DisplayState } from '../../../page-kit/page/display-state.js'
import { iconOf } from '../../../page-kit/page/icon.js'
import { type View, viewOf } from '../../../page-kit/page/view.js'
import type { Figures, Receipt, Snapshot } from '../../../transfer-status/snapshot.js'
import { type SpeedHistory, SpeedLine } from '../speed-line.js'
import { Invitation } from './invitation.js'
import { Plot } from './plot.js'
import { ReceiverBars } from './receiver-bars.js'

const element = <E extends Element = HTMLElement>(selector: string): E => document.querySelector<E>(selector)!

const given = JSON.parse(element('#data').textContent!) as {
  readonly snapshot: Snapshot
  readonly name: string
  readonly base: string | null
}
const fields = new Map([...document.querySelectorAll<HTMLElement>('[data-field]')].map((at) => [at.dataset.field, at]))
const main = element('main')
const [bar, icon, favicon] = [
  element<HTMLProgressElement>('progress'),
  element<HTMLImageElement>('#icon'),
  element<HTMLLinkElement>('#favicon'),
]
const [notice, noticeText, chart] = [element('#notice'), element('#notice span'), element('#chart')]

const line = new SpeedLine()
const plot = new Plot(chart, (text) => write(element('#point'), text))
const bars = new ReceiverBars()
const invitation = new Invitation(given.base ?? '', given.name)
const announcer = new Announcer(element('#live'))

let shown: DisplayState = given.snapshot
let link: ConnectionStatus = { kind: 'live' }
/** Unix times in milliseconds: when bytes moved last, as far as that was seen, and when the last figures came. */
let movedAt: number | null = null
let updatedAt = Date.now()

const follower = new Follower(`${location.pathname}${location.search}&history`, {
  event(name, data) {
    const before = shown
    updatedAt = Date.now()
    if (name === 'state') shown = afterState(shown, data as Snapshot)
    else if (name === 'progress') shown = afterProgress(shown, data as Figures)
    else if (name === 'done') shown = afterDone(shown, data as Receipt)
    else if (name === 'history') line.load(data as SpeedHistory)
    if (shown.transferId !== before.transferId) {
      line.clear()
      movedAt = null
    }
    if (shown.bytes > before.bytes || (shown.state === 'streaming' && before.state !== 'streaming')) movedAt = updatedAt
    if (shown.state === 'streaming' && shown.speed !== null) line.add(shown.elapsed ?? 0, shown.speed)
    show()
    plot.draw(line)
  },
  link(next) {
    const wasLost = link.kind === 'lost'
    link = next
    if (wasLost && next.kind !== 'lost') announcer.say('Connected again.', Date.now())
    if (!wasLost && next.kind === 'lost') announcer.say(`${next.why} Trying again.`, Date.now())
    show()
    showLink()
  },
})

/** Between two events the clock goes on, as long as there is somebody to contradict it. */
function show(): void {
  const now = Date.now()
  const isRunning = shown.state === 'streaming' && link.kind === 'live'
  const elapsed = isRunning && shown.elapsed !== null ? shown.elapsed + (now - updatedAt) / 1000 : shown.elapsed
  const quietFor = isRunning && movedAt !== null ? (now - movedAt) / 1000 : null
  const view = viewOf({ ...shown, elapsed }, { quietFor, peak: line.peak }, now, formatTime)
  draw(view)
  bars.show(shown)
  if (shown.state === 'waiting') invitation.show(shown)
  // Nobody tells of what does not happen.
  if (view.phase === 'stalled' && elapsed !== null) {
    line.add(elapsed, 0)
    plot.draw(line)
  }
  if (link.kind !== 'lost') announcer.see(view, now)
}

function draw({ phase, share, fields: texts, title }: View): void {
  for (const [name, text] of Object.entries(texts)) write(fields.get(name), text)
  main.dataset.phase = phase
  write(document.querySelector('title')!, `${link.kind === 'lost' ? '? ' : ''}${title} · ${given.name}`)
  if (share === null) bar.removeAttribute('value')
  else bar.value = share
  bar.setAttribute(
    'aria-valuetext',
    share === null ? texts.bytes : `${Math.floor(share * 100)} %, ${texts.bytes} ${texts.bytesNote}`,
  )
  // The picture has steps of one percent: a new one is drawn only when it looks different.
  const picture = iconOf(phase, share === null ? null : Math.floor(share * 100) / 100)
  if (favicon.href !== picture) favicon.href = icon.src = picture
  chart.setAttribute(
    'aria-label',
    `Speed since the start. ${texts.speedLabel} ${texts.speed}, average ${texts.average}.`,
  )
}

function showLink(): void {
  const isLost = link.kind === 'lost'
  main.dataset.link = link.kind
  write(element('#link'), isLost ? 'Reconnecting' : 'Live')
  // A stream that has lived its time is renewed within a second: not worth a word.
  notice.hidden = link.kind !== 'lost' || (link.tries < 2 && link.retryAt - Date.now() < 1000)
  if (link.kind !== 'lost') return
  const seconds = Math.ceil((link.retryAt - Date.now()) / 1000)
  const next = seconds > 0 ? `in ${seconds} s` : 'now'
  write(noticeText, `${link.why} What you see is from ${formatTime(updatedAt)}. Trying again ${next}.`)
}

/** Touches the document only where it changes. */
function write(at: Element | undefined, text: string): void {
  if (at !== undefined && at.textContent !== text) at.textContent = text
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const dayAndTime = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
})

function formatTime(unixMs: number): string {
  const isToday = new Date(unixMs).toDateString() === new Date().toDateString()
  return (isToday ? timeOfDay : dayAndTime).format(unixMs)
}

function showCommand(): void {
  const address = `'${location.href.replaceAll("'", '%27')}'`
  const [command, curl] = [`pipegate watch ${address}`, `curl -N ${address}`]
  write(element('#command'), command)
  write(element('#curl'), curl)
  copyButton(element('#copy-curl'), () => curl)
  element('#terminal').hidden = false
  copyButton(element('#copy'), () => command)
}

element('#again').addEventListener('click', () => follower.again())
document.addEventListener('visibilitychange', () => plot.draw(line))
setInterval(() => {
  show()
  showLink()
}, 1000)
showCommand()
show()
follower.start()
