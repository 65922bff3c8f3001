/**
 * HTML pages that a browser lets do nothing but what they were made for: scripts and styles run by a nonce that is new in
 * each answer, nothing comes from elsewhere, and every value is escaped.
 */
import { randomBytes } from 'node:crypto'
import { type Answer, PLAIN } from './answers.js'

/** Text that is HTML already. Made by `html`, and by `trustedHtml` for what this program wrote itself. */
class Html {
  constructor(readonly text: string) {}
}

export type { Html }

/** What `html` takes: text is escaped, lists are joined, what is absent leaves nothing. */
export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[]

/** Never for anything that came from outside: it is taken as it stands. */
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

export interface Page {
  readonly title: string
  readonly body: Html
  /** Default 200. */
  readonly status?: number
  /** What stands in the head besides title, character set and viewport. */
  readonly head?: Html
  /** Style sheets and classic scripts, as text. The scripts run in order, behind the body. */
  readonly styles?: readonly string[]
  readonly scripts?: readonly string[]
  /** For the scripts: `JSON.parse(document.getElementById('data').textContent)`. */
  readonly data?: unknown
  /** Who may show the page in a frame, as in CSP: `'self'`, `*`, `https://status.example`. Default: nobody. */
  readonly frameAncestors?: string
  /** Where its forms may go, as in CSP. Default: nowhere. */
  readonly formAction?: string
}

/** @throws TypeError on a script or style that would end its own element, or a CSP source that would end its directive */
export function htmlPage(page: Page): Answer {
  const { title, body, status = 200, head, styles = [], scripts = [], data } = page
  const nonce = randomBytes(18).toString('base64')
  const style = (text: string) => html`<style nonce="${nonce}">${within('style', text)}</style>\n`
  const script = (text: string) => html`<script nonce="${nonce}">${within('script', text)}</script>\n`
  const json = (text: string) => html`<script type="application/json" id="data">${trustedHtml(text)}</script>\n`
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${head}
${styles.map(style)}</head>
<body>
${body}
${data !== undefined && json(jsonInHtml(data))}${scripts.map(script)}</body>
</html>
`
  return { status, headers: pageHeaders(page, nonce), body: document.text }
}

function pageHeaders({ frameAncestors = "'none'", formAction = "'none'" }: Page, nonce: string): Answer['headers'] {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    `form-action ${source(formAction)}`,
    `frame-ancestors ${source(frameAncestors)}`,
  ]
  return [
    ['Content-Type', 'text/html; charset=utf-8'],
    ...PLAIN,
    ['Content-Security-Policy', policy.join('; ')],
    ['Referrer-Policy', 'no-referrer'],
  ]
}

/** JSON that no HTML parser takes for anything else: a `<` can stand only in its strings. */
function jsonInHtml(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

/** HTML has no way to escape within these elements. */
function within(element: 'script' | 'style', text: string): Html {
  const end = new RegExp(`</${element}|<!--`, 'i').exec(text)
  if (end !== null) throw new TypeError(`A <${element}> cannot contain "${end[0]}".`)
  return trustedHtml(text)
}

function source(text: string): string {
  if (!/^[\x21-\x2b\x2d-\x3a\x3c-\x7e ]+$/.test(text)) throw new TypeError(`"${text}" is no list of CSP sources.`)
  return text
}
