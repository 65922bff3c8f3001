import { type Answer, html, htmlPage } from '../../../gateway/host/plugin-api.js'
import { inAddress, nameProblem } from '../name.js'
import { STYLES } from './assets.js'
import { ICON_URL } from './icon.js'

export interface NoscriptOptions {
  /** What stands before the name in an address. */
  readonly base: string
  /** Chosen by whoever opened the page; empty before. */
  readonly name: string
  readonly receivers: string
  /** A random name. */
  readonly suggestion: string
}

/** Plain forms: one that chooses a name, then two that send to it. A form without scripts knows its target beforehand. */
export function noscriptPage({ base, name, receivers, suggestion }: NoscriptOptions): Answer {
  const problem = name === '' ? undefined : nameProblem(name)
  const isChosen = name !== '' && problem === undefined
  return htmlPage({
    title: 'Send · pipegate',
    head: html`<meta name="robots" content="none">
<link rel="icon" href="${ICON_URL}">`,
    body: html`<main data-phase="idle">
<header>
  <h1>Send</h1>
  <p class="note">Straight through, nothing is stored. <a href="${base}/">With JavaScript</a></p>
</header>
<form class="card" action="${base}/noscript">
  <div class="pair">
    <div class="field">
      <label for="name">Name</label>
      <input id="name" name="name" value="${name || suggestion}" required maxlength="1024" autocomplete="off" autocapitalize="none" spellcheck="false">
    </div>
    <div class="field narrow">
      <label for="receivers">Receivers</label>
      <input id="receivers" name="n" type="number" min="1" max="256" value="${receivers || '1'}">
    </div>
  </div>
  <p class="problem">${problem}</p>
  <button class="${isChosen ? '' : 'primary'}">${isChosen ? 'Change' : 'Go on'}</button>
</form>
${isChosen && forms(base, name, receivers)}
</main>`,
    styles: STYLES,
    formAction: "'self'",
  })
}

function forms(base: string, name: string, receivers: string) {
  const query = receivers === '' || receivers === '1' ? '' : `n=${encodeURIComponent(receivers)}`
  const address = `${base}/${inAddress(name)}`
  const action = query === '' ? address : `${address}?${query}`
  return html`<section class="card">
  <h2 class="label">To receive it</h2>
  <p>Open <a href="${address}?receive${query && `&${query}`}">${name}</a> on the other side, before or after.</p>
</section>
<form class="card" method="post" enctype="multipart/form-data" action="${action}">
  <div class="field"><label for="file">File</label><input id="file" name="input_file" type="file" required></div>
  <button class="primary">Send the file</button>
</form>
<form class="card" method="post" enctype="multipart/form-data" action="${action}">
  <div class="field"><label for="text">Text</label><textarea id="text" name="input_text" rows="5" required></textarea></div>
  <button class="primary">Send the text</button>
</form>`
}
