import { type Answer, html, htmlPage } from '../../../gateway/host/plugin-api.js'
import { readable } from '../../page-kit/readable.js'
import { RECEIVE_SCRIPTS, STYLES } from './assets.js'
import { ICON_URL } from './icon.js'
import { LIVE, stateCard, tokenField } from './parts.js'

/** Somebody who opens a link may be early: as long as the gateway lets anybody wait. */
const MAX_WAIT_S = 3600

/**
 * The page that receives. It knows what its own address says, and no more.
 * @param name as it stands in the address
 * @param query of its own request: a signature in it holds for what the page asks for, too
 * @param links signed links can be had for a token
 */
export function receivePage(name: string, query: string, links: boolean): Answer {
  const shownName = readable(name)
  const parameters = new URLSearchParams(query)
  const isText = parameters.has('text')
  for (const own of ['receive', 'text', 'download']) parameters.delete(own)
  if (!parameters.has('wait')) parameters.set('wait', String(MAX_WAIT_S))
  const kept = parameters.toString()
  return htmlPage({
    title: `Receive · ${shownName}`,
    // What a chat shows of the link: nothing of what waits there, which may be for others.
    head: html`<meta name="robots" content="none">
<meta property="og:title" content="${shownName}">
<meta property="og:description" content="To receive, straight from its sender.">
<link rel="icon" id="favicon" href="${ICON_URL}">`,
    body: html`<main data-phase="idle" data-step="receive">
<header>
  <h1><span class="label">Receive</span> <bdi>${shownName}</bdi></h1>
</header>
${stateCard(
  'Receive',
  'It begins when both sides are there. Nothing is stored on the way.',
  html`${tokenField}
  <p class="problem" id="problem" role="alert"></p>
  <p class="actions">
    <a class="button ${isText ? '' : 'primary'}" id="save" href="?download&${kept}" download>Save as a file</a>
    <button type="button" class="script ${isText ? 'primary' : ''}" id="show">Show as text</button>
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
    data: { name: shownName, query: kept, links },
  })
}
