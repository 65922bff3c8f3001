/** What both pages show in the same way. */
import { type Html, html } from '../../../gateway/host/plugin-api.js'

/** How it goes. The script fills it. */
export const stateCard = (
  headline: string,
  sentence: string,
  actions: Html,
) => html`<section class="card state" id="state" aria-label="State">
  <h2 class="headline" id="headline" tabindex="-1">${headline}</h2>
  <p class="figure" id="figure"></p>
  <progress max="1" value="0" aria-label="Transferred"></progress>
  <p class="sentence" id="sentence">${sentence}</p>
  <p class="note" id="details"></p>
  <p class="note" id="what"></p>
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
