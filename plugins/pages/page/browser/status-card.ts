/** The card that shows the state of a transfer. */

import { element, write } from '../../../page-kit/page/browser/elements.js'
import type { DisplayState } from '../../../page-kit/page/display-state.js'
import { UNKNOWN } from '../../../page-kit/page/figures.js'
import { iconOf } from '../../../page-kit/page/icon.js'
import type { View } from '../../../page-kit/page/view.js'
import { formatBytes } from '../../../transfer-status/format.js'
import type { StatusText } from '../sender-status.js'

/** `12.3 MB of 200 MB · 8.1 MB/s · 23 s left` */
export function detailsOf(
  { phase, fields }: View,
  { bytes, totalBytes, receivers, totalReceivers }: DisplayState,
): string {
  if (phase !== 'streaming' && phase !== 'stalled') return ''
  const amount = totalBytes === null ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
  const left = fields.leftNote.startsWith('about') ? `${fields.left} left` : ''
  const gone = (totalReceivers ?? receivers) - receivers
  const lost = gone > 0 ? `${gone} of ${totalReceivers} receivers left` : ''
  return [amount, fields.speed, left, lost].filter((each) => each !== '' && each !== UNKNOWN).join(' · ')
}

/** Shows a state in its card, in the tab and in the window's title. @param view null: nothing is known but the text */
export function drawStatus(
  { phase, headline, sentence }: StatusText,
  view: View | null,
  title: string,
  details: string,
): void {
  // The text may know more than what was seen.
  const seen = view?.phase === phase ? view : null
  const share = seen !== null ? seen.share : phase === 'complete' ? 1 : 0
  const figure = seen?.fields.figure ?? ''
  element('main').dataset.phase = phase
  element('main').dataset.link = 'live'
  write('#headline', headline)
  write('#sentence', sentence)
  write('#figure', figure)
  write('#details', details)
  const isFlowing = phase === 'streaming' || phase === 'stalled'
  write('title', `${isFlowing && figure !== '' ? figure : headline} · ${title}`)
  const bar = element<HTMLProgressElement>('progress')
  bar.hidden = !isFlowing && phase !== 'complete'
  if (share === null) bar.removeAttribute('value')
  else bar.value = share
  const picture = iconOf(phase, share === null ? null : Math.floor(share * 100) / 100)
  const favicon = element<HTMLLinkElement>('#favicon')
  if (favicon.href !== picture) favicon.href = element<HTMLImageElement>('#icon').src = picture
}
