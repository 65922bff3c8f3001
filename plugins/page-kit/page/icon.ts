/** The state as a small picture, for the tab and beside the headline: a ring that fills, and a sign that needs no colour. */
import { isFlowing, isOver, type Phase } from './phase.js'

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
  waiting: '<path d="M9.5 16h0M16 16h0M22.5 16h0" stroke-width="4.6"/>',
  streaming: '',
  stalled: '<path d="M12.5 11v10M19.5 11v10" stroke-width="3.5"/>',
  complete: '<path d="m9 16.5 5 5 9-10" stroke="#fff" stroke-width="3.6"/>',
  failed: '<path d="m11 11 10 10M21 11 11 21" stroke="#fff" stroke-width="3.6"/>',
}

const RADIUS = 13
const ROUND = 2 * Math.PI * RADIUS

/** @param share 0 to 1, null when it is not known; returns a `data:` address */
export function iconOf(phase: Phase, share: number | null): string {
  const colour = COLOURS[phase]
  const shape = isOver(phase) ? `<circle cx="16" cy="16" r="15" fill="${colour}"/>` : ring(phase, share)
  const sign = `<g stroke="${colour}" fill="none" stroke-linecap="round" stroke-linejoin="round">${SIGNS[phase]}</g>`
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${shape}${sign}</svg>`
  return `data:image/svg+xml,${encodeURIComponent(picture)}`
}

function ring(phase: Phase, share: number | null): string {
  const circle = `<circle cx="16" cy="16" r="${RADIUS}" fill="none" stroke="${COLOURS[phase]}" stroke-width="5"`
  const track = `${circle} stroke-opacity=".3"/>`
  if (!isFlowing(phase)) return track
  // Of what nobody knows the end, every part looks the same.
  const dashes = share === null ? [ROUND / 12, ROUND / 12] : [share * ROUND, ROUND]
  const lengths = dashes.map((length) => length.toFixed(1)).join(' ')
  return `${track}${circle} stroke-dasharray="${lengths}" transform="rotate(-90 16 16)"/>`
}
