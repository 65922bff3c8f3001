import { isDeepStrictEqual } from 'node:util'
import { type Config, type LoadedConfig, SETTING_KEYS } from '../config/config.js'
import type { Logger } from '../log/log.js'
import type { CertificateSource, TlsSources } from '../tls/certificate-watcher.js'

/** Where a configuration came from, to be read again. */
export interface Reread {
  readonly began: LoadedConfig
  /** @throws ConfigError */
  read(): LoadedConfig
}

/** Settings that take effect when the configuration is read again. */
const RELOADED: readonly string[] = ['tlsCert', 'tlsKey', 'tlsSni', 'tlsClientCa', 'tlsClientCrl']

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
  files(): TlsSources {
    if (this.again === undefined) return tlsSources(this.config)
    const { began } = this.again
    const now = this.again.read()
    // A port speaks TLS or does not, and asks clients for certificates or does not, from its start to its end.
    const isAlike =
      (now.config.tlsCert === undefined) === (began.config.tlsCert === undefined) &&
      now.config.tlsClientAuth === began.config.tlsClientAuth
    const changed: string[] = SETTING_KEYS.filter(
      (key) => (!isAlike || !RELOADED.includes(key)) && !isDeepStrictEqual(now.config[key], began.config[key]),
    )
    if (!isDeepStrictEqual(now.plugins, began.plugins)) changed.push('plugins')
    if (changed.length > 0) this.log.warn({ settings: changed }, 'changed settings need a restart')
    return tlsSources(isAlike ? now.config : this.config)
  }
}

function tlsSources({ tlsCert: cert, tlsKey: key, tlsSni, tlsClientAuth: auth, ...others }: Config): TlsSources {
  const { tlsClientCa: ca, tlsClientCrl: crl } = others
  return {
    certificates: cert === undefined || key === undefined ? [] : [{ cert, key }, ...tlsSni],
    clients: auth === undefined || ca === undefined ? undefined : { auth, ca, crl },
  }
}
