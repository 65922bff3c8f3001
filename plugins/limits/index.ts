import {
  type Context,
  definePlugin,
  type Identity,
  type Join,
  PLUGIN_API,
  type Refusal,
} from '../../gateway/plugin-api.js'
import { addressKey } from './address-key.js'
import { type ScopeName, schema } from './config.js'
import { FAILURES } from './failures.js'
import { RedisLink } from './redis-windows.js'
import { Scope } from './scope.js'

const SWEEP_MS = 1000
const SCOPES: readonly ScopeName[] = ['token', 'project', 'address']

export default definePlugin({
  name: 'limits',
  api: PLUGIN_API,
  summary: 'how much each token, project and address may do',
  after: ['links', 'auth-bearer', 'auth-jwt'],
  config: schema,
  failures: FAILURES,
  reads: ['content-length'],

  setup(host) {
    const { redis, ipv6Prefix } = host.config
    const link = redis && new RedisLink(redis, host.log, host.now)
    const scopes = new Map<ScopeName, Scope>()
    for (const name of SCOPES) {
      const config = host.config[name]
      if (config !== undefined) scopes.set(name, new Scope(name, config, host, link))
    }
    const address = scopes.get('address')
    const identified = SCOPES.flatMap((name) => (name === 'address' ? [] : (scopes.get(name) ?? [])))
    /** Who asks has been counted already. */
    const counted = host.slot<true>()

    const addressOf = (context: Context) => addressKey(context.clientAddress, ipv6Prefix)

    /** What is decided at once for a side or a watcher. */
    function admit(scope: Scope, key: string, join: Join, announced: string): Refusal | undefined {
      // Requests of addresses have been counted when they came.
      const used = scope === address ? undefined : scope.take('requests', key)
      if (used !== undefined || join.side === 'watcher') return used
      const length = join.side === 'sender' ? Number(announced) : 0
      return scope.enter(key, join, length) ?? scope.take('transfers', key)
    }

    function admitIdentified(identity: Identity, join: Join, announced: string): Refusal | undefined {
      counted.set(join, true)
      for (const scope of identified) {
        const refusal = admit(scope, keyOf(identity, scope.name), join, announced)
        if (refusal !== undefined) return refusal
      }
      return undefined
    }

    async function admitShared(shared: RedisLink, join: Join): Promise<Refusal | undefined> {
      const { deadline } = shared
      for (const scope of scopes.values()) {
        const key = scope === address ? addressOf(join) : join.identity && keyOf(join.identity, scope.name)
        if (key === undefined) continue
        const refusal =
          (scope === address ? undefined : await scope.takeShared('requests', key, deadline)) ??
          (join.side === 'watcher' ? undefined : await scope.takeShared('transfers', key, deadline))
        if (refusal !== undefined) return refusal
      }
      return undefined
    }

    const isAsync = link !== undefined || identified.length > 0
    return {
      hooks: {
        ...(address?.config.requests && {
          onRequest: (_request, context) => address.take('requests', addressOf(context)),
        }),
        onAdmit(request, join) {
          const announced = request.header('content-length')
          const refusal = address && admit(address, addressOf(join), join, announced)
          if (refusal !== undefined || join.identity === undefined) return refusal
          return admitIdentified(join.identity, join, announced)
        },
        // Some plugins know who asks only after they have asked somebody else.
        ...(isAsync && {
          async onAdmitAsync(request, join, signal) {
            if (join.identity !== undefined && counted.get(join) === undefined) {
              const refusal = admitIdentified(join.identity, join, request.header('content-length'))
              if (refusal !== undefined) return refusal
            }
            return link === undefined || signal.aborted ? undefined : admitShared(link, join)
          },
        }),
      },
      async start() {
        host.every(SWEEP_MS, () => {
          for (const scope of scopes.values()) scope.sweep()
        })
        await link?.start()
      },
      stop: () => link?.stop(),
    }
  },
})

/** Neither a project nor its name has a space in it. */
function keyOf({ project, subject }: Identity, scope: ScopeName): string {
  return scope === 'token' ? `${project} ${subject}` : project
}
