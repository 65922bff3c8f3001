import { AggregatorRegistry, Registry } from 'prom-client'
import { definePlugin, type Host, type Reply, type RequestView } from '../../gateway/host/plugin-api.js'
import { type MetricsConfig, metricsConfig, readToken } from './config.js'
import { METRICS_FAILURES, type MetricsFailure } from './failures.js'
import { gatewayGauges } from './gauges.js'
import { LoopDelay, ROTATE_MS } from './loop-delay.js'
import { processMetrics } from './process-metrics.js'
import { requestHooks } from './requests.js'
import { runningTotals } from './running-total.js'
import { ScrapeAuth } from './scrape-auth.js'
import { Transfers } from './transfers.js'

/** Numbers for Prometheus on `GET {prefix}/metrics`. Labels have few values: never a name, a project or an address. */
export default definePlugin<MetricsConfig, MetricsFailure>({
  name: 'metrics',
  api: 1,
  scope: 'thread',
  summary: 'Numbers for Prometheus at /metrics.',
  config: metricsConfig,
  failures: METRICS_FAILURES,

  setup(host) {
    const auth = new ScrapeAuth(readToken(host.config, process.env))
    const registry = new Registry()
    const ofProcess = new Registry()
    const transfers = new Transfers(registry, host.pipes)
    const delay = new LoopDelay(registry)
    gatewayGauges(registry, host.pipes, host.gateway)
    runningTotals(
      {
        registry,
        name: 'pipegate_log_lines_lost_total',
        help: 'Lines of logs that were lost because they could not be written, by log.',
        read: () => host.gateway.lostLogLines,
      },
      'log',
    )
    runningTotals(
      {
        registry,
        name: 'pipegate_tls_handshakes_failed_total',
        help: 'TLS handshakes that came to nothing, by reason.',
        read: () => host.gateway.failedHandshakes,
      },
      'reason',
    )
    processMetrics(ofProcess, registry)
    const collect = async () =>
      `${await counted(registry, await host.reportsElsewhere())}\n${await ofProcess.metrics()}`
    return {
      hooks: { ...requestHooks(registry, host.slot()), ...transfers.hooks },
      routes: [
        {
          method: 'GET',
          path: '/metrics',
          handle: (request, reply) => scrape(host, collect, auth, request, reply),
        },
      ],
      start() {
        delay.start()
        host.every(ROTATE_MS, () => delay.rotate())
      },
      report: () => registry.getMetricsAsJSON(),
      stop() {
        delay.stop()
        registry.clear()
        ofProcess.clear()
      },
    }
  },
})

type MetricsHost = Host<MetricsConfig, MetricsFailure>

/** What all threads have counted, as one text. */
async function counted(own: Registry, elsewhere: readonly unknown[]): Promise<string> {
  if (elsewhere.length === 0) return own.metrics()
  return AggregatorRegistry.aggregate([await own.getMetricsAsJSON(), ...elsewhere] as object[][]).metrics()
}

function scrape(
  host: MetricsHost,
  collect: () => Promise<string>,
  auth: ScrapeAuth,
  request: RequestView,
  reply: Reply,
): void {
  const found = auth.problem(request)
  if (found !== undefined) {
    reply.give(host.refuse('unauthorized', { found }, [['WWW-Authenticate', 'Bearer realm="metrics"']]))
    return
  }
  collect().then(
    (body) => {
      const headers = [
        ['Content-Type', Registry.PROMETHEUS_CONTENT_TYPE],
        ['Cache-Control', 'no-store'],
        ['X-Content-Type-Options', 'nosniff'],
      ] as const
      reply.give({ status: 200, headers, body })
    },
    (error: unknown) => {
      host.log.error({ err: error }, 'metrics could not be collected')
      reply.give(host.refuse('unreadable'))
    },
  )
}
