/** Brings the capture page to life. */
import { Announcer } from '../../../page-kit/page/browser/announcer.js'
import { askForToken, hasToken, receiveSignature } from '../../../page-kit/page/browser/credentials.js'
import { element, show as reveal, write } from '../../../page-kit/page/browser/elements.js'
import { type CaptureState, type Counted, captureDetails, captureStatus, clock } from '../capture-status.js'
import { Broadcast } from './broadcast.js'
import { formProblem, given, prepareForm, receivers, wish } from './capture-form.js'
import { bitsOf, type Captured, capture, whyNot } from './devices.js'
import { Invitation } from './invitation.js'
import { NameFollower } from './name-follower.js'
import { canStream } from './sending.js'
import { SoundLevel } from './sound-level.js'

/** As long as the gateway lets anybody wait. */
const MAX_WAIT_S = 3600
const TICK_MS = 250
/** The speed is that of the last seconds. */
const SAMPLES = 12

const address = `${location.origin}${location.pathname}`
const video = element<HTMLVideoElement>('#video')
const announcer = new Announcer(element('#live'))
const invitation = new Invitation(given.name)
const isLater = !canStream()

let state: CaptureState = { kind: 'choosing' }
let taken: Captured | undefined
let level: SoundLevel | undefined
let broadcast: Broadcast | undefined
let peak = 0
let samples: number[] = []
let said = ''

const follower = new NameFollower(
  `${address}?progress`,
  changed,
  (receipt) => broadcast?.ended(receipt),
  (status) => {
    if (status === 401) askForToken()
  },
)

function changed(): void {
  const { shown } = follower
  if (broadcast !== undefined && shown?.state === 'streaming' && shown.transferId === broadcast.transferId) {
    if (state.kind === 'waiting') become({ kind: 'on-air', isLater: false, isLive: false })
    broadcast.recording.start()
    peak = Math.max(peak, shown.activeReceivers)
  }
  draw()
}

function counted(): Counted {
  const recording = broadcast?.recording
  const speed = samples.length < 2 ? 0 : (samples.at(-1)! - samples[0]!) / (((samples.length - 1) * TICK_MS) / 1000)
  return {
    seconds: recording?.seconds ?? 0,
    sent: recording?.sent ?? 0,
    queued: recording?.queued ?? 0,
    leftOut: recording?.leftOut ?? 0,
    speed,
    peak,
  }
}

function draw(): void {
  const numbers = counted()
  const { phase, headline, sentence } = captureStatus(state, follower.shown, numbers)
  const isRunning = state.kind === 'on-air' || state.kind === 'sending' || state.kind === 'waiting'
  element('main').dataset.phase = phase
  element('main').dataset.step = state.kind
  element('main').dataset.air = String(state.kind === 'on-air')
  element('main').dataset.busy = String(state.kind === 'asking')
  write('#headline', headline)
  write('#sentence', sentence)
  write('#figure', state.kind === 'on-air' ? clock(numbers.seconds) : '')
  write('#details', isRunning ? captureDetails(numbers) : '')
  write('title', `${state.kind === 'on-air' ? `${clock(numbers.seconds)} · ` : ''}${headline} · ${given.name}`)
  reveal('#form', state.kind === 'choosing' || state.kind === 'asking' || state.kind === 'preview')
  reveal('#choices', state.kind !== 'preview')
  reveal('#turn-on', state.kind !== 'preview')
  reveal('#start', state.kind === 'preview')
  reveal('#back', state.kind === 'preview')
  reveal('#stop', isRunning)
  reveal('#again', state.kind === 'ended' || state.kind === 'failed')
  element<HTMLButtonElement>('#turn-on').disabled = state.kind === 'asking'
  write('#stop', state.kind === 'on-air' ? 'Stop' : 'Cancel')
  // The clock is not read out.
  const told = `${headline}. ${sentence}`
  if (told !== said && state.kind !== 'choosing') announcer.say(told, Date.now())
  said = told
}

function become(next: CaptureState): void {
  state = next
  draw()
}

