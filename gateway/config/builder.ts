import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { TlsFiles } from '../tls/certificate.js'
import { crossCheck, type Values } from './cross-checks.js'
import type { Origin, Origins } from './origin.js'
import { badValue, ConfigError, type Problem, unknownName } from './problems/problems.js'
import { show } from './problems/show.js'
import { type Config, isSetting, SETTING_KEYS, type SettingKey, settingInfo, settings } from './settings.js'
import type { Entry } from './sources.js'

const DEFAULT: Origin = Object.freeze({ source: 'default', name: 'default' })

/** Builds a configuration from entries, those of the highest source first. */
export class ConfigBuilder {
  readonly problems: Problem[] = []
  /** The origin of the value in effect, whether it is valid or not. */
  readonly #origins = new Map<SettingKey, Origin>()
  /** The valid ones only. A key with an origin and without a value is one whose value is invalid. */
  readonly #values: Record<string, unknown> = {}

  add(entry: Entry): void {
    const { key, origin } = entry
    if (!isSetting(key)) {
      this.problems.push(unknownName(origin, key))
      return
    }
    const result = settings.shape[key].safeParse(entry.raw)
    if (!result.success) this.problems.push(badValue(origin, key, show(entry.raw), settingInfo(key).expected))
    if (this.#origins.has(key)) return
    this.#origins.set(key, origin)
    if (result.success) this.#values[key] = withAbsolutePaths(key, result.data, origin)
  }

  /** @throws ConfigError with all problems */
  build(): { readonly config: Config; readonly origins: Origins } {
    const defaults = settings.parse({})
    for (const key of SETTING_KEYS) if (!this.#origins.has(key)) this.#values[key] = defaults[key]
    this.#listenOnAll()
    this.problems.push(...crossCheck(this.#values as Values, this.#origins))
    if (this.problems.length > 0) throw new ConfigError(this.problems)
    const origins = SETTING_KEYS.map((key) => [key, this.#origins.get(key) ?? DEFAULT] as const)
    return {
      config: Object.freeze(this.#values as Config),
      origins: Object.freeze(Object.fromEntries(origins) as Record<SettingKey, Origin>),
    }
  }

  /** What `public` means for `host`, unless that is given. */
  #listenOnAll(): void {
    if (this.#values.public !== true || this.#origins.has('host')) return
    this.#values.host = everyAddress()
    this.#origins.set('host', this.#origins.get('public')!)
  }
}

/** Linux has it where the kernel has IPv6; it is empty where IPv6 is switched off. */
const IPV6_ADDRESSES = '/proc/net/if_inet6'

/**
 * For IPv6 and IPv4, where the machine has both: `::` cannot be opened where it has no IPv6. The list of interfaces is not asked
 * for, since that takes a netlink socket, which a service may have to do without.
 */
function everyAddress(): string {
  if (process.platform !== 'linux') return '::'
  try {
    return readFileSync(IPV6_ADDRESSES, 'latin1') === '' ? '0.0.0.0' : '::'
  } catch {
    return '0.0.0.0'
  }
}

/** A relative path in a file is relative to that file, so that it works wherever the program is started. */
function withAbsolutePaths(key: SettingKey, value: unknown, origin: Origin): unknown {
  const absolute = (path: string) => (origin.source === 'file' ? resolve(dirname(origin.name), path) : resolve(path))
  const { name } = settingInfo(key)
  if (name === 'path') return absolute(value as string)
  if (name !== 'pairs') return value
  return (value as readonly TlsFiles[]).map(({ cert, key }) => ({ cert: absolute(cert), key: absolute(key) }))
}
