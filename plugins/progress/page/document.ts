import { type Html, html } from '../../../gateway/host/plugin-api.js'
import type { Field, View } from '../../page-kit/page/view.js'

/** The page as it is now. The script changes the texts of `data-field`, and what has an id. */
export function body(name: string, { phase, share, fields }: View, icon: string): Html {
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

<p id="terminal" hidden><span class="label">In a terminal</span> <code id="command" tabindex="0"></code> <button id="copy" type="button">Copy</button></p>
</main>
<div id="notice" hidden><span></span> <button id="again" type="button">Try now</button></div>
<p id="live" role="status"></p>`
}
