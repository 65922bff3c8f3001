import { type Answer, html, htmlPage } from '../../../gateway/host/plugin-api.js'
import { inAddress, nameProblem } from '../name.js'
import { STYLES } from './assets.js'
import { ICON_URL } from './icon.js'
import { brand } from './parts.js'

export interface NoscriptOptions {
  /** What stands before the name in an address. */
  readonly base: string
  /** Chosen by whoever opened the page; empty before. */
  readonly name: string
  readonly receivers: string
  /** `file` or `text`: only that form. */
  readonly mode: string
  /** Seconds for which the sender waits; empty for as long as the gateway says. */
  readonly wait: string
  readonly sha256: boolean
  /** A random name. */
  readonly suggestion: string
}

/** Plain forms: one that chooses a name, then two that send to it. A form without scripts knows its target beforehand. */
export function noscriptPage(options: NoscriptOptions): Answer {
  const { base, name, receivers, mode, wait, sha256, suggestion } = options
  const problem = name === '' ? undefined : nameProblem(name)
  const isChosen = name !== '' && problem === undefined
  const kept = (key: string, value: string) =>
    value !== '' && html`<input type="hidden" name="${key}" value="${value}">`
  return htmlPage({
    title: 'Send · pipegate',
    head: html`<meta name="robots" content="none">
<link rel="icon" href="${ICON_URL}">`,
    body: html`${brand(base, html`<a href="${base}/">With JavaScript</a>`)}
<main data-phase="idle">
<div class="lead">
  <h1>Send to another device</h1>
  <p>A file or text goes straight from here to whoever opens your link. Nothing is stored on the way.</p>
</div>
<form class="card" action="${base}/noscript">
  ${kept('mode', mode)}${kept('wait', wait)}${kept('sha256', sha256 ? '1' : '')}
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
${isChosen && forms(options)}
</main>`,
    styles: STYLES,
    formAction: "'self'",
  })
}

function forms({ base, name, receivers, mode, wait, sha256 }: NoscriptOptions) {
  const count = receivers === '' || receivers === '1' ? [] : [`n=${encodeURIComponent(receivers)}`]
  const sender = [...count, ...(wait === '' ? [] : [`wait=${encodeURIComponent(wait)}`]), ...(sha256 ? ['sha256'] : [])]
  const address = `${base}/${inAddress(name)}`
  const action = sender.length === 0 ? address : `${address}?${sender.join('&')}`
  return html`<section class="card">
  <h2 class="label">To receive it</h2>
  <p>Open <a href="${address}?${['receive', ...count].join('&')}">${name}</a> on the other side, before or after.</p>
</section>
${
  mode !== 'text' &&
  html`<form class="card" method="post" enctype="multipart/form-data" action="${action}">
  <div class="field"><label for="file">File</label><input id="file" name="input_file" type="file" required></div>
  <button class="primary">Send the file</button>
</form>`
}
${
  mode !== 'file' &&
  html`<form class="card" method="post" enctype="multipart/form-data" action="${action}">
  <div class="field"><label for="text">Text</label><textarea id="text" name="input_text" rows="5" required></textarea></div>
  <button class="primary">Send the text</button>
</form>`
}`
}
