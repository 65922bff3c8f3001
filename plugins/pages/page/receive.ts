import { type Answer, html, htmlPage, trustedHtml } from '../../../gateway/host/plugin-api.js'
import { readable } from '../../page-kit/readable.js'
import { RECEIVE_SCRIPTS, STYLES } from './assets.js'
import { ICON_URL } from './icon.js'
import { brand, LIVE, stateCard, tokenField } from './parts.js'

/** Somebody who opens a link may be early: as long as the gateway lets anybody wait. */
const MAX_WAIT_S = 3600

/** A sheet of paper. */
const SHEET = `<svg class="sheet" viewBox="0 0 48 48" width="52" height="52" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"><path d="M12 6h16l9 9v25a2.5 2.5 0 0 1-2.5 2.5h-22A2.5 2.5 0 0 1 10 40V8.5A2.5 2.5 0 0 1 12.5 6M28 6v9h9M23.5 22v11M18.5 28.5l5 5 5-5"/></svg>`

export interface ReceiveOptions {
  /** As it stands in the address. */
  readonly name: string
  /** Of the page's own request: a signature in it holds for what the page asks for, too. */
  readonly query: string
  /** What stands before the name in an address. */
  readonly base: string
  /** Signed links can be had for a token. */
  readonly links: boolean
  /** `autostart` in the address counts. */
  readonly mayAutostart: boolean
}

/** The page that receives. It knows what its own address says, and no more. */
export function receivePage({ name, query, base, links, mayAutostart }: ReceiveOptions): Answer {
  const shownName = readable(name)
  const given = new URLSearchParams(query)
  const isText = given.has('text')
  const autostart = mayAutostart && /^(|1|true|yes)$/i.test(given.get('autostart') ?? 'no')
  for (const own of ['receive', 'text', 'download', 'autostart']) given.delete(own)
  if (!given.has('wait')) given.set('wait', String(MAX_WAIT_S))
  const kept = given.toString()
  return htmlPage({
    title: `Receive · ${shownName}`,
    // What a chat shows of the link: nothing of what waits there, which may be for others.
    head: html`<meta name="robots" content="none">
<meta property="og:title" content="${shownName}">
<meta property="og:description" content="To receive, straight from its sender.">
<link rel="icon" id="favicon" href="${ICON_URL}">`,
    body: html`${brand(base, html`<a href="${base}/">Send</a>`)}
<main data-phase="idle" data-step="receive">
<div class="card coming">
  ${trustedHtml(SHEET)}
  <div>
    <p class="label" id="under">Sent to you</p>
    <h1><bdi id="file">${shownName}</bdi></h1>
    <p id="what"></p>
  </div>
</div>
${stateCard(
  'Receive',
  'It begins when both sides are there. Nothing is stored on the way.',
  html`${tokenField}
  <p class="problem" id="problem" role="alert"></p>
  <p class="actions">
    <a class="button ${isText ? '' : 'primary'}" id="save" href="?download&${kept}" download>Save as a file</a>
    <button type="button" class="script ${isText ? 'primary' : ''}" id="show">Show as text</button>
    <button type="button" class="primary" id="wait-again" hidden>Wait again</button>
    <button type="button" id="stop" hidden>Stop</button>
  </p>`,
)}
<section class="card text script" id="text-card" aria-labelledby="text-title" hidden>
  <h2 class="label" id="text-title">Text</h2> <button type="button" id="copy-text">Copy</button>
  <pre id="text" tabindex="0"></pre>
</section>
</main>
${LIVE}`,
    styles: STYLES,
    scripts: RECEIVE_SCRIPTS,
    data: { name: shownName, query: kept, links, isText, autostart },
  })
}
