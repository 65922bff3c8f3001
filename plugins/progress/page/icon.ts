/** The state as a small picture, for the tab and beside the headline: a ring that fills, and a sign that needs no colour. */
import type { Phase } from './view.js'

/** They stand out on light and on dark tabs. */
const COLOURS: Readonly<Record<Phase, string>> = {
  idle: '#7b8494',
  waiting: '#c27c0e',
  streaming: '#2f6fed',
  stalled: '#c27c0e',
  complete: '#1f9254',
  failed: '#d6453d',
}

const SIGNS: Readonly<Record<Phase, string>> = {
  idle: '',
  waiting: '<circle cx="9" cy="16" r="2.4"/><circle cx="16" cy="16" r="2.4"/><circle cx="23" cy="16" r="2.4"/>',
  streaming: '',
  stalled: '<path d="M12.5 11v10M19.5 11v10" stroke-width="3.5"/>',
  complete: '<path d="m9 16.5 5 5 9-10" stroke="#fff" stroke-width="3.6"/>',
  failed: '<path d="m11 11 10 10M21 11 11 21" stroke="#fff" stroke-width="3.6"/>',
}

/** @param share 0 to 1, null when it is not known; returns a `data:` address */
export function iconOf(phase: Phase, share: number | null): string {
  const colour = COLOURS[phase]
  const full = phase === 'complete' || phase === 'failed'
  const ring = 2 * Math.PI * 13
  const arc = (share ?? 0.25) * ring
  const shape = full
    ? `<circle cx="16" cy="16" r="15" fill="${colour}"/>`
    : `<circle cx="16" cy="16" r="13" fill="none" stroke="${colour}" stroke-opacity=".3" stroke-width="5"/>${
        phase === 'streaming' || phase === 'stalled'
          ? `<circle cx="16" cy="16" r="13" fill="none" stroke="${colour}" stroke-width="5" stroke-dasharray="${arc.toFixed(1)} ${ring.toFixed(1)}" transform="rotate(-90 16 16)"/>`
          : ''
      }`
  const sign = `<g fill="${full || phase === 'stalled' ? 'none' : colour}" stroke="${full || phase === 'stalled' ? colour : 'none'}" stroke-linecap="round" stroke-linejoin="round">${SIGNS[phase]}</g>`
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${shape}${sign}</svg>`)}`
}
