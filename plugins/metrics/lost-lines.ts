import { Counter, type Registry } from 'prom-client'
import type { GatewayView } from '../../gateway/host/plugin-api.js'

/** Lines that logs have lost, by log. Read when somebody scrapes. */
export function lostLines(registry: Registry, gateway: Pick<GatewayView, 'lostLogLines'>): void {
  const counted = new Map<string, number>()
  new Counter({
    name: 'pipegate_log_lines_lost_total',
    help: 'Lines of logs that were lost because they could not be written, by log.',
    labelNames: ['log'],
    registers: [registry],
    collect() {
      for (const [log, lines] of gateway.lostLogLines) {
        this.inc({ log }, lines - (counted.get(log) ?? 0))
        counted.set(log, lines)
      }
    },
  })
}
