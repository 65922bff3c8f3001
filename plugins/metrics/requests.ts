import { Counter, Gauge, type Registry } from 'prom-client'
import type { Hooks, Slot } from '../../gateway/host/plugin-api.js'
import { CodeLabels, methodLabel, statusLabel } from './labels.js'

/**
 * Requests, refusals, who watches, and whose question was not answered.
 * @param senders is set for requests that send. Of those only an asker's can end with `no_answer`; its worker's may do so as well, when
 * it has not got all of the question.
 */
export function requestHooks(registry: Registry, senders: Slot<true>): Hooks {
  const registers = [registry]
  const requests = new Counter({
    name: 'pipegate_requests_total',
    help: 'Requests that are over, by method and class of status; "none" when the client left before an answer.',
    labelNames: ['method', 'status'],
    registers,
  })
  const refusals = new Counter({
    name: 'pipegate_refusals_total',
    help: 'Requests that were refused, by the code of the refusal.',
    labelNames: ['code'],
    registers,
  })
  const watchers = new Gauge({
    name: 'pipegate_watchers',
    help: 'Spectators: open requests that see a pipe and take no place in it.',
    registers,
  })
  // Not by the ends of transfers: that of a question which its worker has got whole is over, and was a success, long before.
  const unanswered = new Counter({
    name: 'pipegate_ask_timeouts_total',
    help: 'Questions that a worker had got, and whose answer had not begun in time.',
    registers,
  })
  const codes = new CodeLabels()
  return {
    onAdmit(_request, join) {
      if (join.side === 'sender') senders.set(join, true)
      if (join.side !== 'watcher') return
      watchers.inc()
      join.onOver(() => watchers.dec())
    },
    onRefused(failure) {
      refusals.inc({ code: codes.of(failure.code) })
    },
    onRequestEnded({ method, status, reason }, context) {
      requests.inc({ method: methodLabel(method), status: statusLabel(status) })
      if (reason === 'no_answer' && senders.get(context) === true) unanswered.inc()
    },
  }
}
