import { type Audience, audienceLines } from './audience.js'
import { qrCode } from './qr-code.js'
import type { Screen } from './screen.js'
import { wrapped } from './screen.js'

/** What the banner tells. */
export interface BannerFacts {
  readonly version: string
  /** Where the gateway answers, the best one first. */
  readonly origins: readonly string[]
  /** What stands before a name: empty, or the prefix where there are no bare names. */
  readonly base: string
  readonly audience: Audience
  /** How `pipegate` is started here, so that it can be pasted. */
  readonly program: string
  /** The port that sends everybody to HTTPS. */
  readonly redirectPort: number | undefined
  /** A line each, of which nobody must have to look for. */
  readonly warnings: readonly string[]
  /** A QR code was asked for. */
  readonly qr: boolean
}

/** What a way to use the gateway is called, and the command or the address for it. */
type Way = readonly [label: string, what: string]

const LABEL_COLUMNS = 9
/** What `pipegate send` and `pipegate receive` use when nobody says which server. */
const USUAL_SERVER = 'http://127.0.0.1:8080'
/** A machine with containers has an address for each of their networks. */
const MOST_OTHERS = 4

/** What a person sees who has started a gateway on a terminal: what to paste, who can reach it, and what to look at. */
export function banner(facts: BannerFacts, screen: Screen): string {
  const { version, origins, warnings } = facts
  const { bold, yellow } = paint(screen.isColoured)
  const text = (line: string) => wrapped(line, screen.columns, '  ')
  return `${[
    bold(`pipegate ${version}`),
    '',
    ...shownWays(ways(facts), screen),
    ...qrLines(facts, screen),
    '',
    ...audienceLines(facts.audience, origins).map(text),
    ...(facts.redirectPort === undefined ? [] : [text(`Port ${facts.redirectPort} leads here from plain HTTP.`)]),
    'Ctrl-C stops it.',
    ...warnings.map((warning) => yellow(text(`! ${warning}`))),
    '',
  ].join('\n')}\n`
}

function ways({ origins, base, audience, program }: BannerFacts): readonly Way[] {
  const [best = '', ...others] = origins
  const { isAuthenticated, token = 'TOKEN' } = audience
  const curl = isAuthenticated ? `curl -H ${quoted(`Authorization: Bearer ${token}`)}` : 'curl'
  const name = quoted(`${best}${base}/name`)
  // A variable, since other users of the machine can read arguments.
  const own = isAuthenticated ? `PIPEGATE_TOKEN=${quoted(token)} ${program}` : program
  const server = best + base === USUAL_SERVER ? '' : ` --server ${quoted(best + base)}`
  return [
    ['send', `${own} send${server} FILE`],
    ['or', `${curl} -T FILE ${name}`],
    ['receive', `${own} receive${server} NAME`],
    ['or', `${curl} ${name}`],
    ['browser', `${best}${base}/${isAuthenticated ? '  (the password is the token)' : ''}`],
    ...alsoAt(others, base),
  ]
}

function alsoAt(others: readonly string[], base: string): Way[] {
  // The last one is this machine's own, for who tries it out here.
  const shown = others.length <= MOST_OTHERS ? others : [...others.slice(0, MOST_OTHERS - 1), ...others.slice(-1)]
  const left = others.length - shown.length
  const all = shown.map((origin, i): Way => [i === 0 ? 'also at' : '', origin + base])
  return left === 0 ? all : [...all, ['', `and ${left} more`]]
}

/** With the labels in front, or above where a line would not fit: what is broken by a terminal is hard to copy. */
function shownWays(all: readonly Way[], { columns, isColoured }: Screen): string[] {
  const { bold, dim } = paint(isColoured)
  const isWide = all.every(([, what]) => 2 + LABEL_COLUMNS + what.length <= columns)
  return all.flatMap(([label, what]) => {
    if (isWide) return [`  ${dim(label.padEnd(LABEL_COLUMNS))}${bold(what)}`]
    return [...(label === '' ? [] : [dim(label)]), bold(what)]
  })
}

function qrLines({ qr, origins, base, audience }: BannerFacts, screen: Screen): readonly string[] {
  if (!qr) return []
  if (audience.isLocal) return ['', wrapped('No QR code: no other machine reaches this address.', screen.columns, '  ')]
  const code = qrCode(`${origins[0]}${base}/`, screen)
  return ['', ...(code ?? [wrapped('No QR code: the terminal is too narrow for it.', screen.columns, '  ')])]
}

/** As a word of a shell; zsh takes `[` for a pattern. */
function quoted(word: string): string {
  return /^[\w.:/@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

function paint(isColoured: boolean) {
  const with_ = (on: number, off: number) => (text: string) => (isColoured ? `\x1b[${on}m${text}\x1b[${off}m` : text)
  return { bold: with_(1, 22), dim: with_(2, 22), yellow: with_(33, 39) }
}
