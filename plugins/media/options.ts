/** What the query of the two pages says. A value that means nothing is refused, and not replaced by another one. */
import { Parameters, Refusal } from '../../gateway/host/plugin-api.js'
import { type Audience, type Capture, QUALITIES, SOUNDS, SOURCES, SURFACES } from './page/asked.js'

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
