/** Why a request cannot be a sender. */
import { Refusal, type StreamHead } from '../../../core/index.js'
import type { RequestContext } from '../../host/request-context.js'
import { FAILURES } from '../../http/failures.js'
import type { RequestView } from '../../http/request-view.js'
import type { RouterOptions } from '../options.js'
import { refuseServiceWorker } from './service-worker.js'

/** Why this request cannot be one, whatever the pipe. */
export function refuseSender(request: RequestView): Refusal | undefined {
  if (request.header('content-range') !== '') return new Refusal(FAILURES.contentRange)
  return refuseServiceWorker(request)
}

/** Why it cannot now, after the plugins have set its limits. */
export function refuseOversized(head: StreamHead | undefined, context: RequestContext | null): Refusal | undefined {
  const found = head?.length ?? 0
  const expected = context?.limits?.maxBytes ?? Number.POSITIVE_INFINITY
  return found > expected ? new Refusal(FAILURES.tooLarge, { found, expected }) : undefined
}

/** Why a sender cannot choose this id, after the plugins have set its project. */
export function refuseTakenId(
  transferId: string,
  context: RequestContext | null,
  { transferIds }: RouterOptions,
): Refusal | undefined {
  const isInUse = transferIds.isInUse(transferId, context?.identity?.project ?? '')
  return isInUse ? new Refusal(FAILURES.transferIdTaken, { found: transferId }) : undefined
}
