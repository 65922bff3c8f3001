import { askInWords } from '../../plugins/transfer-status/ask-figures.js'
import { duplexInWords } from '../../plugins/transfer-status/duplex-figures.js'
import {
  formatBytes,
  formatDuration,
  formatPercent,
  formatReceipt,
  formatSpeed,
  shareOf,
} from '../../plugins/transfer-status/format.js'
import { queueInWords } from '../../plugins/transfer-status/queue-figures.js'
import type { Snapshot } from '../../plugins/transfer-status/snapshot.js'
import { safeText } from '../safe-text.js'
import type { View } from './view.js'

/** A piece of the line. */
interface Part {
  readonly text: string
  /** The higher, the sooner it is left out where there is no room. 0 stays. */
  readonly rank: number
  /** Columns that it has at least, so that what stands behind it does not dance. */
  readonly width?: number
}

/** Nothing has moved for so long: said even if the server has no word for it. */
const STILL_MS = 5000

const BAR_MIN = 6
const BAR_MAX = 40
/** Rank of the bar among the parts. */
const BAR_RANK = 5
const GAP = '  '
const NAME_MIN = 12

/** The view as one line of at most `columns` characters, all of them one column wide. */
export function liveLine(view: View, columns: number, unicode: boolean): string {
  const name = shortened(safeText(view.name, false), Math.max(NAME_MIN, Math.floor(columns / 3)))
  const all = [
    { text: name, rank: 3 },
    ...parts(view).map(({ text, rank, width = 0 }) => ({ text: text.padEnd(width), rank })),
  ]
  const bar = barOf(view)
  const barRoom = bar === undefined ? 0 : GAP.length + BAR_MIN + 2
  const room = (kept: readonly Part[]) => columns - kept.map(({ text }) => text).join(GAP).length
  let kept = all
  for (let rank = Math.max(...all.map((part) => part.rank)); rank > 0; rank--) {
    if (room(kept) >= (rank >= BAR_RANK ? barRoom : 0)) break
    kept = kept.filter((part) => part.rank < rank)
  }
  const texts = kept.map(({ text }) => text)
  const isWhole = all.every((part) => part.rank > BAR_RANK || kept.includes(part))
  if (bar !== undefined && isWhole && room(kept) >= barRoom) {
    texts.splice(1, 0, `[${bar(Math.min(BAR_MAX, room(kept) - GAP.length - 2), unicode)}]`)
  }
  return texts.join(GAP).trimEnd().slice(0, Math.max(0, columns))
}

/** The view as a sentence, for a log. */
export function plainLine(view: View): string {
  const { snapshot, loss } = view
  const state = snapshot?.state === 'streaming' && loss === undefined ? ['streaming'] : []
  return `${safeText(view.name, false)}: ${[...state, ...parts(view).map(({ text }) => text)].join(', ')}`
}

/** Everything but the name and the bar, in printable ASCII. */
function parts({ snapshot, loss, stillMs, moves }: View): Part[] {
  if (loss !== undefined) {
    const before = snapshot?.state === 'streaming' ? [{ text: `at ${amountOf(snapshot)}`, rank: 4 }] : []
    const again =
      loss.retryMs > 0 ? `trying again in ${formatDuration(Math.ceil(loss.retryMs / 1000))}` : 'trying again'
    return [{ text: safeText(loss.why, false), rank: 0 }, { text: again, rank: 2 }, ...before]
  }
  if (snapshot === undefined) return [{ text: 'connecting', rank: 0 }]
  if (snapshot.state === 'idle') {
    const last =
      snapshot.last === null ? [] : [{ text: `last ${safeText(formatReceipt(snapshot.last), false)}`, rank: 6 }]
    return [{ text: 'nobody is there yet', rank: 0 }, ...last]
  }
  const counts = queueInWords(snapshot) ?? askInWords(snapshot) ?? duplexInWords(snapshot)
  if (counts !== undefined) return [{ text: counts, rank: 0 }]
  const receivers = { text: audience(snapshot), rank: 6 }
  if (snapshot.state === 'waiting') {
    const those = snapshot.live ? 'viewers' : 'receivers'
    return [{ text: `waiting for ${snapshot.hasSender ? those : 'a sender'}`, rank: 0 }, receivers]
  }
  if (snapshot.state !== 'streaming') return [{ text: snapshot.state, rank: 0 }]
  return [...figures(snapshot, stillMs, moves), receivers]
}

