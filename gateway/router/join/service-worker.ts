import { Refusal } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import type { RequestView } from '../../http/request-view.js'

/**
 * Refuses a browser that loads a service worker: a sender's script would then answer for all pages of this gateway's
 * origin.
 */
export function refuseServiceWorker(request: RequestView): Refusal | undefined {
  return request.header('service-worker').trim().toLowerCase() === 'script'
    ? new Refusal(FAILURES.serviceWorker)
    : undefined
}
