import {
  type Context,
  definePlugin,
  type Identity,
  type Join,
  PLUGIN_API,
  type Refusal,
} from '../../gateway/host/plugin-api.js'
import { addressKey } from './address-key.js'
import { type ScopeName, schema } from './config.js'
import { FAILURES } from './failures.js'
import { RedisConnection } from './redis-connection.js'
import { Scope } from './scope.js'

/** The limits that apply to a request, and the key under which it is counted. */
interface LimitKey {
  readonly scope: Scope
  readonly key: string
}

const SWEEP_MS = 1000
const SCOPES: readonly ScopeName[] = ['token', 'project', 'address']

export default definePlugin({
  name: 'limits',
  api: PLUGIN_API,
  scope: 'thread',
  summary: 'how much each token, project and address may do',
  after: ['links', 'auth-bearer', 'auth-jwt'],
  config: schema,
  failures: FAILURES,
  reads: ['content-length'],

  setup(host) {
    const { redis, ipv6Prefix } = host.config
    const connection = redis && new RedisConnection(redis, host.log, host.now)
    const scopes = new Map<ScopeName, Scope>()
    for (const name of SCOPES) {
      const config = host.config[name]
      if (config !== undefined) scopes.set(name, new Scope(name, config, host, connection))
    }
    const address = scopes.get('address')
    const identified = SCOPES.flatMap((name) => (name === 'address' ? [] : (scopes.get(name) ?? [])))
    /** The identity of this request has been counted already. */
    const counted = host.slot<true>()

    const addressOf = (context: Context) => addressKey(context.clientAddress, ipv6Prefix)

    /** The limits of a request: those of its address, and those of its identity when that is known. */
    function keysOf(join: Join, name: 'all' | 'identified'): readonly LimitKey[] {
      const { identity } = join
      if (identity !== undefined) counted.set(join, true)
      return [
        ...(identity === undefined ? [] : identified.map((scope) => ({ scope, key: keyOf(identity, scope.name) }))),
        ...(address === undefined || name === 'identified' ? [] : [{ scope: address, key: addressOf(join) }]),
      ]
    }

    /** What is decided at once. Transfers come last, so that a request that is refused for another reason is not counted as one. */
    function admit(all: readonly LimitKey[], join: Join, announced: string): Refusal | undefined {
      const length = join.side === 'sender' || join.side === 'client' ? Number(announced) : 0
      return (
        // Requests of addresses were counted when they came.
        first(all, ({ scope, key }) => (scope === address ? undefined : scope.take('requests', key))) ??
        (join.side === 'watcher' ? undefined : first(all, ({ scope, key }) => scope.enter(key, join, length))) ??
        (joins(join) ? first(all, ({ scope, key }) => scope.take('transfers', key)) : undefined)
      )
    }

    async function admitShared(redis: RedisConnection, join: Join): Promise<Refusal | undefined> {
      const { deadline } = redis
      const all = keysOf(join, 'all')
      for (const what of joins(join) ? (['requests', 'transfers'] as const) : (['requests'] as const)) {
        for (const { scope, key } of all) {
          const refusal = await scope.takeShared(what, key, deadline)
          if (refusal !== undefined) return refusal
        }
      }
      return undefined
    }

    const isAsync = connection !== undefined || identified.length > 0
    return {
      hooks: {
        ...(address?.config.requests && {
          onRequest: (_request, context) => address.take('requests', addressOf(context)),
        }),
        onAdmit: (request, join) => admit(keysOf(join, 'all'), join, request.header('content-length')),
        // Some plugins learn the identity only in their asynchronous hook.
        ...(isAsync && {
          async onAdmitAsync(request, join, signal) {
            if (join.identity !== undefined && counted.get(join) === undefined) {
              const refusal = admit(keysOf(join, 'identified'), join, request.header('content-length'))
              if (refusal !== undefined) return refusal
            }
            return connection === undefined || signal.aborted ? undefined : admitShared(connection, join)
          },
        }),
      },
      async start() {
        host.every(SWEEP_MS, () => {
          for (const scope of scopes.values()) scope.sweep()
        })
        await connection?.start()
      },
      stop: () => connection?.stop(),
    }
  },
})

/** Whether it takes part in a pipe. */
function joins({ side }: Join): boolean {
  return side === 'sender' || side === 'receiver'
}

/** The first refusal. */
function first(all: readonly LimitKey[], check: (limit: LimitKey) => Refusal | undefined): Refusal | undefined {
  for (const limit of all) {
    const refusal = check(limit)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

/** Neither a project nor its name has a space in it. */
function keyOf({ project, subject }: Identity, scope: ScopeName): string {
  return scope === 'token' ? `${project} ${subject}` : project
}
