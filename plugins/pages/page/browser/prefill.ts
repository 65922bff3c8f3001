/** What the address of a page has filled in beforehand: `?name=notes&n=2&text=hello&autostart`. */

const isOn = (value: string | null) => value !== null && !/^(0|false|no)$/i.test(value)

export interface Prefill {
  readonly name: string
  readonly n: string
  readonly text: string
  /** `file` or `text`; anything else is nobody's wish. */
  readonly mode: string
  /** What receivers shall save it as; empty for its own name. */
  readonly filename: string
  readonly autostart: boolean
}

/** @param mayAutostart the server has seen nothing that speaks against it */
export function prefillOf(query: string, mayAutostart: boolean): Prefill {
  const given = new URLSearchParams(query)
  const get = (name: string) => given.get(name) ?? ''
  return {
    name: get('name'),
    n: get('n'),
    text: get('text'),
    mode: get('mode'),
    filename: get('filename'),
    autostart: mayAutostart && isOn(given.get('autostart')),
  }
}
