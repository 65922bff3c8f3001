/**
 * HTML pages with a strict Content-Security-Policy: scripts and styles need a nonce that is new in each answer, nothing
 * is loaded from elsewhere, and every value is escaped.
 */
import { randomBytes } from 'node:crypto'
import { ANSWER_HEADERS, type Answer } from './answer.js'
import { type Html, html, trustedHtml } from './html.js'

export interface Page {
  readonly title: string
  readonly body: Html
  /** Default 200. */
  readonly status?: number
  /** Additions to the head, which has title, character set and viewport. */
  readonly head?: Html
  /** Style sheets and classic scripts, as text. The scripts run in order, after the body. */
  readonly styles?: readonly string[]
  readonly scripts?: readonly string[]
  /** For the scripts: `JSON.parse(document.getElementById('data').textContent)`. */
  readonly data?: unknown
  /** Who may show the page in a frame, as in CSP: `'self'`, `*`, `https://status.example`. Default: nobody. */
  readonly frameAncestors?: string
  /** Where its forms may go, as in CSP. Default: nowhere. */
  readonly formAction?: string
  /** What its `<video>` may play, as in CSP: `blob:`. Default: nothing. */
  readonly mediaSource?: string
  /** What its scripts may ask the user for, as in Permissions-Policy: `camera=(self)`. Default: what the browser says. */
  readonly permissions?: string
}

/** @throws TypeError if a script or style would end its own element, or a CSP source its directive */
export function htmlPage(page: Page): Answer {
  const { title, body, status = 200, head, styles = [], scripts = [], data } = page
  const nonce = randomBytes(18).toString('base64')
  const style = (text: string) => html`<style nonce="${nonce}">${embedded('style', text)}</style>\n`
  const script = (text: string) => html`<script nonce="${nonce}">${embedded('script', text)}</script>\n`
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

function pageHeaders(page: Page, nonce: string): Answer['headers'] {
  const { frameAncestors = "'none'", formAction = "'none'", mediaSource, permissions } = page
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    ...(mediaSource === undefined ? [] : [`media-src ${cspSources(mediaSource)}`]),
    "base-uri 'none'",
    `form-action ${cspSources(formAction)}`,
    `frame-ancestors ${cspSources(frameAncestors)}`,
  ]
  return [
    ['Content-Type', 'text/html; charset=utf-8'],
    ...ANSWER_HEADERS,
    ['Content-Security-Policy', policy.join('; ')],
    // With `no-referrer` a form would be sent with `Origin: null`, as those of pages that hide theirs.
    ['Referrer-Policy', formAction === "'none'" ? 'no-referrer' : 'same-origin'],
    ...(permissions === undefined ? [] : [['Permissions-Policy', permissions] as const]),
  ]
}

/** JSON that no HTML parser mistakes for markup: a `<` can occur only in its strings. */
function jsonInHtml(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

/** HTML has no way to escape within these elements. */
function embedded(element: 'script' | 'style', text: string): Html {
  const end = new RegExp(`</${element}|<!--`, 'i').exec(text)
  if (end !== null) throw new TypeError(`A <${element}> cannot contain "${end[0]}".`)
  return trustedHtml(text)
}

function cspSources(text: string): string {
  if (!/^[\x21-\x2b\x2d-\x3a\x3c-\x7e ]+$/.test(text)) throw new TypeError(`"${text}" is no list of CSP sources.`)
  return text
}
