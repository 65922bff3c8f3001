/** Kinds of names and pages that a query asks for. Without a refusal they would take a place on a pipe, which they are not. */
import { Refusal } from '../../core/index.js'
import { FAILURES } from '../http/failures.js'
import { KIND_NAMES } from '../http/kind-names.js'
import { isOff, type Parameters } from '../http/parameters.js'
import type { RequestView } from '../http/request-view.js'
import { RefusalWithHeaders } from '../http/response/failure-answer.js'

/** Shown to whoever asks with GET; a plugin's mode of that name comes before. */
const PAGES = ['status', 'progress', 'video', 'share'] as const

/** Why a page or another kind cannot be had; undefined for a request that means a pipe. */
export function refuseKind(parameters: Parameters, request: RequestView): Refusal | undefined {
  if (parameters.isEmpty) return undefined
  const isGet = request.method === 'GET' || request.method === 'HEAD'
  const wanted = [...(isGet ? PAGES : []), ...KIND_NAMES].find((name) => {
    const value = parameters.get(name)
    return value !== undefined && !isOff(value)
  })
  if (wanted === undefined) return undefined
  const found = `?${wanted}`
  if (wanted === 'ws' && request.header('upgrade').toLowerCase() !== 'websocket') {
    return new RefusalWithHeaders(FAILURES.upgradeRequired, { found }, [['Upgrade', 'websocket']])
  }
  return new Refusal(FAILURES.notAvailable, { found, instead: 'Leave it out.' })
}
