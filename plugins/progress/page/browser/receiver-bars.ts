import type { DisplayState } from '../../../page-kit/page/display-state.js'
import { formatBytes, formatPercent, shareOf } from '../../../transfer-status/format.js'

/** More of them than anybody compares. */
const MOST = 32

/** A bar for each receiver, when there are several. */
export class ReceiverBars {
  readonly #card = document.querySelector<HTMLElement>('#each')!
  readonly #list = document.querySelector<HTMLElement>('#bars')!
  /** What each had last: who has left is told of by nobody. */
  #had: number[] = []

  show({ receiverBytes, totalBytes, state }: DisplayState): void {
    const isShown = receiverBytes !== null && state === 'streaming'
    this.#card.hidden = !isShown
    if (!isShown) {
      this.#had = []
      return
    }
    const shown = receiverBytes.slice(0, MOST)
    while (this.#list.children.length > shown.length) this.#list.lastElementChild!.remove()
    for (const [i, bytes] of shown.entries()) {
      if (bytes !== null) this.#had[i] = bytes
      this.#draw(this.#list.children[i] ?? this.#newBar(i), bytes !== null, this.#had[i], totalBytes)
    }
  }

  /** @param bytes undefined for one that had left before the page came */
  #draw(line: Element, isPresent: boolean, bytes: number | undefined, totalBytes: number | null): void {
    const share = shareOf(bytes ?? 0, totalBytes)
    const [bar, text] = [line.querySelector('progress')!, line.querySelector('output')!]
    line.classList.toggle('left', !isPresent)
    if (share === null && isPresent) bar.removeAttribute('value')
    else bar.value = share ?? 0
    const amount = share === null ? formatBytes(bytes ?? 0) : formatPercent(share)
    const words = isPresent ? amount : bytes === undefined ? 'left' : `left at ${amount}`
    if (text.value !== words) text.value = words
  }

  #newBar(i: number): Element {
    const line = document.createElement('li')
    const bar = document.createElement('progress')
    bar.max = 1
    bar.className = 'bar'
    bar.ariaLabel = `Receiver ${i + 1}`
    line.append(bar, document.createElement('output'))
    this.#list.append(line)
    return line
  }
}
