import { formatBytes, formatDuration } from '../../plugins/transfer-status/format.js'
import type { CommandResult, Run } from '../cli/command.js'
import type { Values } from '../cli/description.js'
import { WrongUsage } from '../cli/wrong-usage.js'
import { type NamedPlace, placeOf } from '../place.js'
import { runUntilOver } from '../screen/run.js'
import { type Screen, screenOn } from '../screen/screen.js'
import { Accepting } from './accepting.js'
import { Connections } from './connections.js'
import type { description } from './description.js'
import { Dialling } from './dialling.js'
import { inWords, readEndpoint } from './endpoint.js'
import { forward } from './forward.js'
import type { HoodyOptions } from './hoody/answering.js'
import type { News } from './news.js'
import type { Role } from './role.js'
import type { HoodyName } from './ways/way.js'
import { WayChoice } from './ways/way-choice.js'

/** So long a connection that is kept for the next one may be idle, in milliseconds: before a server thinks of closing it. */
const KEPT_MS = 4000

/** `pipegate forward`. docs/forward.md tells more. */
export const run: Run<typeof description> = async (values): Promise<CommandResult> => {
  const { role, endpoint } = whatOf(values)
  if (isHoody(values.via) && role === 'listen' && values.wait !== undefined) {
    throw new WrongUsage(
      `--wait goes with --connect here: with --via ${values.via} nobody is waited for before a connection has come`,
    )
  }
  const { stdout, env } = process
  const { screen } = screenOn(stdout, values, env)
  const agent = { maxSockets: Number.POSITIVE_INFINITY, timeout: KEPT_MS }
  const place = await placeOf(values.name, values, env, agent)
  const on = (news: News) => tell(news, screen, role, place)
  const connections = new Connections(values.connections, on)
  const waitMs = values.wait === undefined ? undefined : values.wait * 1000
  const exitCode = await runUntilOver(screen, stdout, place.server, async (signal) => {
    if (isHoody(values.via))
      return forwardByHoody(values.via, role, { place, endpoint, connections, waitMs, signal, on })
    const ways = new WayChoice(place, values.via === 'auto' ? undefined : values.via)
    const side =
      role === 'listen' ? new Accepting(endpoint, ways, connections, on) : new Dialling(endpoint, ways, connections)
    return forward({ place, side, ways, connections, waitMs, signal, on })
  })
  return { text: '', exitCode }
}

function isHoody(via: Values<typeof description>['via']): via is HoodyName {
  return via === 'ws' || via === 'hoody-pipes'
}

async function forwardByHoody(via: HoodyName, role: Role, options: Omit<HoodyOptions, 'call'>): Promise<never> {
  options.on({ event: 'way', way: via })
  // Loaded by who wants it.
  const { forwardAsHoody } = await import('./hoody/forward-as-hoody.js')
  return forwardAsHoody(via, role, options)
}

function whatOf({ listen, connect }: Values<typeof description>) {
  if (listen !== undefined && connect === undefined) {
    return { role: 'listen', endpoint: readEndpoint(listen, '--listen', 0) } as const
  }
  if (connect !== undefined && listen === undefined) {
    return { role: 'connect', endpoint: readEndpoint(connect, '--connect', 1) } as const
  }
  throw new WrongUsage('one of --listen and --connect, the other one on the other machine')
}

function tell(news: News, screen: Screen, role: Role, place: NamedPlace): void {
  const lines = linesOf(news, role, place)
  screen.say(lines, news.event === 'listening' ? { event: 'listening', at: inWords(news.at) } : news)
}

/** What a person is told: all but connections that go as they should. */
function linesOf(news: News, role: Role, place: NamedPlace): string[] {
  switch (news.event) {
    case 'listening':
      return [`Listening on ${inWords(news.at)}.`]
    case 'met':
      return ['The other side is there.']
    case 'parted':
      return [news.why === undefined ? 'The other side has ended.' : `The other side is lost: ${part(news.why)}.`]
    case 'trouble':
      return [`${place.server}: ${part(news.why)}. Trying again in ${formatDuration(Math.ceil(news.retryMs / 1000))}.`]
    case 'cut':
      return [`Connection ${news.connection} was cut: ${part(news.why)}. ${sizes(news)}`]
    case 'refused':
      return [`A connection was ${role === 'listen' ? 'reset' : 'not made'}: ${part(news.why)}.`]
    case 'way':
    case 'opened':
    case 'closed':
      return []
  }
}

/** What a server says is a sentence of its own. */
function part(why: string): string {
  return why.replace(/\.$/, '')
}

function sizes({ sent, received }: { readonly sent: number; readonly received: number }): string {
  return `It had sent ${formatBytes(sent)} and received ${formatBytes(received)}.`
}
