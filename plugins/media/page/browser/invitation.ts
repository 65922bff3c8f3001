/** What viewers need: a link, the same as a picture, and a command. */
import { copyButton } from '../../../page-kit/page/browser/copy-button.js'
import { element, show as reveal, write } from '../../../page-kit/page/browser/elements.js'

/** Its own script defines it. */
declare const uqr: { renderSVG(text: string, options: { readonly border: number; readonly ecc: 'L' | 'M' }): string }

export class Invitation {
  #link = ''
  #command = ''

  constructor(readonly name: string) {
    copyButton(element('#copy-link'), () => this.#link)
    copyButton(element('#copy-command'), () => this.#command)
    reveal('#share', typeof navigator.share === 'function')
    // Who changes their mind has been told nothing wrong.
    element('#share').addEventListener('click', () => {
      navigator.share({ title: this.name, url: this.#link }).catch(() => {})
    })
  }

  /** @param address of the name, without a query @param receivers undefined: whoever comes */
  show(address: string, receivers: number | undefined, signature: string | undefined): void {
    const how = receivers === undefined ? ['live'] : receivers === 1 ? [] : [`n=${receivers}`]
    const more = [...how, ...(signature === undefined ? [] : [`sig=${encodeURIComponent(signature)}`])]
    this.#link = `${address}?${['video', ...more].join('&')}`
    this.#command = `ffplay '${address.replaceAll("'", '%27')}${more.length === 0 ? '' : '?'}${more.join('&')}'`
    write('#link', this.#link)
    element<HTMLAnchorElement>('#link').href = this.#link
    write('#command', this.#command)
    const picture = element<HTMLImageElement>('#qr')
    try {
      picture.src = `data:image/svg+xml,${encodeURIComponent(uqr.renderSVG(this.#link, { border: 3, ecc: 'M' }))}`
      picture.hidden = false
    } catch {
      // No picture holds so much.
      picture.hidden = true
    }
  }
}
