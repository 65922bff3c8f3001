/** What both pages show in the same way. */
import { type Html, html } from '../../../gateway/host/plugin-api.js'

/** Stands out on light and on dark tabs. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2563d9"/><path d="M12 9.5v13L23 16z" fill="#fff" stroke="#fff" stroke-width="2" stroke-linejoin="round"/></svg>`

/** What a chat shows of the link: nothing of what is there, which may be for others. */
export const headOf = (name: string, description: string): Html => html`<meta name="robots" content="none">
<meta property="og:title" content="${name}">
<meta property="og:description" content="${description}">
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">`

/** Shown when the gateway has asked for a token. */
export const tokenField = html`<div class="field" id="token-field" hidden>
  <label for="token">Token</label>
  <input id="token" type="password" autocomplete="off" spellcheck="false" aria-describedby="token-note">
  <p class="note" id="token-note">This gateway asks for a token. It is kept until this page is closed, and nowhere else.</p>
</div>`

export const NOSCRIPT = html`<noscript><p class="card">This page needs JavaScript.</p></noscript>`

/** What is read out, and nothing else. */
export const LIVE = html`<p id="live" role="status"></p>`
