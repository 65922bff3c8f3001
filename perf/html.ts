/** The least of a template language: text is escaped, what is HTML already is not. */

/** HTML that is safe to put into a page. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A template whose values are escaped, unless they are HTML; arrays are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(parts.map((part, i) => part + (i < values.length ? asHtml(values[i]) : '')).join(''))
}

function asHtml(value: unknown): string {
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(asHtml).join('')
  return `${value ?? ''}`.replace(/[&<>"']/g, (character) => ESCAPES[character]!)
}

/** A value as JSON inside a script element, which nothing in it can end. */
export function jsonInScript(value: unknown): Html {
  return new Html(JSON.stringify(value).replaceAll('<', '\\u003c'))
}
