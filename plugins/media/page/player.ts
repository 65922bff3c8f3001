import { type Answer, html, htmlPage } from '../../../gateway/host/plugin-api.js'
import { readable } from '../../page-kit/readable.js'
import { PLAYER_SCRIPTS, STYLES } from './assets.js'
import { headOf, LIVE, NOSCRIPT, tokenField } from './parts.js'

/** Somebody who opens a link may be early: as long as the gateway lets anybody wait. */
const MAX_WAIT_S = 3600

/** The player. It shows what its address says, and asks for the stream on a click: who opens it takes nothing from anybody. */
export function playerPage(name: string, query: string): Answer {
  const shownName = readable(name)
  const parameters = new URLSearchParams(query)
  parameters.delete('video')
  if (!parameters.has('wait')) parameters.set('wait', String(MAX_WAIT_S))
  return htmlPage({
    title: `Watch · ${shownName}`,
    head: headOf(shownName, 'To watch, straight from its sender.'),
    body: html`<main data-phase="idle" data-step="ready">
<header>
  <h1><span class="label">Watch</span> <bdi>${shownName}</bdi></h1>
</header>
${NOSCRIPT}
<section class="card stage-card script" aria-label="Player">
  <div class="stage" id="stage">
    <video id="video" playsinline></video>
    <button type="button" id="play" aria-label="Play"><span class="triangle" aria-hidden="true"></span></button>
    <button type="button" id="edge" hidden>Back to live</button>
  </div>
  <div class="under">
    <h2 class="headline" id="headline">Ready to watch</h2>
    <p class="figure" id="figure"></p>
    <p class="sentence" id="sentence">It begins when the sender is there. Nothing is taken before you press play.</p>
    <p class="note" id="details"></p>
    ${tokenField}
    <p class="problem" id="problem" role="alert"></p>
    <p class="actions">
      <button type="button" class="primary" id="keep" hidden>Save it as a file</button>
      <button type="button" id="stop" hidden>Stop</button>
    </p>
  </div>
</section>
<section class="card script" id="elsewhere" aria-labelledby="elsewhere-title">
  <h2 id="elsewhere-title">In another player</h2>
  <p class="way"><code id="command" tabindex="0"></code> <button type="button" id="copy-command" aria-label="Copy the command">Copy</button></p>
  <p class="note">It takes a place of its own. mpv and VLC take the same address.</p>
</section>
</main>
${LIVE}`,
    styles: STYLES,
    scripts: PLAYER_SCRIPTS,
    data: { name: shownName, query: parameters.toString() },
    mediaSource: 'blob:',
  })
}
