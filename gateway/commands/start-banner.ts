import { isLoopbackAddress } from '../http/hosts.js'
import { banner } from '../serve/banner/banner.js'
import { machineNames } from '../serve/banner/machine-names.js'
import { reachableOrigins } from '../serve/banner/reach.js'
import { ownScreen } from '../serve/banner/screen.js'
import type { Gateway } from '../serve/gateway.js'
import { ownAddresses } from '../serve/own-addresses.js'
import { packageVersion } from '../serve/package-version.js'

/**
 * Looks up what the banner of a gateway needs, before the port is open: nothing that is logged of a first request must come before it.
 * @param token that was made for this run
 * @returns the banner, for the port that was opened
 */
export async function startBanner(
  gateway: Gateway,
  token?: string,
): Promise<(port: number, warnings: readonly string[]) => string> {
  const { config, hosts, certifiedNames: certified, everybodyAuthenticates: isAuthenticated } = gateway
  // In a checkout there is no `pipegate` on the path.
  const isNpmStart = process.env.npm_lifecycle_event === 'start'
  const isLocal = isLoopbackAddress(config.host)
  const audience = {
    isLocal,
    isProxied: config.hosts.length > 0 || config.trustedProxies !== '',
    isAuthenticated,
    token,
    isBounded: hosts.isBounded,
    isOpenOnPurpose: config.open,
    isTls: config.tlsCert !== undefined,
    publicCommand: isNpmStart ? 'npm start -- --public' : 'pipegate serve --public',
  }
  const serves = (host: string) => hosts.serves(host)
  const names = isLocal ? [] : await machineNames(ownAddresses(config.host))
  return (port, warnings) =>
    banner(
      {
        version: packageVersion(),
        origins: reachableOrigins({ config, port, serves, certified, machineNames: names }),
        base: config.bareNames ? '' : config.prefix,
        audience,
        program: isNpmStart ? 'node dist/gateway/main.js' : 'pipegate',
        redirectPort: config.redirectPort,
        warnings,
        qr: config.qr,
      },
      ownScreen(),
    )
}
