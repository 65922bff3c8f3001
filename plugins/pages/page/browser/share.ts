import { copyButton } from '../../../page-kit/page/browser/copy-button.js'
import { element, write } from '../../../page-kit/page/browser/elements.js'
import { isLoopback, type Place, placesOf } from '../places.js'

/** Its own script defines it. */
declare const uqr: { renderSVG(text: string, options: { readonly border: number; readonly ecc: 'L' | 'M' }): string }

export interface Shared {
  /** The path of the name's address. */
  readonly path: string
  readonly kind: 'file' | 'text'
  readonly receivers: number
  /** Of a signed link, when one is needed. */
  readonly signature?: string | undefined
}

/** What the other side needs: a link, the same as a picture, and a command. */
export class Share {
  #link = ''
  #command = ''
  #shared: Shared = { path: '', kind: 'file', receivers: 1 }
  readonly #places: readonly Place[]
  #origin: string

  /** @param addresses of this machine, at which others reach the gateway */
  constructor(addresses: readonly string[]) {
    this.#origin = location.origin
    this.#places = placesOf(location, addresses)
    copyButton(element('#copy-link'), () => this.#link)
    copyButton(element('#copy-command'), () => this.#command)
    this.#offerPlaces()
    this.#offerSharing()
  }

  show(shared: Shared): void {
    this.#shared = shared
    const { path, kind, receivers, signature } = shared
    const more = [
      ...(receivers > 1 ? [`n=${receivers}`] : []),
      ...(signature === undefined ? [] : [`sig=${encodeURIComponent(signature)}`]),
    ]
    const query = more.length === 0 ? '' : `?${more.join('&')}`
    const address = `${this.#origin}${path}`
    this.#link = `${address}?${['receive', ...(kind === 'text' ? ['text'] : []), ...more].join('&')}`
    this.#command = `curl ${kind === 'text' ? '' : '-OJ '}'${address}${query}'`
    write('#link', this.#link)
    write('#command', this.#command)
    write('#share-title', receivers > 1 ? `Open this link on ${receivers} devices` : 'Open this link to receive')
    element<HTMLAnchorElement>('#link').href = this.#link
    element('#only-here').hidden = !isLoopback(new URL(this.#origin).hostname)
    this.#draw()
  }

  /** Where the page was opened by an address that leads nowhere on another device. */
  #offerPlaces(): void {
    const choices = this.#places.map(({ origin, label }) => {
      const field = document.createElement('input')
      Object.assign(field, { type: 'radio', name: 'place', value: origin, checked: origin === this.#origin })
      const text = document.createElement('span')
      text.textContent = label
      const choice = document.createElement('label')
      choice.append(field, text)
      return choice
    })
    const list = element('#places')
    list.append(...choices)
    list.hidden = choices.length === 0
    list.addEventListener('change', (event) => {
      this.#origin = (event.target as HTMLInputElement).value
      this.show(this.#shared)
    })
    write(
      '#only-here',
      `This link leads to ${location.hostname}: it works on this machine only. ${
        choices.length > 0
          ? 'Choose an address below for other devices in the same network.'
          : 'To let other devices in, start the gateway with --host 0.0.0.0.'
      }`,
    )
  }

  /** Only pages from https or this machine may share, and not every browser has somebody to share with. */
  #offerSharing(): void {
    const button = element<HTMLButtonElement>('#share-link')
    button.hidden = navigator.share === undefined
    // On a phone sharing is the way to everybody; at a desk it is one more.
    const isFirst = !button.hidden && matchMedia('(pointer: coarse)').matches
    element('.share-buttons').dataset.first = isFirst ? 'share' : 'copy'
    button.addEventListener('click', () => {
      // Rejects when somebody thinks better of it.
      navigator.share({ title: 'Something for you', url: this.#link }).catch(() => {})
    })
  }

  #draw(): void {
    const picture = element<HTMLImageElement>('#qr')
    try {
      picture.src = `data:image/svg+xml,${encodeURIComponent(uqr.renderSVG(this.#link, { border: 2, ecc: 'M' }))}`
      picture.hidden = false
    } catch {
      // No picture holds so much.
      picture.hidden = true
    }
  }
}
