import { type Answer, html, htmlPage } from '../../../gateway/host/plugin-api.js'
import { SEND_SCRIPTS, STYLES } from './assets.js'
import { ICON_URL } from './icon.js'
import { LIVE, stateCard, tokenField } from './parts.js'

export interface SendOptions {
  /** What stands before the name in an address: `/api/v1/pipe`, or nothing. */
  readonly base: string
  /** Signed links can be had for a token. */
  readonly links: boolean
}

/** The page that sends. What it sends to and how it goes is its script's. */
export function sendPage({ base, links }: SendOptions): Answer {
  return htmlPage({
    title: 'Send · pipegate',
    head: html`<meta name="robots" content="none">
<link rel="icon" id="favicon" href="${ICON_URL}">`,
    body: html`<main data-phase="idle" data-step="choose">
<header>
  <h1>Send</h1>
  <p class="note">Straight through, nothing is stored. <a href="${base}/help">With curl</a></p>
</header>
<noscript><p class="card">This page needs JavaScript. <a href="${base}/noscript">Send with a plain form</a> instead.</p></noscript>

<form class="card script" id="form" novalidate>
  <fieldset class="kinds">
    <legend class="hidden">What to send</legend>
    <label><input type="radio" name="kind" value="file" checked><span>File</span></label>
    <label><input type="radio" name="kind" value="text"><span>Text</span></label>
  </fieldset>
  <div class="drop" id="drop">
    <input type="file" id="file" class="hidden" aria-describedby="chosen">
    <label for="file" class="button">Choose a file</label>
    <p class="note" id="chosen">or drop it here, or paste it</p>
  </div>
  <div class="field" id="text-field" hidden>
    <label for="text">Text</label>
    <textarea id="text" rows="6" spellcheck="false"></textarea>
  </div>
  <div class="pair">
    <div class="field">
      <label for="name">Name</label>
      <div class="joined">
        <input id="name" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="1024" aria-describedby="name-note">
        <button type="button" id="another" aria-label="Another random name" title="Another random name">↻</button>
      </div>
      <p class="note" id="name-note">Whoever knows the name can receive. A random one is as good as a key of 41 bits.</p>
    </div>
    <div class="field narrow">
      <label for="receivers">Receivers</label>
      <input id="receivers" type="number" inputmode="numeric" min="1" max="256" value="1">
    </div>
  </div>
  
  ${tokenField}
  <p class="problem" id="problem" role="alert"></p>
  <button class="primary" id="send">Send</button>
</form>

${stateCard('', '', html`<p class="actions"><button type="button" id="cancel">Cancel</button><button type="button" class="primary" id="more" hidden>Send something else</button></p>`)}

<section class="card share script" id="share" aria-labelledby="share-title">
  <h2 class="label" id="share-title">To receive it</h2>
  <img id="qr" alt="QR code of the link" width="132" height="132">
  <div class="ways">
    <p class="label" id="link-label">Open this link</p>
    <p class="way"><a id="link" target="_blank" rel="noopener"></a> <button type="button" id="copy-link" aria-label="Copy the link">Copy</button></p>
    <p class="label">Or in a terminal</p>
    <p class="way"><code id="command" tabindex="0"></code> <button type="button" id="copy-command" aria-label="Copy the command">Copy</button></p>
  </div>
</section>

<details id="said" class="script" hidden><summary>What the gateway answered</summary><pre id="lines" tabindex="0"></pre></details>
</main>
${LIVE}`,
    styles: STYLES,
    scripts: SEND_SCRIPTS,
    data: { base, links },
  })
}
