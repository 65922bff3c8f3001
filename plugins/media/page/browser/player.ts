/** Brings the player to life. */
import { Announcer } from '../../../page-kit/page/browser/announcer.js'
import { copyButton } from '../../../page-kit/page/browser/copy-button.js'
import { askForToken, refusalOf, requestHeaders } from '../../../page-kit/page/browser/credentials.js'
import { element, givenData, show as reveal, write } from '../../../page-kit/page/browser/elements.js'
import type { DisplayState } from '../../../page-kit/page/display-state.js'
import { formatBytes, formatDuration } from '../../../transfer-status/format.js'
import type { Receipt } from '../../../transfer-status/snapshot.js'
import { describe } from '../container/finding.js'
import { type PlayerState, playerStatus } from '../player-status.js'
import { chooseTarget, fileNameOf, keep } from './keep.js'
import { Source } from './media-buffer.js'
import { NameFollower } from './name-follower.js'
import { type Bytes, type Opening, readOpening } from './opening.js'
import { Screening } from './screening.js'
import { addressOf, senderIsThere } from './stream-address.js'

const { name, query } = givenData<{ readonly name: string; readonly query: string }>()
const address = `${location.origin}${location.pathname}`
const video = element<HTMLVideoElement>('#video')
const announcer = new Announcer(element('#live'))

/** A stream that this page has asked for, until it is over. */
interface Showing {
  readonly abort: AbortController
  readonly screening: Screening
  transferId: string | null
  reader?: ReadableStreamDefaultReader<Bytes>
  opening?: Opening
  file?: string
}

let state: PlayerState = { kind: 'ready' }
let showing: Showing | undefined
/** How a transfer ended that the gateway has told of, by its id: a proxy may make a stream that was cut look complete. */
const failures = new Map<string, string>()
let said = ''
/** Of what has come there is so little left, in seconds, that it is over. */
const NOTHING = 0.3

const follower = new NameFollower(`${address}?progress&${query}`, draw, noteFailure, (status) => {
  if (status === 401) askForToken()
})

function noteFailure({ transferId, state: outcome, message }: Receipt): void {
  if (outcome === 'failed') failures.set(transferId, message ?? 'The stream failed.')
  if (showing?.transferId === transferId && outcome === 'failed' && isEnding()) cutOff(showing)
}

const isEnding = () => state.kind === 'ended'

function draw(): void {
  const { phase, headline, sentence } = playerStatus(state, follower.shown)
  const open = state.kind === 'playing' || state.kind === 'paused' || state.kind === 'waiting' ? state : undefined
  element('main').dataset.phase = phase
  element('main').dataset.step = state.kind
  element('main').dataset.air = String(open?.isLive === true && state.kind === 'playing')
  element('main').dataset.busy = String(['asking', 'opening', 'saving'].includes(state.kind))
  write('#headline', headline)
  write('#sentence', sentence)
  if (state.kind !== 'saving') write('#figure', open?.isLive === true && open.lag > 0 ? lagText(open.lag) : '')
  write('title', `${headline} · ${name}`)
  if (state.kind === 'ready') write('#details', contentsOf(follower.shown))
  reveal('#play', canBegin())
  reveal('#edge', open?.isLive === true && showing?.screening.isFollowing === false)
  reveal('#stop', showing !== undefined && state.kind !== 'ended' && !canBegin())
  reveal('#keep', state.kind === 'other')
  const told = `${headline}. ${state.kind === 'playing' ? '' : sentence}`
  if (told !== said && state.kind !== 'ready') announcer.say(told, Date.now())
  said = told
}

/** What the sender says of it: `talk.webm · 2.1 MB · video/webm`. */
function contentsOf(shown: DisplayState | null): string {
  if (shown === null || !shown.hasSender) return ''
  const { fileName, mediaType, totalBytes } = shown
  return [fileName, totalBytes === null ? null : formatBytes(totalBytes), mediaType]
    .filter((each) => each !== null)
    .join(' · ')
}

/** There is nothing on the screen, or what there was is over. */
function canBegin(): boolean {
  if (state.kind === 'cut') return state.isOver
  return ['ready', 'stopped', 'ended', 'refused', 'broken', 'saved', 'unsaved', 'middle'].includes(state.kind)
}

const lagText = (lag: number) =>
  `${lag < 10 ? lag.toFixed(1) : formatDuration(Math.floor(lag))}${lag < 10 ? ' s' : ''} behind`

function become(next: PlayerState): void {
  state = next
  draw()
}

async function play(): Promise<void> {
  end()
  if (Source === undefined) return become({ kind: 'refused', why: 'This browser plays no streams. Another one does.' })
  write('#problem', '')
  write('#details', '')
  const mine: Showing = { abort: new AbortController(), screening: new Screening(video, draw), transferId: null }
  showing = mine
  mine.screening.changed = () => showing === mine && follow(mine)
  become({ kind: 'asking' })
  try {
    await receive(mine)
  } catch (error) {
    if (showing !== mine) return
    if (error instanceof Refused) finish({ kind: 'refused', why: error.message })
    else if (mine.screening.error !== null)
      finish({ kind: 'broken', why: `This browser cannot play on: ${mine.screening.error}.` })
    else cutOff(mine)
  }
}

