import { canonicalName } from '../../http/address.js'
import { KIND_NAMES } from '../../http/kind-names.js'
import type { Hooks } from '../api/hooks.js'
import type { Parts } from '../api/plugin.js'
import { isPromise } from '../error-boundary.js'
import { HOOK_NAMES, type HookName } from '../hooks/plugin-hooks.js'

const PARTS = ['hooks', 'routes', 'modes', 'claims', 'pageOrigins', 'authenticates', 'report', 'start', 'drain', 'stop']
/** Parameters of senders and receivers; no plugin can have them. */
const RESERVED_PARAMETERS = new Set<string>([
  ...KIND_NAMES,
  'n',
  'wait',
  'now',
  'stall',
  'size',
  'reply',
  'sha256',
  'transfer',
  'download',
  'filename',
])

/**
 * Checks what `setup` returned. A misspelt hook must not go unnoticed: an admission hook that is never called is an open door.
 * @throws Error with one line
 */
export function checkedParts(parts: Parts): Parts {
  if (typeof parts !== 'object' || parts === null)
    throw new Error(`setup() returned ${typeof parts}, expected its parts`)
  if (isPromise(parts)) {
    parts.then(undefined, () => {})
    throw new Error('setup() returned a promise; what takes time belongs in start()')
  }
  const unknown = Object.keys(parts).find((key) => !PARTS.includes(key))
  if (unknown !== undefined) throw new Error(`setup() returned "${unknown}", expected ${PARTS.join(', ')}`)
  const { hooks = {}, routes = [], modes = [], claims = [], pageOrigins = [], authenticates = false } = parts
  for (const { param } of modes) {
    if (RESERVED_PARAMETERS.has(param))
      throw new Error(`it has the mode ?${param}, which is the gateway's own parameter`)
  }
  for (const { path } of routes) {
    if (path !== `/${canonicalName(path.slice(1))}` || /\s|\?/.test(path))
      throw new Error(`it has the route ${JSON.stringify(path)}, expected a path as it stands in an address: "/guests"`)
  }
  return {
    hooks: checkedHooks(hooks),
    routes,
    modes,
    claims,
    pageOrigins: [...pageOrigins],
    authenticates: authenticates === true,
    report: () => parts.report?.(),
    start: (signal) => parts.start?.(signal),
    drain: (ms) => parts.drain?.(ms),
    stop: () => parts.stop?.(),
  }
}

/** The hooks, bound to the object that has them: it may be an instance of a class. @throws Error with one line */
function checkedHooks(hooks: Hooks): Hooks {
  const unknown = Object.keys(hooks).find((name) => /^on[A-Z]/.test(name) && !HOOK_NAMES.includes(name as HookName))
  if (unknown !== undefined) throw new Error(`there is no hook "${unknown}", expected one of ${HOOK_NAMES.join(', ')}`)
  const found = HOOK_NAMES.flatMap((name) => {
    const hook = hooks[name] as unknown
    // A hook that a condition leaves out may be any falsy value.
    if (!hook) return []
    if (typeof hook !== 'function') throw new Error(`its hook ${name} is no function`)
    return [[name, hook.bind(hooks)]]
  })
  return Object.fromEntries(found)
}
