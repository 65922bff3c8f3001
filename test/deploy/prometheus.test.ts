/** A real Prometheus, with the files that stand in `deploy/`: it finds the gateway, and its alerts come when they should. */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import { startProgram } from '../support/program.js'
import { PROJECT, readProject } from '../support/project.js'

const ALERTS = join(PROJECT, 'deploy/prometheus/alerts.yaml')
/** For a machine on which everything takes long. */
const PATIENT = { timeoutMs: 60_000, everyMs: 100 }

/** What an alert watches, minute by minute: one instance that it is for, and one that looks much like it. */
const ALARMS: readonly { alert: string; bad: Series; good: Series; quietAt: number; firesAt: number }[] = [
  {
    alert: 'PipegateDown',
    bad: { 'up{job="pipegate"}': '1 1 0x10' },
    good: { 'up{job="pipegate"}': '1 1 0 0 1x10' },
    quietAt: 3,
    firesAt: 4,
  },
  {
    alert: 'PipegateTransfersFail',
    bad: transfers('0+10x30', '0+5x30'),
    good: transfers('0+100x30', '0+5x30'),
    quietAt: 5,
    firesAt: 15,
  },
  {
    alert: 'PipegateDefect',
    bad: { 'pipegate_transfers_total{reason="fault"}': '0 0 0 1x20' },
    good: { 'pipegate_transfers_total{reason="complete"}': '0+9x20' },
    quietAt: 2,
    firesAt: 4,
  },
  gauge('PipegateEventLoopDelayed', 'pipegate_event_loop_delay_seconds{quantile="0.99"}', 0.3, 0.1),
  {
    ...gauge('PipegateMemoryNearLimit', 'pipegate_held_bytes', 250, 150),
    bad: { pipegate_held_bytes: '250x20', pipegate_memory_limit_bytes: '256x20' },
    good: { pipegate_held_bytes: '150x20', pipegate_memory_limit_bytes: '256x20' },
  },
  gauge('PipegateSocketHelperInactive', 'pipegate_socket_helper_active', 0, 1),
  {
    alert: 'PipegateRefusalsSpike',
    bad: { 'pipegate_refusals_total{code="x"}': '0+60x400 24600+600x30' },
    good: { 'pipegate_refusals_total{code="x"}': '0+600x430' },
    quietAt: 395,
    firesAt: 412,
  },
  {
    alert: 'PipegateLogLinesLost',
    bad: { 'pipegate_log_lines_lost_total{log="gateway"}': '0 0 0 5x20' },
    good: { 'pipegate_log_lines_lost_total{log="gateway"}': '7x20' },
    quietAt: 2,
    firesAt: 4,
  },
  {
    ...gauge('PipegateFileDescriptorsNearLimit', '', 0, 0),
    bad: { 'process_open_fds{job="pipegate"}': '900x20', 'process_max_fds{job="pipegate"}': '1024x20' },
    good: { 'process_open_fds{job="pipegate"}': '700x20', 'process_max_fds{job="pipegate"}': '1024x20' },
  },
]

/** A metric with its labels, and its values in Prometheus' notation. */
type Series = Readonly<Record<string, string>>

function transfers(complete: string, failed: string): Series {
  return {
    'pipegate_transfers_total{reason="complete"}': complete,
    'pipegate_transfers_total{reason="receivers_left"}': failed,
    // Nobody's fault.
    'pipegate_transfers_total{reason="no_sender"}': '0+1000x30',
  }
}

function gauge(alert: string, metric: string, bad: number, good: number) {
  return { alert, bad: { [metric]: `${bad}x20` }, good: { [metric]: `${good}x20` }, quietAt: 4, firesAt: 5 }
}

function ofInstance(instance: string, series: Series) {
  return Object.entries(series).map(([metric, values]) => ({
    series: metric.includes('{')
      ? metric.replace('{', `{instance="${instance}",`)
      : `${metric}{instance="${instance}"}`,
    values,
  }))
}

t.test('every alert fires when it should, and not before, and for nobody else', async (t) => {
  const written = readFileSync(ALERTS, 'utf8').match(/(?<=- alert: )\w+/g)
  t.same(ALARMS.map(({ alert }) => alert).sort(), written!.sort())
  const tests = ALARMS.map(({ alert, bad, good, quietAt, firesAt }) => {
    const firing = (minutes: number, value: number) => ({
      expr: `count(ALERTS{alertname="${alert}",alertstate="firing"} and on(instance) ALERTS{instance="bad"}) or vector(0)`,
      eval_time: `${minutes}m`,
      exp_samples: [{ labels: '{}', value }],
    })
    const all = { ...firing(firesAt, 1), expr: `count(ALERTS{alertstate="firing"})` }
    return {
      name: alert,
      interval: '1m',
      input_series: [...ofInstance('bad', bad), ...ofInstance('good', good)],
      promql_expr_test: [firing(quietAt, 0), firing(firesAt, 1), all],
    }
  })
  const file = join(t.testdir({}), 'alerts.test.yaml')
  writeFileSync(file, JSON.stringify({ rule_files: [ALERTS], evaluation_interval: '1m', tests }))
  t.match(execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8' }), /SUCCESS/)
})

t.test('it finds the gateway and reads it with the token, and a gateway that is gone is an alert', async (t) => {
  const token = 'a-token-for-the-scrape'
  const options = { env: { METRICS_TOKEN: token } }
  const gateway = await startProgram(t, ['--config', join(PROJECT, 'deploy/compose/pipegate.yaml')], options)
  const dir = t.testdir({ token, data: {} })
  const rules = readFileSync(ALERTS, 'utf8').replaceAll(/for: \d+m/g, 'for: 0s')
  writeFileSync(join(dir, 'alerts.yaml'), rules)
  // Addresses, and less patience; all else is as it stands.
  const config = readProject('deploy/prometheus/prometheus.yml')
    .replace('pipegate:8080', `127.0.0.1:${gateway.port}`)
    .replace('/run/secrets/metrics-token', join(dir, 'token'))
    .replaceAll('_interval: 15s', '_interval: 1s')
  const file = join(dir, 'prometheus.yml')
  writeFileSync(file, config)
  t.match(execFileSync('promtool', ['check', 'config', file], { encoding: 'utf8' }), /9 rules found/)

  const port = await freePort()
  const flags = [`--config.file=${file}`, `--storage.tsdb.path=${dir}/data`, `--web.listen-address=127.0.0.1:${port}`]
  const prometheus = spawn('prometheus', flags, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  prometheus.stderr.on('data', (chunk) => (said += chunk))
  const ended = new Promise((resolve) => prometheus.once('exit', resolve))
  t.teardown(async () => {
    prometheus.kill('SIGKILL')
    await ended
  })
  const ask = async (what: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${what}`).catch(() => undefined)
    return answer?.ok === true ? JSON.stringify(((await answer.json()) as { data: unknown }).data) : said.slice(-500)
  }
  const target = async (health: string) => {
    const found = await ask('targets?state=active')
    return found.includes(`"health":"${health}"`) || found
  }
  await eventually(() => target('up'), PATIENT)
  t.match(await ask('query?query=pipegate_draining'), /"job":"pipegate".*"0"\]/)
  t.notMatch(await ask('alerts'), 'PipegateDown')
  gateway.kill('SIGKILL')
  await eventually(() => target('down'), PATIENT)
  await eventually(async () => {
    const alerts = await ask('alerts')
    return /"alertname":"PipegateDown".*"state":"firing"/.test(alerts) || alerts
  }, PATIENT)
})
