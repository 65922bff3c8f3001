import * as nodeModule from 'node:module'

const SPECIFIER = 'pipegate/plugin'
const API = new URL('../plugin-api.js', import.meta.url).href

interface Resolved {
  readonly url: string
  readonly shortCircuit: true
}
type Resolve = (specifier: string, context: unknown, next: (specifier: string, context: unknown) => unknown) => unknown

/** For Node 20, whose hooks run in a thread of their own: the same as `resolve` below. */
const IN_A_THREAD = `data:text/javascript,${encodeURIComponent(`
export const resolve = (specifier, context, next) =>
  specifier === ${JSON.stringify(SPECIFIER)}
    ? { url: ${JSON.stringify(API)}, shortCircuit: true }
    : next(specifier, context)`)}`

let isDone = false

/**
 * From here on `import … from 'pipegate/plugin'` is this gateway's interface wherever the plugin stands, so that its folder needs no
 * installation of pipegate, and a different one that happens to be there does not count.
 */
export function resolvePluginApi(): void {
  if (isDone) return
  isDone = true
  const { registerHooks } = nodeModule as { registerHooks?: (hooks: { resolve: Resolve }) => void }
  if (registerHooks === undefined) nodeModule.register(IN_A_THREAD)
  else registerHooks({ resolve })
}

function resolve(specifier: string, context: unknown, next: (specifier: string, context: unknown) => unknown): unknown {
  return specifier === SPECIFIER ? ({ url: API, shortCircuit: true } satisfies Resolved) : next(specifier, context)
}
