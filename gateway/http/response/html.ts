/** Templates for HTML in which every value is escaped. */

/** Text that is HTML already, made by `html` or `trustedHtml`. */
class Html {
  constructor(readonly text: string) {}
}

export type { Html }

/** What `html` accepts: text is escaped, lists are joined, absent values are left out. */
export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[]

/** Takes the text as it is. Never use it for anything that came from outside. */
export function trustedHtml(text: string): Html {
  return new Html(text)
}

/** A template whose values are escaped, in text and in quoted attributes: html`<a title="${name}">${name}</a>`. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.reduce((text, part, i) => text + textOf(values[i - 1]) + part))
}

function textOf(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(textOf).join('')
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
