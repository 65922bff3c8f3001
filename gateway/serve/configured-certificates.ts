import { isDeepStrictEqual } from 'node:util'
import { type Config, type LoadedConfig, SETTING_KEYS } from '../config/config.js'
import type { Logger } from '../log/log.js'
import type { TlsFiles } from '../tls/certificate.js'
import type { CertificateSource } from '../tls/certificate-watcher.js'

/** Where a configuration came from, to be read again. */
export interface Reread {
  readonly began: LoadedConfig
  /** @throws ConfigError */
  read(): LoadedConfig
}

/** Settings that take effect when the configuration is read again. */
const RELOADED: readonly string[] = ['tlsCert', 'tlsKey', 'tlsSni']

/** The certificates that the configuration names, which may be others when it is read again. */
export class ConfiguredCertificates implements CertificateSource {
  /** @param again undefined where the configuration did not come from anywhere */
  constructor(
    readonly config: Config,
    readonly again: Reread | undefined,
    readonly log: Logger,
  ) {}

  /** The configuration file. */
  get watched(): string | undefined {
    return this.again?.began.file
  }

  /** Also says which other settings have changed. */
  files(): readonly TlsFiles[] {
    if (this.again === undefined) return tlsFiles(this.config)
    const { began } = this.again
    const now = this.again.read()
    const files = tlsFiles(now.config)
    // A port speaks TLS or does not from its start to its end.
    const changed: string[] = SETTING_KEYS.filter(
      (key) =>
        (files.length === 0 || !RELOADED.includes(key)) && !isDeepStrictEqual(now.config[key], began.config[key]),
    )
    if (!isDeepStrictEqual(now.plugins, began.plugins)) changed.push('plugins')
    if (changed.length > 0) this.log.warn({ settings: changed }, 'changed settings need a restart')
    return files.length === 0 ? tlsFiles(this.config) : files
  }
}

/** The first is the default, the others are for certain names. None without TLS. */
export function tlsFiles({ tlsCert: cert, tlsKey: key, tlsSni }: Config): readonly TlsFiles[] {
  return cert === undefined || key === undefined ? [] : [{ cert, key }, ...tlsSni]
}