async function turnOn(): Promise<void> {
  write('#problem', '')
  become({ kind: 'asking' })
  const wished = wish()
  try {
    taken = await capture(wished)
  } catch (error) {
    write('#problem', whyNot(error, wished.source))
    return become({ kind: 'choosing' })
  }
  const { stream } = taken
  const isSound = wished.source === 'microphone'
  element('#stage').dataset.kind = isSound ? 'audio' : 'video'
  write('#hint', isSound ? 'The bar moves when you are heard' : '')
  element('#stage').dataset.mirror = String(wished.source === 'camera')
  video.srcObject = stream
  video.play().catch(() => {})
  if (stream.getAudioTracks().length > 0) level = new SoundLevel(stream, element<HTMLMeterElement>('#level'))
  // The browser has a button of its own that ends it.
  for (const track of stream.getTracks()) track.addEventListener('ended', () => stop())
  become({ kind: 'preview' })
}

async function start(): Promise<void> {
  const problem =
    formProblem() ?? (follower.shown?.hasSender ? 'Somebody is sending under this name already.' : undefined)
  write('#problem', problem ?? '')
  if (problem !== undefined || taken === undefined) return
  const { stream } = taken
  const mine = new Broadcast({
    address,
    receivers: receivers(),
    wait: given.asked.wait ?? MAX_WAIT_S,
    stream,
    bits: bitsOf(wish()),
    fileName: `${wish().source} ${new Date().toISOString().slice(0, 16).replace(/[T:]/g, '-')}`,
    isLater,
  })
  broadcast = mine
  peak = 0
  samples = []
  void invite()
  const isAtOnce = isLater || receivers() === undefined || follower.shown === null
  if (isAtOnce) mine.recording.start()
  become(isAtOnce ? { kind: 'on-air', isLater, isLive: receivers() === undefined } : { kind: 'waiting' })
  const failure = await mine.run()
  if (broadcast !== mine) return
  release()
  become(failure === undefined ? { kind: 'ended', isLater } : { kind: 'failed', why: failure })
}

/** What runs ends as it should; what has not begun is given up. */
function stop(): void {
  if (state.kind === 'preview') back()
  else if (state.kind === 'on-air') broadcast?.recording.stop()
  else if (state.kind === 'waiting' || state.kind === 'sending')
    broadcast?.fail('You stopped it before everybody had it.')
}

function back(): void {
  release()
  become({ kind: 'choosing' })
}

function release(): void {
  taken?.release()
  taken = undefined
  level?.end()
  level = undefined
  video.srcObject = null
  element('#stage').dataset.kind = 'video'
  write('#hint', 'Your picture is shown here first')
}

async function invite(): Promise<void> {
  const signature = given.links && hasToken() ? await receiveSignature(address).catch(() => undefined) : undefined
  invitation.show(address, receivers(), signature)
}

/** Why this page can do nothing here, as a sentence. */
function obstacle(): string | undefined {
  if (!isSecureContext)
    return 'Browsers give screens, cameras and microphones to pages from https only, and from this machine (localhost).'
  if (navigator.mediaDevices === undefined || typeof MediaRecorder === 'undefined')
    return 'This browser cannot record. Another one can.'
  return undefined
}

setInterval(() => {
  if (broadcast === undefined || state.kind !== 'on-air') return
  samples = [...samples, broadcast.recording.sent].slice(-SAMPLES)
  if (isLater && broadcast.isSending) become({ kind: 'sending' })
  draw()
}, TICK_MS)

const why = obstacle()
reveal('#later', isLater)
prepareForm(isLater, () => void invite())
element('#form').addEventListener('submit', (event) => {
  event.preventDefault()
  void (state.kind === 'preview' ? start() : turnOn())
})
element('#back').addEventListener('click', back)
element('#stop').addEventListener('click', stop)
element('#again').addEventListener('click', back)
element('#token').addEventListener('change', () => {
  write('#problem', '')
  follower.again()
})
addEventListener('beforeunload', (event) => {
  if (state.kind === 'on-air' || state.kind === 'sending') event.preventDefault()
})
become(why === undefined ? { kind: 'choosing' } : { kind: 'impossible', why })
