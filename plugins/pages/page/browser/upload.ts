import { type Outcome, outcomeOf } from '../sender-status.js'

export interface UploadEvents {
  /** So much has left the browser. */
  moved(bytes: number): void
  /** All that the gateway has answered so far. */
  said(text: string): void
  /** Undefined: the connection ended, and nobody said why. */
  over(outcome: Outcome | undefined): void
}

/**
 * A body on its way. A browser reads a file while it sends it and never has all of it in memory, but over HTTP/1.1 it hands out
 * the answer only when it has sent everything: what happens meanwhile is told by `?progress`. Not by `fetch`, which does not say
 * how much it has sent, and forgets what it has read of a response that is cut.
 */
export class Upload {
  readonly #request = new XMLHttpRequest()

  constructor(
    readonly address: string,
    readonly body: Blob | string,
    headers: Readonly<Record<string, string>>,
    readonly on: UploadEvents,
  ) {
    const request = this.#request
    let text = ''
    request.open('PUT', address)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.addEventListener('progress', ({ loaded }) => on.moved(loaded))
    request.addEventListener('progress', () => {
      text = request.responseText
      on.said(text)
    })
    request.addEventListener('load', () => {
      on.said(request.responseText)
      on.over(outcomeOf(request.status, request.responseText))
    })
    // A response that is cut is an error, whose text only the events before it had.
    request.addEventListener('error', () => on.over(outcomeOf(0, text)))
    request.send(body)
  }

  cancel(): void {
    this.#request.abort()
  }
}

/** A file's name for receivers, in both spellings: RFC 6266 section 5. */
export function dispositionOf(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const full = encodeURIComponent(name.replace(/\p{Cs}/gu, '_')).replace(
    /['()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${full}`
}
