import { type Answer, html, htmlPage, trustedHtml } from '../../../gateway/host/plugin-api.js'
import { SEND_SCRIPTS, STYLES } from './assets.js'
import { ICON_URL } from './icon.js'
import { brand, LIVE, stateCard, tokenField } from './parts.js'

export interface SendOptions {
  /** What stands before the name in an address: `/api/v1/pipe`, or nothing. */
  readonly base: string
  /** Signed links can be had for a token. */
  readonly links: boolean
  /** Of this machine, as hosts in a URL: for who opened the page on it, and means to send to another one. */
  readonly addresses: readonly string[]
  /** `autostart` in the address counts. */
  readonly mayAutostart: boolean
}

/** Something that goes up out of a tray. */
const TRAY = `<svg class="tray" viewBox="0 0 48 48" width="44" height="44" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"><path d="M24 30V8M15 16.5 24 8l9 8.5M7 30v7a4 4 0 0 0 4 4h26a4 4 0 0 0 4-4v-7"/></svg>`

const CHOICE = html`<fieldset class="kinds">
    <legend class="hidden">What to send</legend>
    <label><input type="radio" name="kind" value="file" checked><span>Files</span></label>
    <label><input type="radio" name="kind" value="text"><span>Text</span></label>
  </fieldset>
  <div class="drop" id="drop">
    ${trustedHtml(TRAY)}
    <ul id="files" aria-label="Chosen files" hidden></ul>
    <p class="chosen"><span id="chosen" role="status"></span> <button type="button" class="plain" id="clear" hidden>Clear</button></p>
    <p class="choose">
      <input type="file" id="file" class="hidden" multiple><label for="file" class="button">Choose files</label>
      <input type="file" id="folder" class="hidden" webkitdirectory><label for="folder" class="button on-desks">Choose a folder</label>
      <input type="file" id="camera" class="hidden" accept="image/*" capture="environment"><label for="camera" class="button on-phones">Take a picture</label>
    </p>
    <p class="note on-desks" id="drop-note">or drop files and folders anywhere on this page, or paste</p>
  </div>
  <div class="field" id="text-field" hidden>
    <label for="text">Text</label>
    <textarea id="text" rows="6" spellcheck="false"></textarea>
  </div>`

const OPTIONS = html`<details class="fold" id="options">
    <summary><span class="label">Name</span> <span id="options-shown"></span> <span class="guess" id="guess"></span></summary>
    <div class="pair">
      <div class="field">
        <label for="name">Name</label>
        <div class="joined">
          <textarea id="name" rows="1" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="1024" aria-describedby="guess name-note"></textarea>
          <button type="button" id="another" aria-label="Another random name" title="Another random name">↻</button>
        </div>
      </div>
      <div class="field narrow">
        <label for="receivers">Receivers</label>
        <input id="receivers" type="number" inputmode="numeric" min="1" max="256" value="1">
      </div>
    </div>
    <p class="note" id="name-note"></p>
  </details>`

const ACTIONS = html`<p class="note" id="what"></p>
  <p class="actions">
    <button type="button" class="primary" id="try-again" hidden>Try again</button>
    <button type="button" id="more" hidden>Send something else</button>
    <button type="button" id="cancel">Cancel</button>
  </p>`

const SHARE = html`<section class="card share script" id="share" aria-labelledby="share-title">
  <h2 id="share-title">Open this link to receive</h2>
  <p class="share-buttons">
    <button type="button" id="share-link" hidden>Share the link</button>
    <button type="button" id="copy-link">Copy the link</button>
  </p>
  <p class="link"><a id="link" target="_blank" rel="noopener"></a></p>
  <img id="qr" alt="QR code of the link" width="264" height="264">
  <p class="warning" id="only-here" hidden></p>
  <div class="places" id="places" role="radiogroup" aria-label="Where the link leads" hidden></div>
  <details class="fold" id="terminal"><summary>Receive in a terminal</summary>
    <p class="way"><code id="command" tabindex="0"></code> <button type="button" id="copy-command" aria-label="Copy the command">Copy</button></p>
  </details>
</section>`

/** The page that sends. What it sends to and how it goes is its script's. */
export function sendPage(options: SendOptions): Answer {
  const { base } = options
  return htmlPage({
    title: 'Send · pipegate',
    head: html`<meta name="robots" content="none">
<meta name="description" content="Send files or text straight to another device. Nothing is stored on the way.">
<link rel="icon" id="favicon" href="${ICON_URL}">`,
    body: html`${brand(base, html`<a href="${base}/help">With curl</a>`)}
<main data-phase="idle" data-step="choose">
<div class="lead">
  <h1>Send to another device</h1>
  <p>Files or text go straight from here to whoever opens your link. Nothing is stored on the way.</p>
</div>
<noscript><p class="card">This page needs JavaScript. <a href="${base}/noscript">Send with a plain form</a> instead.</p></noscript>

<form class="card script" id="form" data-ready="false" novalidate>
  ${CHOICE}
  ${OPTIONS}
  ${tokenField}
  <p class="problem" id="problem" role="alert"></p>
  <button class="primary" id="send">Send</button>
</form>

${stateCard('', '', ACTIONS)}

${SHARE}

<form class="card have script" id="have" novalidate>
  <div class="field">
    <label for="have-name">I have a name</label>
    <div class="joined">
      <input id="have-name" autocomplete="off" autocapitalize="none" spellcheck="false" placeholder="or a link" aria-describedby="have-problem">
      <button id="have-go">Receive</button>
    </div>
  </div>
  <p class="problem" id="have-problem" role="alert"></p>
</form>

<details id="said" class="fold script" hidden><summary>What the gateway answered</summary><pre id="lines" tabindex="0"></pre></details>
</main>
<p id="drop-here" hidden>Drop it to send</p>
${LIVE}`,
    styles: STYLES,
    scripts: SEND_SCRIPTS,
    data: options,
  })
}
