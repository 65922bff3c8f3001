/** What the user chooses: what is captured, and for whom. */
import { element, givenData, show as reveal, write } from '../../../page-kit/page/browser/elements.js'
import type { Capture } from '../asked.js'
import type { Wish } from './devices.js'

export const given = givenData<{ readonly name: string; readonly asked: Capture; readonly links: boolean }>()

const value = (selector: string) => element<HTMLInputElement | HTMLSelectElement>(selector).value
const checked = (name: string) => document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)!.value

const BUTTONS = {
  screen: 'Choose a screen',
  camera: 'Turn on the camera',
  microphone: 'Turn on the microphone',
}

export function wish(): Wish {
  const { fps, surface } = given.asked
  return {
    source: checked('source') as Wish['source'],
    audio: value('#audio') as Wish['audio'],
    quality: value('#quality') as Wish['quality'],
    fps: fps ?? 30,
    surface,
  }
}

/** How many receivers; undefined: whoever comes. */
export function receivers(): number | undefined {
  return checked('audience') === 'live' ? undefined : Number(value('#receivers'))
}

/** Why it cannot begin like this, as a sentence. */
export function formProblem(): string | undefined {
  const count = receivers()
  return count === undefined || (Number.isInteger(count) && count >= 1 && count <= 256)
    ? undefined
    : 'Viewers: 1 to 256.'
}

/** @param isLater it is sent when it is over: to so many, as whoever comes would find nothing */
export function prepareForm(isLater: boolean, changed: () => void): void {
  const live = element<HTMLInputElement>('#audience-live')
  if (isLater) {
    live.disabled = true
    element<HTMLInputElement>('#audience-counted').checked = true
  }
  if (navigator.mediaDevices !== undefined && !('getDisplayMedia' in navigator.mediaDevices)) {
    element<HTMLInputElement>('#source-screen').disabled = true
    if (checked('source') === 'screen') element<HTMLInputElement>('#source-camera').checked = true
  }
  const update = () => {
    const { source } = wish()
    write('#turn-on', BUTTONS[source])
    reveal('#audio-field', source !== 'microphone')
    reveal('#quality-field', source !== 'microphone')
    for (const option of document.querySelectorAll<HTMLOptionElement>('#audio option')) {
      option.hidden = option.disabled = option.dataset.of !== undefined && option.dataset.of !== source
    }
    const audio = element<HTMLSelectElement>('#audio')
    if (audio.selectedOptions[0]?.disabled) audio.value = source === 'camera' ? 'microphone' : 'own'
    reveal('#receivers', receivers() !== undefined)
    changed()
  }
  element('#form').addEventListener('input', update)
  update()
}
