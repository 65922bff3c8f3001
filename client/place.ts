import { readFileSync } from 'node:fs'
import type { AgentOptions } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { inAddress, nameProblem } from '../plugins/pages/name.js'
import type { TlsFlags } from './certificates.js'
import { WrongUsage } from './cli/wrong-usage.js'
import { baseOf } from './server.js'
import { type Address, readAddress } from './wire/address.js'
import type { Place } from './wire/exchange.js'
import { reach } from './wire/reach.js'
import { authorization, headersOf } from './wire/request-headers.js'

/** Where a gateway listens by default. */
export const DEFAULT_SERVER = 'http://127.0.0.1:8080'

export interface PlaceFlags extends TlsFlags {
  readonly server: string | undefined
  readonly token: string | undefined
  readonly header: readonly string[]
}

/** A place, and how it is written down for people. */
export interface NamedPlace extends Place {
  /** The name, as it was given. */
  readonly name: string
  /** The address without credentials: `https://host/name`. */
  readonly url: string
  readonly server: string
  readonly isDefaultServer: boolean
}

/**
 * The place that somebody meant: an address with its scheme, or a name on the server of `--server`, of `PIPEGATE_URL`, of the settings
 * file, or on this machine.
 * @param agent for its connections, where they are not the usual ones
 * @throws WrongUsage
 */
export async function placeOf(
  word: string,
  flags: PlaceFlags,
  env: NodeJS.ProcessEnv,
  agent?: AgentOptions,
): Promise<NamedPlace> {
  const settings = await readSettings(env)
  const [known, where] =
    flags.server !== undefined
      ? [flags.server, '--server']
      : env.PIPEGATE_URL
        ? [env.PIPEGATE_URL, 'PIPEGATE_URL']
        : [settings.server, 'server in client.yaml']
  const server = baseOf(known ?? DEFAULT_SERVER, where)
  const isAddress = /^https?:\/\//i.test(word)
  const problem = isAddress ? undefined : nameProblem(word)
  if (problem !== undefined) throw new WrongUsage(problem)
  const text = isAddress ? word.replace(/#.*$/s, '') : `${server}/${inAddress(word)}`
  const address = readAddress(text)
  if (address === undefined) throw new WrongUsage('expected a name, or an address such as https://HOST/NAME')
  const url = withoutCredentials(text)
  const { origin } = new URL(url)
  // Who hands out a link must not get a token that is meant for another server.
  const isOurs = new URL(server).origin === origin
  // A variable without a server may have been set for this one call; a file has not.
  const token = isOurs ? (env.PIPEGATE_TOKEN ?? settings.token) : known === undefined ? env.PIPEGATE_TOKEN : undefined
  const own = { ...env, PIPEGATE_TOKEN: token }
  const headers = { ...authorization(flags.token, address.credentials, own), ...headersOf(flags.header) }
  return {
    address,
    headers,
    reach: await reach(new URL(origin), flags, agent),
    name: isAddress ? nameOf(address) : word,
    url,
    server: isAddress ? origin : withoutCredentials(server),
    isDefaultServer: !isAddress && server === DEFAULT_SERVER,
  }
}

/** As it may be shown. */
function withoutCredentials(url: string): string {
  return url.replace(/^(https?:\/\/)[^/?#]*@/i, '$1')
}

/** A name beside this one, for what the two sides tell each other: `photos/have`. */
export function beside(place: NamedPlace, segment: string): NamedPlace {
  const url = place.url.replace(/(?=\?|$)/, `/${segment}`)
  return { ...place, url, name: `${place.name}/${segment}`, address: readAddress(url)! }
}

function nameOf({ name }: Address): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

interface Settings {
  readonly server?: string
  readonly token?: string
}

/** `~/.config/pipegate/client.yaml`, where there is one: `server`, `token`. @throws WrongUsage */
async function readSettings(env: NodeJS.ProcessEnv): Promise<Settings> {
  const folder = env.XDG_CONFIG_HOME || (env.APPDATA ?? join(homedir(), '.config'))
  const path = join(folder, 'pipegate', 'client.yaml')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return {}
  }
  // Loaded by who has such a file.
  const { parse } = await import('yaml')
  const settings = parsed(() => parse(text))
  const isRight = Object.entries(settings ?? { '': '' }).every(
    ([key, value]) => (key === 'server' || key === 'token') && typeof value === 'string',
  )
  if (isRight) return settings as Settings
  throw new WrongUsage(`${path}: expected two lines at most, "server: https://HOST" and "token: TOKEN"`)
}

function parsed(parse: () => unknown): object | undefined {
  try {
    const value = parse() ?? {}
    return typeof value === 'object' ? value : undefined
  } catch {
    return undefined
  }
}
