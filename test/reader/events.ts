/** Events as lines that driver.c prints, and in a few words that a person writes. */

import type { Event, Request } from './reference.js'

const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex')
const FRAMINGS = { none: 0, length: 1, chunked: 2 }

/** What driver.c prints for a connection on which all of this happened. */
export function linesOf(events: readonly Event[]): string[] {
  return events.flatMap((event) => {
    if (event.kind === 'request') return [headLine(event), `body ${hex(event.body)}`, event.end]
    if (event.kind === 'refused') return [`refused ${event.problem} ${event.status} ${hex(event.text)}`]
    return event.kind === 'tunnel' ? [`tunnel ${hex(event.bytes)}`] : [`rest ${event.of}`]
  })
}

function headLine(request: Request): string {
  const { minor, keepsAlive, expectsContinue, isWebSocket, framing, length, text } = request
  const flags = `keeps=${+keepsAlive} expects=${+expectsContinue} websocket=${+isWebSocket}`
  return `request minor=${minor} ${flags} framing=${FRAMINGS[framing]} length=${length} ${hex(text)}`
}

const ENDS = { end: '', broken: '!', incomplete: '…' }

function wordsOfOne(event: Event): string {
  if (event.kind === 'request') return `${event.text.split('\n')[0]!.slice(0, -2)} ${event.body}${ENDS[event.end]}`
  if (event.kind === 'refused') return `${event.status} ${event.problem}`
  if (event.kind === 'tunnel') return `tunnel ${event.bytes}`
  return event.of === 'part' ? 'part' : ''
}

/** The words of a case: methods, targets and bodies, "…" for one that is incomplete and "!" for one that is broken. */
export function wordsOf(events: readonly Event[]): string {
  const words = events.map((event) => wordsOfOne(event).trim())
  return words.filter((each) => each !== '').join(' | ')
}
