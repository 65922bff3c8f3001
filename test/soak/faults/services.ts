/** Services that the gateway asks: gone, stopped, back, with other answers. */

import type { DnsServer } from '../../support/dns-server.js'
import type { Issuer, IssuerKey } from '../../support/issuer.js'
import type { RedisServer } from '../../support/redis-server.js'
import { LIES, type TapeServers } from '../upstreams.js'
import type { Fault } from './fault.js'

export function redisFaults(redis: RedisServer): Fault[] {
  return [
    {
      name: 'Redis gone',
      what: 'killed, and started again on its port',
      lasts: [1000, 4000],
      async plant() {
        await redis.stop()
        return () => redis.run()
      },
    },
  ]
}

/** @param keys the one that the tokens of the load are signed with, and another one */
export function issuerFaults(issuer: Issuer, [own, other]: readonly [IssuerKey, IssuerKey]): Fault[] {
  return [
    {
      name: 'key server gone',
      what: 'the port of the JWKS server is closed, and open again',
      lasts: [1000, 4000],
      async plant() {
        await issuer.down()
        return () => issuer.up()
      },
    },
    {
      name: 'key server with other keys',
      what: 'the key of all tokens is withdrawn, and there again',
      lasts: [1500, 4000],
      plant() {
        issuer.keys = [other]
        return () => {
          issuer.keys = [own, other]
        }
      },
    },
  ]
}

/** @param addresses of the servers behind the name */
export function dnsChange(dns: DnsServer, name: string, addresses: readonly string[]): Fault {
  const [first, second] = addresses as [string, string]
  const answers = [[first], [second], ['127.0.0.9'], [second, '127.0.0.9'], [], 'silent', 'servFail'] as const
  return {
    name: 'DNS answers that change',
    what: 'one address of two, the other one, a dead one, none, SERVFAIL, silence',
    lasts: [800, 4000],
    plant(random) {
      dns.names.set(name, random.pick(answers)!)
      return () => void dns.names.set(name, addresses)
    },
  }
}

export function lies(servers: TapeServers): Fault {
  let turn = 0
  return {
    name: 'upstreams that lie',
    what: `in turn: ${LIES.join(', ')}`,
    lasts: [800, 2500],
    plant() {
      servers.lie = LIES[turn++ % LIES.length]!
      return () => {
        servers.lie = undefined
      }
    },
  }
}
