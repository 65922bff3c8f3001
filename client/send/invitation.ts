import { renderUnicodeCompact } from 'uqr'
import { formatBytes } from '../../plugins/transfer-status/format.js'
import type { NamedPlace } from '../place.js'
import type { Seal } from './seal.js'
import type { Outgoing } from './what/outgoing.js'

export interface InvitationOptions {
  readonly receivers: number
  readonly live: boolean
  readonly queue: boolean
  readonly noQr: boolean
  readonly resume: boolean
  readonly seal: Seal | undefined
  /** Somebody has chosen the name. */
  readonly isNamed: boolean
  readonly isTerminal: boolean
  readonly unicode: boolean
  /** Of the terminal. */
  readonly rows: number
}

/** A QR code takes so many rows, and leaves room for what it is about. */
const QR_ROWS = 28

/** What the other side needs to know, as lines to show and as data. */
export function invitation(place: NamedPlace, { label, about, description }: Outgoing, options: InvitationOptions) {
  const { receivers, live, queue, resume, seal } = options
  const flags = [
    ...(receivers > 1 ? [`-n ${receivers}`] : []),
    ...(live ? ['--live'] : []),
    ...(queue ? ['--queue'] : []),
    ...(resume ? ['--resume'] : []),
    ...(seal !== undefined && seal.words === undefined ? [keyFlag(seal)] : []),
  ]
  const word = withSecret(place.isDefaultServer ? place.name : place.url, options)
  const command = ['pipegate receive', quoted(word), ...flags].join(' ')
  const link = linkOf(place, options)
  const size = about === undefined ? '' : `  ${formatBytes(description.bytes ?? about)}`
  const files = (description.files ?? 1) > 1 ? `, ${description.files} files` : ''
  const isLocal = /^https?:\/\/(localhost|127\.|\[::1\])/i.test(place.url)
  const lines = [
    `Sending ${label}${size}${files}`,
    '',
    `  ${command}`,
    // A browser cannot decrypt it.
    ...(seal === undefined ? [`  ${link}`] : []),
    ...(isLocal ? ['  This address is for this machine only: --server names a gateway that others reach.'] : []),
    '',
    ...(wantsQr(options) && !isLocal && seal === undefined
      ? [...renderUnicodeCompact(link, { ecc: 'L', border: 1 }).split('\n'), '']
      : []),
  ]
  return {
    lines,
    data: { event: 'ready', name: place.name, url: place.url, link, command, label, bytes: about ?? null },
  }
}

/** What the receiver has to have. */
function keyFlag({ to }: Seal): string {
  return 'recipients' in to ? '--identity KEY-FILE' : '--passphrase-file FILE'
}

/** The secret behind the name: with a dash where the name ends in digits, else behind a `#`, which no client sends to a server. */
function withSecret(word: string, { seal, isNamed }: InvitationOptions): string {
  if (seal?.words === undefined) return word
  return `${word}${isNamed || word.includes('/') ? '#' : '-'}${seal.words}`
}

function linkOf({ url }: NamedPlace, { receivers, live }: InvitationOptions): string {
  const parts = ['receive', ...(receivers > 1 ? [`n=${receivers}`] : []), ...(live ? ['live'] : [])]
  return `${url}${url.includes('?') ? '&' : '?'}${parts.join('&')}`
}

function wantsQr({ noQr, isTerminal, unicode, rows }: InvitationOptions): boolean {
  return !noQr && isTerminal && unicode && rows >= QR_ROWS
}

/** For the shells that people have: what has a special meaning in one of them stands in quotes. */
export function quoted(word: string): string {
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
