import { type Answer, html, htmlPage } from '../../../gateway/host/plugin-api.js'
import { iconOf } from '../../page-kit/page/icon.js'
import { NO_OBSERVATION } from '../../page-kit/page/phase.js'
import { viewOf } from '../../page-kit/page/view.js'
import { readable } from '../../page-kit/readable.js'
import type { Snapshot } from '../../transfer-status/snapshot.js'
import { SCRIPT_TEXTS, STYLES } from './assets.js'
import { body } from './document.js'

export interface DashboardOptions {
  /** As it stands in the address. */
  readonly name: string
  /** Who may show the page in a frame, as in CSP. */
  readonly frameAncestors: string
  /** What stands before the name in an address; undefined where there are no pages to send and to receive with. */
  readonly base: string | undefined
  /** How often a browser without scripts looks again, in seconds. */
  readonly refreshSec: number
}

/** The page that shows a name as it is now; its script follows it from there. */
export function dashboard(snapshot: Snapshot, { name, base, frameAncestors, refreshSec }: DashboardOptions): Answer {
  const shownName = readable(name)
  const view = viewOf(snapshot, NO_OBSERVATION, Date.now(), utc)
  const icon = iconOf(view.phase, view.share)
  return htmlPage({
    title: `${view.title} · ${shownName}`,
    head: html`<link rel="icon" id="favicon" href="${icon}">
<noscript><meta http-equiv="refresh" content="${refreshSec}"></noscript>`,
    body: body(
      shownName,
      view,
      icon,
      base === undefined ? undefined : { send: `${base}/?name=${encodeURIComponent(shownName)}`, receive: '?receive' },
    ),
    styles: STYLES,
    scripts: SCRIPT_TEXTS,
    data: { snapshot, name: shownName, base: base ?? null },
    frameAncestors,
  })
}

/** A server does not know what time it is where the page is read. */
function utc(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