/** `1 of 2 receivers`; of a live stream, which has as many as come, `3 viewers`. */
function audience(snapshot: Snapshot): string {
  if (snapshot.topic) return subscribers(snapshot)
  const { live, activeReceivers: present, totalReceivers: wanted, skips = 0, cuts = 0 } = snapshot
  if (live === undefined) return `${present} of ${wanted} ${wanted === 1 ? 'receiver' : 'receivers'}`
  const slow = [skips > 0 ? `${skips} skips` : '', cuts > 0 ? `${cuts} cut` : ''].filter((part) => part !== '')
  return [`${present} ${present === 1 ? 'viewer' : 'viewers'}`, ...slow].join(', ')
}

function subscribers({ subscribers: present = 0, messages = 0, cuts = 0 }: Snapshot): string {
  const those = `${present} ${present === 1 ? 'subscriber' : 'subscribers'}`
  return [those, `${messages} ${messages === 1 ? 'message' : 'messages'}`, ...(cuts > 0 ? [`${cuts} cut`] : [])].join(
    ', ',
  )
}

function figures(snapshot: Snapshot, stillMs: number, moves: number): Part[] {
  const { bytes, totalBytes, speed, eta, elapsed } = snapshot
  const share = shareOf(bytes, totalBytes)
  const list: Part[] = []
  if (share === null) list.push({ text: formatBytes(bytes), rank: 0, width: 7 })
  else {
    const total = formatBytes(totalBytes!)
    list.push({ text: formatPercent(share), rank: 0, width: 5 })
    list.push({ text: `${formatBytes(bytes)} of ${total}`, rank: 4, width: 11 + total.length })
  }
  if (speed === 0 || stillMs >= STILL_MS) {
    // Somebody who has just come does not know since when.
    const since = moves > 0 && stillMs >= 1000 ? ` for ${formatDuration(Math.floor(stillMs / 1000))}` : ''
    return [...list, { text: `stalled${since}`, rank: 1, width: 24 }]
  }
  if (speed !== null) list.push({ text: formatSpeed(speed), rank: 1, width: 9 })
  if (share !== null)
    list.push({ text: `ETA ${eta === null ? 'unknown' : formatDuration(Math.ceil(eta))}`, rank: 2, width: 13 })
  else if (elapsed !== null) list.push({ text: `for ${formatDuration(Math.floor(elapsed))}`, rank: 2, width: 13 })
  return list
}

/** `1.2 GB (16 %)`, or without the percentage where there is none. */
export function amountOf({ bytes, totalBytes }: Snapshot): string {
  const share = shareOf(bytes, totalBytes)
  return formatBytes(bytes) + (share === null ? '' : ` (${formatPercent(share)})`)
}

type Bar = (width: number, unicode: boolean) => string

function barOf({ snapshot, loss, moves }: View): Bar | undefined {
  if (snapshot?.state !== 'streaming' || loss !== undefined) return undefined
  const share = shareOf(snapshot.bytes, snapshot.totalBytes)
  if (share === null) return (width, unicode) => wanderingBar(moves, width, unicode)
  return (width, unicode) => shareBar(share, width, unicode)
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

function shareBar(share: number, width: number, unicode: boolean): string {
  const eighths = Math.floor(share * width * 8)
  const full = Math.floor(eighths / 8)
  if (!unicode) return '#'.repeat(full).padEnd(width, '-')
  return ('█'.repeat(full) + EIGHTHS[eighths % 8]).padEnd(width)
}

/** Goes to and fro, a step whenever bytes have moved: it stands still when they do. */
function wanderingBar(moves: number, width: number, unicode: boolean): string {
  const free = width - 3
  const step = moves % (2 * free)
  const left = step <= free ? step : 2 * free - step
  const [block, rest] = unicode ? ['███', ' '] : ['###', '-']
  return rest.repeat(left) + block + rest.repeat(free - left)
}

/** The end of a path tells more than its beginning. */
function shortened(name: string, most: number): string {
  return name.length <= most ? name : `...${name.slice(name.length - most + 3)}`
}