class Refused extends Error {}

async function receive(mine: Showing): Promise<void> {
  const { signal } = mine.abort
  await senderIsThere(query, follower, signal)
  const response = await fetch(addressOf(address, query, follower.shown), {
    headers: requestHeaders(),
    cache: 'no-store',
    signal,
  }).catch((error: unknown) => {
    if (signal.aborted) throw error
    throw new Refused('The gateway cannot be reached.')
  })
  if (response.status === 401) {
    finish({ kind: 'ready' })
    return askForToken()
  }
  if (!response.ok || response.body === null) throw new Refused(await refusalOf(response))
  mine.transferId = response.headers.get('X-Pipe-Transfer-Id')
  mine.file = fileNameOf(response.headers, name)
  const isLive = response.headers.has('X-Pipe-Live')
  become({ kind: 'opening' })
  const reader = response.body.getReader()
  mine.reader = reader
  const opening = await readOpening(reader)
  mine.opening = opening
  const { finding } = opening
  const isMiddle = Number(response.headers.get('X-Pipe-Offset') ?? 0) > 0
  if (finding.kind === 'other' && isMiddle && finding.isAnywhere !== true) return finish({ kind: 'middle' })
  if (finding.kind === 'other') return offer(finding.what, finding.isMedia, isLive, finding.remedy)
  write('#details', describe(finding))
  element('#stage').dataset.kind = finding.mime.startsWith('audio') ? 'audio' : 'video'
  if (!Source!.isTypeSupported(finding.mime))
    return offer(`${describe(finding)}, which this browser does not play`, true, isLive)
  await mine.screening.run(finding.mime, isLive, opening, reader)
  if (showing === mine) follow(mine)
}

/** What is no stream for a player is held as it is: whoever takes it now gets it from its first byte. */
function offer(what: string, isMedia: boolean, isLive: boolean, remedy = ''): void {
  // Whose receivers are counted has this one: another program would be one too many.
  const program = isLive
    ? 'A player program may play it: see below.'
    : 'A player program may play it, when it is sent again: see below.'
  const elsewhere = isMedia ? `Save it as a file. ${program}` : 'You can save it as a file.'
  become({ kind: 'other', what, remedy: remedy === '' ? elsewhere : `${remedy} ${elsewhere}` })
}

/** The page says what the player does. */
function follow(mine: Showing): void {
  const { screening } = mine
  if (state.kind === 'cut') {
    const isOver = screening.ahead < NOTHING
    if (isOver !== state.isOver) become({ ...state, isOver })
    return
  }
  if (!['opening', 'playing', 'paused', 'waiting'].includes(state.kind)) return
  if (screening.isOver) {
    const why = mine.transferId === null ? undefined : failures.get(mine.transferId)
    if (why === undefined) become({ kind: 'ended', seconds: screening.seconds })
    else cutOff(mine)
  } else if (screening.hasBegun) become({ kind: screening.doing, isLive: screening.isLive, lag: screening.lag })
}

/** A stream that was cut never looks complete: what has come is played, and the page says so from now on. */
function cutOff(mine: Showing): void {
  const known = mine.transferId === null ? undefined : failures.get(mine.transferId)
  const why = known ?? 'The stream was cut.'
  const { hasBegun, isOver, ahead } = mine.screening
  become({ kind: 'cut', why, isOver: !hasBegun || isOver || ahead < NOTHING })
}

function finish(next: PlayerState): void {
  end()
  become(next)
}

/** Gives the place back. */
function end(): void {
  showing?.abort.abort()
  showing?.screening.close()
  showing = undefined
}

async function save(): Promise<void> {
  const mine = showing
  if (mine?.reader === undefined || mine.opening === undefined) return
  const file = mine.file || 'stream'
  const target = await chooseTarget(file).catch(() => undefined)
  if (target === undefined) return
  become({ kind: 'saving', file })
  try {
    await keep(mine.opening, mine.reader, target, (bytes) => write('#figure', formatBytes(bytes)))
    finish({ kind: 'saved', file })
  } catch {
    if (showing === mine) finish({ kind: 'unsaved' })
  }
}

element('#play').addEventListener('click', () => void play())
element('#stop').addEventListener('click', () => finish({ kind: 'stopped' }))
element('#keep').addEventListener('click', () => void save())
element('#edge').addEventListener('click', () => showing?.screening.toEdge())
element('#token').addEventListener('change', () => {
  write('#problem', '')
  follower.again()
})
const command = `ffplay '${addressOf(address, query, null).replaceAll("'", '%27')}'`
write('#command', command)
copyButton(element('#copy-command'), () => command)
draw()
