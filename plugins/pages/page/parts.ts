/** What both pages show in the same way. */
import { type Html, html } from '../../../gateway/host/plugin-api.js'
import { ICON_URL } from './icon.js'

/** Whose page it is, and the way to the one that sends. @param base what stands before the name in an address */
export const brand = (base: string, beside: Html) => html`<header class="brand">
  <a class="home" href="${base}/"><img src="${ICON_URL}" alt="" width="28" height="28"> pipegate</a>
  ${beside}
</header>`

/** How it goes. The script fills it. */
export const stateCard = (
  headline: string,
  sentence: string,
  actions: Html,
) => html`<section class="card state" id="state" aria-label="State">
  <div class="headline"><img id="icon" src="${ICON_URL}" alt="" width="28" height="28"><h2 id="headline" tabindex="-1">${headline}</h2></div>
  <p class="figure" id="figure"></p>
  <progress max="1" value="0" aria-label="Transferred"></progress>
  <p class="sentence" id="sentence">${sentence}</p>
  <p class="note" id="details"></p>
  ${actions}
</section>`

/** Shown when the gateway has asked for a token. */
export const tokenField = html`<div class="field" id="token-field" hidden>
  <label for="token">Token</label>
  <input id="token" type="password" autocomplete="off" spellcheck="false" aria-describedby="token-note">
  <p class="note" id="token-note">This gateway asks for a token. It is kept until this page is closed, and nowhere else.</p>
</div>`

/** What is read out, and nothing else. */
export const LIVE = html`<p id="live" role="status"></p>`
