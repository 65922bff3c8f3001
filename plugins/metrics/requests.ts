import { Counter, Gauge, type Registry } from 'prom-client'
import type { Hooks } from '../../gateway/host/plugin-api.js'
import { CodeLabels, methodLabel, statusLabel } from './labels.js'

/** Requests, refusals, and who watches. */
export function requestHooks(registry: Registry): Hooks {
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
  const codes = new CodeLabels()
  return {
    onAdmit(_request, join) {
      if (join.side !== 'watcher') return
      watchers.inc()
      join.onOver(() => watchers.dec())
    },
    onRefused(failure) {
      refusals.inc({ code: codes.of(failure.code) })
    },
    onRequestEnded({ method, status }) {
      requests.inc({ method: methodLabel(method), status: statusLabel(status) })
    },
  }
}
