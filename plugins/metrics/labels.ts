/** What becomes a label: always one of few words, whatever a client or another plugin writes. */

const METHODS = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS'])

export function methodLabel(method: string): string {
  return METHODS.has(method) ? method : 'other'
}

/** `404` → `4xx`; `none` when the client left before anything was sent. */
export function statusLabel(status: number): string {
  return status >= 100 && status < 600 ? `${Math.floor(status / 100)}xx` : 'none'
}

/** More codes than all catalogues together have. */
const MAX_CODES = 256

/** Codes come from catalogues; a plugin that made them up as it goes must not make series without end. */
export class CodeLabels {
  readonly #known = new Set<string>()

  of(code: string): string {
    if (this.#known.has(code)) return code
    if (this.#known.size >= MAX_CODES || !/^[A-Z][A-Z0-9_]{0,99}$/.test(code)) return 'other'
    this.#known.add(code)
    return code
  }
}
