import { isIP } from 'node:net'
import { z } from '../../../gateway/host/plugin-api.js'
import { readOrigin, targetOf } from './upstream.js'

/** Whoever is looked at less often than once in an hour is not looked at. */
const LONGEST_S = 3600

const seconds = z.number().min(0.05).max(LONGEST_S)
const times = z.int().min(1).max(100)

const origin = z
  .string()
  .refine((text) => readOrigin(text) !== undefined, 'expected an origin, http://host:port or https://host:port')

/** Each place once: twice would be two shares of the names for one upstream. */
const origins = z
  .array(origin)
  .min(1, 'expected one upstream at least')
  .superRefine((all, context) => {
    const first = new Map<string, number>()
    for (const [i, text] of all.entries()) {
      const url = readOrigin(text)
      if (url === undefined) continue
      const { id } = targetOf(url)
      const other = first.get(id)
      if (other === undefined) first.set(id, i)
      else context.addIssue({ code: 'custom', path: [i], message: twice(all[other]!, other, text, id) })
    }
  })

function twice(one: string, at: number, other: string, id: string): string {
  const same = one === other ? 'too' : `as ${one}, which is the same place`
  return `found ${other}, and [${at}] is ${same}: ${id}; expected each upstream once`
}

const dnsName = z.string().refine((text) => readDnsName(text) !== undefined, {
  error: 'expected a DNS name with a port, relays.internal:8080 or https://relays.internal:8443',
})

/** `host:port`, or an origin; undefined when it is none, or an address, which needs no lookup. */
export function readDnsName(text: string): URL | undefined {
  const url = readOrigin(text.includes('://') ? text : `http://${text}`)
  return url !== undefined && isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 ? url : undefined
}

const dnsServer = z.string().refine((text) => {
  const [, v6, v4, port = '53'] = /^(?:\[(.+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  return (
    isIP(text) !== 0 || ((isIP(v6 ?? '') === 6 || isIP(v4 ?? '') === 4) && Number(port) > 0 && Number(port) < 65_536)
  )
}, 'expected the address of a DNS server, 10.0.0.53 or 10.0.0.53:5353')

/** How it is known which upstreams can be used. Times are in seconds. */
export const healthSchema = z.strictObject({
  /**
   * What is asked for with GET; an answer of 2xx or 3xx is good. Without it, and for a service other than a pipegate, a connection
   * that can be opened is.
   */
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, 'expected a path, /health')
    .optional(),
  /** Between two checks of one upstream, give or take a tenth. */
  interval: seconds.default(2),
  /** Of one check, from the connection to the end of the answer. */
  timeout: seconds.default(2),
  /** So many good checks in a row bring an upstream back. */
  rise: times.default(2),
  /** So many bad ones in a row take it out. A refused connection and 503 do so at once. */
  fall: times.default(2),
})

/** What a service says about where its requests go; to be spread into its schema, with {@link oneSource} behind it. */
export const upstreamFields = {
  upstreams: origins.optional(),
  /**
   * A name whose addresses are the upstreams: the IPv4 ones, or when it has none the IPv6 ones. It is asked for as it stands, without
   * search domains and without /etc/hosts.
   */
  dns: dnsName.optional(),
  /** Seconds between two lookups. */
  lookup: seconds.default(10),
  /** DNS servers that are asked instead of the system's. */
  resolver: z.array(dnsServer).min(1).optional(),
  health: healthSchema.default(() => healthSchema.parse({})),
}

export type UpstreamsConfig = z.infer<ReturnType<typeof shape>>
export type HealthConfig = z.infer<typeof healthSchema>

const shape = () => z.strictObject(upstreamFields)

/** For `refine` of a schema that has {@link upstreamFields}. */
export const oneSource = [
  ({ upstreams, dns }: Pick<UpstreamsConfig, 'upstreams' | 'dns'>) => (upstreams === undefined) !== (dns === undefined),
  'expected either upstreams, a list of origins, or dns, a name that is looked up',
] as const
