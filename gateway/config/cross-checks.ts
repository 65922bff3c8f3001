import { accessSync, constants, statSync } from 'node:fs'
import type { Origin } from './origin.js'
import { badCombination, badValue, type Problem } from './problems/problems.js'
import { show, systemError } from './problems/show.js'
import { type Config, type SettingKey, settingInfo } from './settings.js'
import { sizeText } from './sizes.js'

/** The values in effect, defaults included. An invalid value is `undefined` here and has been reported before. */
export type Values = { -readonly [K in SettingKey]?: Config[K] }

/** The origins of the values that were given. */
type Origins = ReadonlyMap<SettingKey, Origin>

/** Checks the rules that involve several settings, or the file system. */
export function crossCheck(values: Values, origins: Origins): readonly Problem[] {
  const checks = new CrossChecks(values, origins)
  checks.names()
  checks.audience()
  checks.memory()
  checks.tls()
  checks.clientCertificates()
  checks.threads()
  return checks.problems
}

class CrossChecks {
  readonly problems: Problem[] = []

  constructor(
    readonly values: Values,
    readonly origins: Origins,
  ) {}

  names(): void {
    const { prefix, bareNames } = this.values
    if (prefix !== '' || bareNames !== false) return
    this.#conflict(['prefix', 'bareNames'], 'prefix off and bareNames false', 'at least one of them on')
  }

  audience(): void {
    const { public: isPublic, open, host, tokenFile } = this.values
    if (isPublic === true && host !== undefined && host !== '::' && host !== '0.0.0.0')
      this.#conflict(['public', 'host'], `public and host ${show(host)}`, 'one of them, or host :: or 0.0.0.0')
    if (open === true && isPublic === false) this.#conflict(['open'], 'open without public', 'public as well')
    if (open === true && tokenFile !== undefined)
      this.#conflict(['open', 'tokenFile'], 'open and tokenFile', 'one of them')
    if (this.origins.has('tokenFile')) this.#readable('tokenFile', tokenFile)
  }

  memory(): void {
    const { window, memory } = this.values
    if (window === undefined || memory === undefined || memory >= window) return
    const found = `window ${sizeText(window)} and memory ${sizeText(memory)}`
    this.#conflict(['window', 'memory'], found, 'memory to be at least window')
  }

  tls(): void {
    const given = (['tlsCert', 'tlsKey'] as const).filter((key) => this.origins.has(key))
    if (given.length === 1) {
      const missing = given[0] === 'tlsCert' ? 'tlsKey' : 'tlsCert'
      this.#conflict(given, `${given[0]} without ${missing}`, 'both or none')
    }
    for (const key of given) this.#readable(key, this.values[key])
    for (const pair of this.values.tlsSni ?? []) {
      for (const path of [pair.cert, pair.key]) this.#readable('tlsSni', path)
    }
    if (given.length > 0) this.#redirect()
    else this.#withoutTls()
  }

  clientCertificates(): void {
    const { tlsClientAuth, tlsClientCa, tlsClientCrl, tlsCert, socketHelper } = this.values
    if (tlsClientAuth !== undefined && tlsClientCa === undefined)
      this.#conflict(['tlsClientAuth'], 'tlsClientAuth without tlsClientCa', 'the authorities that vouch for clients')
    if (tlsClientCa !== undefined && tlsClientAuth === undefined)
      this.#conflict(['tlsClientCa'], 'tlsClientCa without tlsClientAuth', 'tlsClientAuth required, or optional')
    if (tlsClientCrl !== undefined && tlsClientCa === undefined)
      this.#conflict(['tlsClientCrl'], 'tlsClientCrl without tlsClientCa', 'both, or no list')
    for (const key of ['tlsClientCa', 'tlsClientCrl'] as const) this.#readable(key, this.values[key])
    if (tlsClientAuth === undefined) return
    if (tlsCert === undefined)
      this.#conflict(['tlsClientAuth'], 'tlsClientAuth without tlsCert', 'tlsCert and tlsKey as well')
    const without = "what the engine's own TLS cannot do"
    if (socketHelper === false)
      this.#conflict(
        ['tlsClientAuth', 'socketHelper'],
        `tlsClientAuth without socketHelper, ${without}`,
        'both, or none',
      )
    else if (process.platform !== 'linux')
      this.#conflict(
        ['tlsClientAuth'],
        `tlsClientAuth on ${process.platform}, ${without}`,
        'Linux, or no tlsClientAuth',
      )
  }

  threads(): void {
    const { threads = 1, socketHelper } = this.values
    if (threads === 1) return
    if (socketHelper === false)
      this.#conflict(['threads', 'socketHelper'], `threads ${threads} without socketHelper`, 'both, or one thread')
    if (process.platform !== 'linux')
      this.#conflict(['threads'], `threads ${threads} on ${process.platform}`, 'one thread')
  }

  #redirect(): void {
    const { port, redirectPort } = this.values
    if (redirectPort !== port || port === undefined || port === 0) return
    this.#conflict(['port', 'redirectPort'], `port ${port} and redirectPort ${port}`, 'two ports')
  }

  #withoutTls(): void {
    const { tlsSni = [], redirectPort } = this.values
    const both = 'tlsCert and tlsKey as well'
    if (tlsSni.length > 0) this.#conflict(['tlsSni'], 'tlsSni without tlsCert', both)
    if (redirectPort !== undefined) this.#conflict(['redirectPort'], 'redirectPort without tlsCert', both)
  }

  #readable(key: SettingKey, path: string | undefined): void {
    const fault = path === undefined ? undefined : unreadable(path)
    if (fault === undefined) return
    this.problems.push(badValue(this.origins.get(key)!, key, `${show(path)} (${fault})`, settingInfo(key).expected))
  }

  #conflict(keys: readonly SettingKey[], found: string, expected: string): void {
    const origins = keys.flatMap((key) => this.origins.get(key) ?? [])
    this.problems.push(badCombination(origins, keys.join(', '), found, expected))
  }
}

/** Why a file cannot be read. It is not opened, because a named pipe can be read only once. */
function unreadable(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK)
    return statSync(path).isDirectory() ? 'a directory' : undefined
  } catch (error) {
    return systemError(error)
  }
}
