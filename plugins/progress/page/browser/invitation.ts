import { copyButton } from '../../../page-kit/page/browser/copy-button.js'
import type { DisplayState } from '../../../page-kit/page/display-state.js'

/** Its own script defines it. */
declare const uqr: { renderSVG(text: string, options: { readonly border: number; readonly ecc: 'L' | 'M' }): string }

/** The link for who is missing while a name waits, and the same as a picture. */
export class Invitation {
  #link = ''
  readonly #card = document.querySelector<HTMLElement>('#invitation')

  /** @param base what stands before the name in an address */
  constructor(
    readonly base: string,
    readonly name: string,
  ) {
    const button = document.querySelector<HTMLButtonElement>('#copy-invitation')
    if (button !== null) copyButton(button, () => this.#link)
  }

  /** The receivers first: a sender that is missing waits for nobody. */
  show({ hasSender, receivers, totalReceivers, duplex }: DisplayState): void {
    // No page can be a peer.
    if (this.#card !== null) this.#card.hidden = duplex === true
    // A live stream is watched by whoever comes.
    const wanted = totalReceivers ?? receivers + 1
    const isForReceivers = hasSender || receivers < wanted
    const n = totalReceivers !== null && totalReceivers > 1 ? `&n=${totalReceivers}` : ''
    const link = isForReceivers
      ? `${location.origin}${location.pathname}?receive${n}`
      : `${location.origin}${this.base}/?name=${encodeURIComponent(this.name)}${n}`
    if (this.#card === null || link === this.#link) return
    this.#link = link
    this.#card.querySelector('#invitation-title')!.textContent = isForReceivers
      ? 'To receive, open this link'
      : 'To send, open this link'
    const at = this.#card.querySelector<HTMLAnchorElement>('#invitation-link')!
    at.href = at.textContent = link
    const picture = this.#card.querySelector<HTMLImageElement>('#qr')!
    try {
      picture.src = `data:image/svg+xml,${encodeURIComponent(uqr.renderSVG(link, { border: 2, ecc: 'M' }))}`
      picture.hidden = false
    } catch {
      // No picture holds so much.
      picture.hidden = true
    }
  }
}
