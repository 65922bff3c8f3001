import type { PluginHost } from '../host/plugin-host.js'
import type { HostRule } from '../http/hosts.js'
import type { Logger } from '../log/log.js'

/** Says at the start what pages in a browser can do here that they cannot by default. Nothing where everybody needs credentials. */
export function logOpenness(
  log: Logger,
  { isOpen }: Pick<HostRule, 'isOpen'>,
  { pageOrigins, everybodyAuthenticates }: Pick<PluginHost, 'pageOrigins' | 'everybodyAuthenticates'>,
): void {
  if (everybodyAuthenticates) return
  if (pageOrigins.includes('*')) {
    log.warn(
      { origins: pageOrigins },
      'every page of every site may send and receive here (cors.origins); name the sites to keep others out',
    )
  } else if (isOpen) {
    log.warn(
      {},
      'every host name is served, so a page may reach this gateway by a name of its own; set hosts to keep it out',
    )
  }
}
