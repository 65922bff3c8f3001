import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestView } from '../../gateway/host/plugin-api.js'

/** Whether a request may read the metrics. */
export class ScrapeAuth {
  readonly #digest: Buffer | undefined

  /** @param token undefined: every request may */
  constructor(token: string | undefined) {
    this.#digest = token === undefined ? undefined : digest(token)
  }

  /** What is wrong with the request, to stand in a sentence; undefined when it may read. */
  problem(request: RequestView): string | undefined {
    if (this.#digest === undefined) return undefined
    const given: string[] = []
    request.eachHeader((name, value) => {
      if (name === 'authorization') given.push(value)
    })
    // With two of them a proxy in front may have looked at the other one.
    if (given.length > 1) return `this request has ${given.length} Authorization headers`
    if (given.length === 0) return 'this request has none'
    const token = /^bearer +([\x21-\x7e]+)$/i.exec(given[0]!)?.[1]
    if (token === undefined) return 'this request has an Authorization header of another form'
    // Digests have one length, so that neither the length nor the first difference shows in the time.
    return timingSafeEqual(digest(token), this.#digest) ? undefined : 'this one is not it'
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
