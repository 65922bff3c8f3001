import { type Answer, html, htmlPage } from '../../../gateway/host/plugin-api.js'
import { readable } from '../../page-kit/readable.js'
import type { Capture } from './asked.js'
import { CAPTURE_SCRIPTS, STYLES } from './assets.js'
import { headOf, LIVE, NOSCRIPT, tokenField } from './parts.js'

/** What its scripts may ask the user for; nothing in a frame may. */
const PERMISSIONS = 'camera=(self), microphone=(self), display-capture=(self)'

const NAMES = { screen: 'Screen', camera: 'Camera', microphone: 'Microphone' } as const
const QUALITY_NAMES = { low: 'Low (360p)', medium: 'Medium (720p)', high: 'High (1080p)' } as const
/** Which sound a source can have. */
const SOUNDS = [
  ['own', 'Sound of the screen', 'screen'],
  ['microphone', 'Your microphone', undefined],
  ['both', 'Both', 'screen'],
  ['none', 'No sound', undefined],
] as const

/** The page that shares a screen, a camera or a microphone. @param links signed links can be had for a token */
export function capturePage(name: string, asked: Capture, links: boolean): Answer {
  const shownName = readable(name)
  const source = asked.source ?? 'screen'
  const isCounted = asked.live === false || asked.n !== undefined
  return htmlPage({
    title: `Share · ${shownName}`,
    head: headOf(shownName, 'To share a screen, a camera or a microphone.'),
    body: html`<main data-phase="idle" data-step="choosing">
<header>
  <h1><span class="label">Share</span> <bdi>${shownName}</bdi></h1>
</header>
${NOSCRIPT}
<section class="card stage-card script" aria-label="What you share">
  <div class="stage" id="stage">
    <video id="video" playsinline muted></video>
    <p class="empty" id="hint">Your picture is shown here first</p>
  </div>
  <meter id="level" min="0" max="1" value="0" aria-label="Sound" hidden></meter>
  <div class="under">
    <h2 class="headline" id="headline" tabindex="-1">What to share</h2>
    <p class="figure" id="figure"></p>
    <p class="sentence" id="sentence">You see it here first. Nobody else does before you start.</p>
    <p class="note" id="details"></p>
    <form id="form" novalidate>
      <fieldset id="choices">
        <legend class="hidden">What</legend>
        <div class="kinds">
          ${Object.entries(NAMES).map(
            ([value, label]) =>
              html`<label><input type="radio" name="source" id="source-${value}" value="${value}"${value === source && html` checked`}><span>${label}</span></label>`,
          )}
        </div>
        <div class="pair">
          <div class="field" id="audio-field">
            <label for="audio">Sound</label>
            <select id="audio">${SOUNDS.map(
              ([value, label, of]) =>
                html`<option value="${value}"${of !== undefined && html` data-of="${of}"`}${value === asked.audio && html` selected`}>${label}</option>`,
            )}</select>
          </div>
          <div class="field" id="quality-field">
            <label for="quality">Quality</label>
            <select id="quality">${Object.entries(QUALITY_NAMES).map(
              ([value, label]) =>
                html`<option value="${value}"${value === (asked.quality ?? 'medium') && html` selected`}>${label}</option>`,
            )}</select>
          </div>
        </div>
        <div class="audience" role="radiogroup" aria-labelledby="audience-title">
          <p class="label" id="audience-title">For whom</p>
          <label class="choice"><input type="radio" name="audience" id="audience-live" value="live"${!isCounted && html` checked`}><span>Anyone with the link, at any time</span></label>
          <label class="choice"><input type="radio" name="audience" id="audience-counted" value="counted"${isCounted && html` checked`}><span>A set number, from the beginning</span>
          <input id="receivers" type="number" inputmode="numeric" min="1" max="256" value="${asked.n ?? 1}" aria-label="Viewers"></label>
        </div>
      </fieldset>
      <p class="note" id="later" hidden>It is recorded on this device and sent when you stop: browsers send what is still being made only over HTTPS with HTTP/2. To go live, put Caddy or nginx in front of this gateway.</p>
      ${tokenField}
      <p class="problem" id="problem" role="alert"></p>
      <p class="actions">
        <button class="primary" id="turn-on">Choose a screen</button>
        <button class="primary" id="start" hidden>Start sharing</button>
        <button type="button" id="back" hidden>Choose something else</button>
      </p>
    </form>
    <p class="actions">
      <button type="button" class="stop" id="stop" hidden>Stop</button>
      <button type="button" class="primary" id="again" hidden>Share again</button>
    </p>
  </div>
</section>

<section class="card invitation script" aria-labelledby="share-title">
  <h2 id="share-title">To watch it</h2>
  <img id="qr" alt="QR code of the link" width="148" height="148">
  <div class="ways">
    <p class="label">Open this link</p>
    <p class="way"><a id="link" target="_blank" rel="noopener"></a> <span class="buttons"><button type="button" id="share">Share</button> <button type="button" id="copy-link" aria-label="Copy the link">Copy</button></span></p>
    <p class="label">Or in a terminal</p>
    <p class="way"><code id="command" tabindex="0"></code> <button type="button" id="copy-command" aria-label="Copy the command">Copy</button></p>
  </div>
</section>
</main>
${LIVE}`,
    styles: STYLES,
    scripts: CAPTURE_SCRIPTS,
    data: { name: shownName, asked, links },
    permissions: PERMISSIONS,
  })
}
