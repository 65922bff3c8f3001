/** What is captured: a screen, a camera or a microphone, as the browser gives it. */
import type { Capture } from '../asked.js'

export interface Wish {
  readonly source: NonNullable<Capture['source']>
  readonly audio: NonNullable<Capture['audio']>
  readonly quality: NonNullable<Capture['quality']>
  readonly fps: number
  readonly surface: Capture['surface']
}

/** Lines of the picture, and bits per second of picture and sound. */
export const QUALITY = {
  low: { height: 360, bits: 700_000 },
  medium: { height: 720, bits: 2_500_000 },
  high: { height: 1080, bits: 6_000_000 },
} as const
const SOUND_BITS = 128_000

export const bitsOf = ({ source, quality }: Wish): number =>
  source === 'microphone' ? SOUND_BITS : QUALITY[quality].bits

export interface Captured {
  readonly stream: MediaStream
  /** Gives the devices back. */
  release(): void
}

/** To be called while a click is handled. @throws DOMException when it is not given */
export async function capture(wish: Wish): Promise<Captured> {
  const { source, audio, quality, fps, surface } = wish
  const devices = navigator.mediaDevices
  if (source === 'microphone') return whole(await devices.getUserMedia({ audio: true }))
  const picture = { height: { ideal: QUALITY[quality].height }, frameRate: { ideal: fps } }
  if (source === 'camera') return whole(await devices.getUserMedia({ video: picture, audio: audio !== 'none' }))
  const screen = await devices.getDisplayMedia({
    video: {
      height: { max: QUALITY[quality].height },
      frameRate: { max: fps },
      ...(surface === undefined ? {} : { displaySurface: surface }),
    },
    audio: audio === 'own' || audio === 'both',
  })
  if (audio !== 'microphone' && audio !== 'both') return whole(screen)
  try {
    return mixed(screen, await devices.getUserMedia({ audio: true }))
  } catch (error) {
    stopAll(screen)
    throw error
  }
}

function whole(stream: MediaStream): Captured {
  return { stream, release: () => stopAll(stream) }
}

function stopAll(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}

/** A recording has one sound. */
function mixed(screen: MediaStream, voice: MediaStream): Captured {
  const context = new AudioContext()
  const together = context.createMediaStreamDestination()
  for (const each of [screen, voice]) {
    if (each.getAudioTracks().length > 0) context.createMediaStreamSource(each).connect(together)
  }
  return {
    stream: new MediaStream([...screen.getVideoTracks(), ...together.stream.getAudioTracks()]),
    release() {
      for (const each of [screen, voice]) stopAll(each)
      void context.close()
    },
  }
}

/** Why there is nothing, as a sentence. */
export function whyNot(error: unknown, source: Wish['source']): string {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError') return 'It was not allowed. Allow it in the address bar, or choose something else.'
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return `No ${source} was found.`
  if (name === 'NotReadableError') return `The ${source} cannot be read. Another program may be using it.`
  return `The browser gives no ${source}: ${error instanceof Error ? error.message : error}`
}
