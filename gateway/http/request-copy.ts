import type { RequestView } from './request-view.js'

/** A copy of a request's head, which outlives the handler. */
export class CopiedRequest implements RequestView {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly remoteAddress: string
  readonly #headers: (readonly [name: string, value: string])[] = []

  /** @param wanted names of the headers to copy, in lower case; all of them when it is absent */
  constructor(request: RequestView, wanted?: ReadonlySet<string>) {
    this.method = request.method
    this.path = request.path
    this.query = request.query
    this.remoteAddress = request.remoteAddress
    request.eachHeader((name, value) => {
      if (wanted === undefined || wanted.has(name)) this.#headers.push([name, value])
    })
  }

  header(lowerCaseName: string): string {
    return this.#headers.find(([name]) => name === lowerCaseName)?.[1] ?? ''
  }

  eachHeader(visit: (name: string, value: string) => void): void {
    for (const [name, value] of this.#headers) visit(name, value)
  }
}
