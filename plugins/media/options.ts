/** What the query of the two pages says. A value that means nothing is refused, and not replaced by another one. */
import { Parameters, Refusal } from '../../gateway/host/plugin-api.js'

/** How a name is shared out: to whoever comes, or to so many. */
export interface Audience {
  /** Undefined: not said. */
  readonly live: boolean | undefined
  readonly n: number | undefined
  readonly wait: number | undefined
}

export const SOURCES = ['screen', 'camera', 'microphone'] as const
export const SURFACES = ['monitor', 'window', 'browser'] as const
export const QUALITIES = ['low', 'medium', 'high'] as const
export const SOUNDS = ['own', 'microphone', 'both', 'none'] as const

export interface Capture extends Audience {
  readonly source: (typeof SOURCES)[number] | undefined
  readonly surface: (typeof SURFACES)[number] | undefined
  readonly quality: (typeof QUALITIES)[number] | undefined
  /** `own`: of the source itself, which for a camera is the microphone. */
  readonly audio: (typeof SOUNDS)[number] | undefined
  readonly fps: number | undefined
}

const MOST_RECEIVERS = 256
const MOST_WAIT_S = 3600
const MOST_FPS = 60

type Checked<T> = { readonly [K in keyof T]: T[K] | Refusal }

export function audienceOf(query: string): Audience | Refusal {
  return allOf<Audience>(audience(new Parameters(query)))
}

export function captureOf(query: string): Capture | Refusal {
  const parameters = new Parameters(query)
  return allOf<Capture>({
    ...audience(parameters),
    source: parameters.word('source', SOURCES),
    surface: parameters.word('surface', SURFACES),
    quality: parameters.word('quality', QUALITIES),
    audio: soundOf(parameters),
    fps: parameters.integer('fps', 1, MOST_FPS),
  })
}

function audience(parameters: Parameters): Checked<Audience> {
  return {
    live: parameters.switch('live'),
    n: parameters.integer('n', 1, MOST_RECEIVERS),
    wait: parameters.integer('wait', 1, MOST_WAIT_S),
  }
}

/** A switch, or one of the words. */
function soundOf(parameters: Parameters): Capture['audio'] | Refusal {
  const word = parameters.word('audio', SOUNDS)
  if (!(word instanceof Refusal)) return word
  const isOn = parameters.switch('audio')
  return isOn instanceof Refusal ? word : isOn ? 'own' : 'none'
}

function allOf<T extends object>(found: Checked<T>): T | Refusal {
  return (Object.values(found).find((each) => each instanceof Refusal) as Refusal | undefined) ?? (found as T)
}
