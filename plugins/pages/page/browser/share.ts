import { copyButton } from '../../../page-kit/page/browser/copy-button.js'
import { element, write } from './document.js'

/** Its own script defines it. */
declare const uqr: { renderSVG(text: string, options: { readonly border: number; readonly ecc: 'L' | 'M' }): string }

/** What the other side needs: a link, the same as a picture, and a command. */
export class Share {
  #link = ''
  #command = ''

  constructor() {
    copyButton(element('#copy-link'), () => this.#link)
    copyButton(element('#copy-command'), () => this.#command)
  }

  /**
   * @param address of the name, without a query
   * @param signature of a signed link, when one is needed
   */
  show(address: string, kind: 'file' | 'text', receivers: number, signature?: string): void {
    const more = [
      ...(receivers > 1 ? [`n=${receivers}`] : []),
      ...(signature === undefined ? [] : [`sig=${encodeURIComponent(signature)}`]),
    ]
    const query = more.length === 0 ? '' : `?${more.join('&')}`
    this.#link = `${address}?${['receive', ...(kind === 'text' ? ['text'] : []), ...more].join('&')}`
    this.#command = `curl ${kind === 'text' ? '' : '-OJ '}'${address}${query}'`
    write('#link', this.#link)
    write('#command', this.#command)
    write('#link-label', receivers > 1 ? `Open this link on ${receivers} devices` : 'Open this link')
    element<HTMLAnchorElement>('#link').href = this.#link
    this.#draw()
  }

  #draw(): void {
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
