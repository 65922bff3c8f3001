import { z } from '../../gateway/host/plugin-api.js'
import { oneSource, upstreamFields } from './pool/config.js'

const LONGEST_S = 86_400

const seconds = z.number().min(0).max(LONGEST_S)

/** `grafana.example`, or `*.example` for everything below it. */
const host = z
  .string()
  .regex(
    /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$|^\[[0-9a-f:.]+\]$/i,
    'expected a host, shop.example.org or *.example.org',
  )

const prefix = z.string().regex(/^\/[\x21-\x3e\x40-\x7e]*$/, 'expected the beginning of a path, /shop/')

/** Which requests a route is for. Of several the most exact host counts, then the longest prefix. */
const place = { host: host.optional(), prefix: prefix.default('/') }

/** Requests that are the gateway's own business although another route would cover them. */
const own = z.strictObject({ ...place, self: z.literal(true) })

const forwarding = z
  .strictObject({
    ...place,
    self: z.literal(false).default(false),
    ...upstreamFields,
    /** `name`: each name of a pipe belongs to one upstream. `turn`: they take turns. */
    balance: z.enum(['turn', 'name']).default('turn'),
    /** The prefix is left out of what the upstream is asked for. */
    strip: z.boolean().default(false),
    /** Which `Host` the upstream is told: the one that the client asked for, or its own. */
    hostHeader: z.enum(['client', 'upstream']).default('client'),
    /** Whether the upstream is given the client's `Authorization`. */
    authorization: z.enum(['pass', 'remove']).default('pass'),
    /** A file with certificates of authorities that upstreams are trusted by, instead of those that Node trusts. */
    ca: z.string().min(1).optional(),
    /** Times in seconds, 0 for no limit. */
    timeouts: z
      .strictObject({
        /** Until a connection is open. */
        connect: seconds.default(5),
        /** From the end of the request to the beginning of the answer. Default 60; none with `balance: name`. */
        response: seconds.optional(),
        /** Without a byte in either direction. Default 300; none with `balance: name`. */
        idle: seconds.optional(),
      })
      .default({ connect: 5 }),
  })
  .refine(...oneSource)
  .refine(({ balance, prefix, strip }) => balance !== 'name' || (prefix === '/' && !strip), {
    path: ['balance'],
    error: 'balance: name is for all names: expected neither a prefix nor strip beside it',
  })

export const schema = z.strictObject({
  routes: z
    .array(z.union([own, forwarding]))
    .min(1, 'expected one route at least')
    .superRefine((routes, context) => {
      const first = new Map<string, number>()
      for (const [i, each] of routes.entries()) {
        const where = `${each.host?.toLowerCase() ?? ''}${each.prefix}`
        const other = first.get(where)
        if (other === undefined) first.set(where, i)
        else context.addIssue({ code: 'custom', path: [i], message: `found ${where}, which is that of [${other}] too` })
      }
    }),
  /** A request that has come through more gateways than this goes in a circle. */
  maxHops: z.int().min(1).max(100).default(10),
})

export type Config = z.infer<typeof schema>
export type RouteConfig = Config['routes'][number]
export type ForwardingConfig = z.infer<typeof forwarding>
