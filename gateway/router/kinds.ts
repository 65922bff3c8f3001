/** Kinds of names and pages that a query asks for. Taken for a plain pipe they would take a place, which they are not. */
import { type KindName, Refusal } from '../../core/index.js'
import { FAILURES } from '../http/failures.js'
import { KIND_NAMES } from '../http/kind-names.js'
import { isOff, type Parameters } from '../http/parameters.js'
import type { RequestView } from '../http/request-view.js'
import { RefusalWithHeaders } from '../http/response/failure-answer.js'

/** Shown to whoever asks with GET; a plugin's mode of that name comes before. */
const PAGES = ['status', 'progress', 'video', 'share'] as const

/** A kind of name, a place on a name for questions that is not the asker's, or a WebSocket as a peer of a duplex pipe. */
export type Wanted = KindName | 'serve' | 'answer' | 'ws'

/** What the name shall be, or why a page or a kind cannot be had. */
export function readKind(parameters: Parameters, request: RequestView): Wanted | Refusal {
  if (parameters.isEmpty) return 'pipe'
  const isGet = request.method === 'GET' || request.method === 'HEAD'
  const page = isGet ? PAGES.find((name) => isAsked(parameters, name)) : undefined
  if (page !== undefined) return notAvailable(page)
  const asked = KIND_NAMES.filter((name) => isAsked(parameters, name))
  // An answer belongs to `serve`.
  const [wanted, another] = asked.includes('serve') ? asked.filter((name) => name !== 'answer') : asked
  if (wanted === undefined) return 'pipe'
  if (another !== undefined) {
    return new Refusal(FAILURES.twoKinds, { found: `?${wanted}`, another: `?${another}` })
  }
  if (wanted === 'ws' && request.header('upgrade').toLowerCase() !== 'websocket') {
    return new RefusalWithHeaders(FAILURES.upgradeRequired, { found: '?ws' }, [['Upgrade', 'websocket']])
  }
  return wanted
}

function isAsked(parameters: Parameters, name: string): boolean {
  const value = parameters.get(name)
  return value !== undefined && !isOff(value)
}

function notAvailable(name: string): Refusal {
  return new Refusal(FAILURES.notAvailable, { found: `?${name}`, instead: 'Leave it out.' })
}
