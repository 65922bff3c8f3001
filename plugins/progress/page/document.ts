import { type Html, html } from '../../../gateway/host/plugin-api.js'
import type { Field, View } from '../../page-kit/page/view.js'

/** Addresses of the pages that send and receive under this name. */
export interface Pages {
  readonly send: string
  readonly receive: string
}

/** What one can do under a name on which nothing is. */
const idle = ({ send, receive }: Pages) => html`<section class="card idle" aria-labelledby="idle-title">
  <h2 id="idle-title">What you can do here</h2>
  <p>Send something under this name, or be there when somebody does. This page follows by itself.</p>
  <p class="buttons"><a class="button primary" id="idle-send" href="${send}">Send</a> <a class="button" id="idle-receive" href="${receive}">Receive</a></p>
</section>`

/** The way in for who is missing. The script fills it. */
const INVITATION = html`<section class="card invitation script" id="invitation" aria-labelledby="invitation-title">
  <div>
    <h2 id="invitation-title"></h2>
    <p class="way"><a id="invitation-link" target="_blank" rel="noopener"></a> <button type="button" id="copy-invitation" aria-label="Copy the link">Copy</button></p>
  </div>
  <img id="qr" alt="QR code of the link" width="176" height="176">
</section>`

/** The page as it is now. The script changes the texts of `data-field`, and what has an id. */
export function body(name: string, { phase, share, fields }: View, icon: string, pages: Pages | undefined): Html {
  const text = (field: Field) => html`<span data-field="${field}">${fields[field]}</span>`
  const note = (field: Field) => html`<span class="note" data-field="${field}">${fields[field]}</span>`
  const figure = (label: Html | string, value: Field, small: Html | null) =>
    html`<div><dt>${label}</dt><dd>${text(value)}${small ?? html`<span class="note"></span>`}</dd></div>`
  return html`<main data-phase="${phase}" data-link="live">
<header>
  <h1><bdi>${name}</bdi></h1>
  <p id="link" class="script">Live</p>
</header>

<section class="card state" aria-label="State">
  <p class="headline"><img id="icon" src="${icon}" alt="" width="28" height="28">${text('headline')}</p>
  <p class="figure" data-field="figure">${fields.figure}</p>
  <progress max="1"${share !== null && html` value="${share}"`} aria-label="Transferred"></progress>
  <p class="sentence" data-field="sentence">${fields.sentence}</p>
  <p class="note since" data-field="since">${fields.since}</p>
</section>

${pages && INVITATION}
${pages && idle(pages)}

<section class="card each script" id="each" aria-labelledby="each-title" hidden>
  <h2 id="each-title">What each receiver has</h2>
  <ol id="bars"></ol>
</section>

<dl class="card figures">
  ${figure('Transferred', 'bytes', note('bytesNote'))}
  ${figure(text('speedLabel'), 'speed', note('speedNote'))}
  ${figure('Average', 'average', null)}
  ${figure(text('leftLabel'), 'left', note('leftNote'))}
  ${figure(text('elapsedLabel'), 'elapsed', note('elapsedNote'))}
  ${figure('Receivers', 'receivers', note('receiversNote'))}
</dl>

<section class="card plot script" aria-labelledby="plot-title">
  <h2 id="plot-title">Speed since the start</h2>
  <p id="point" aria-hidden="true"></p>
  <div id="chart" role="img" hidden></div>
  <p class="empty" data-field="noLine">${fields.noLine}</p>
</section>

<section class="card last" aria-labelledby="last-title">
  <h2 id="last-title">Last transfer</h2>
  <p data-field="last">${fields.last}</p>
  <p class="note" data-field="lastNote">${fields.lastNote}</p>
</section>

<p class="digest"><span class="label">SHA-256</span> <code data-field="digest">${fields.digest}</code></p>

<div id="terminal" hidden>
  <p class="label">In a terminal</p>
  <p class="way"><code id="command" tabindex="0"></code> <button id="copy" type="button" aria-label="Copy the command">Copy</button></p>
  <p class="way"><code id="curl" tabindex="0"></code> <button id="copy-curl" type="button" aria-label="Copy the command for curl">Copy</button></p>
</div>
</main>
<div id="notice" hidden><span></span> <button id="again" type="button">Try now</button></div>
<p id="live" role="status"></p>`
}
