/** Documentation, dashboard and alert rules name what a scrape has, and nothing else. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { END_REASONS } from '../../../core/index.js'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import metrics from '../../../plugins/metrics/index.js'
import { Exposition } from '../../support/exposition.js'
import { startGateway } from '../../support/gateway.js'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const read = (file: string) => readFileSync(`${ROOT}${file}`, 'utf8')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string }
}

interface Panel {
  readonly id: number
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
}

const rules: Rule[] = parse(read('deploy/prometheus/alerts.yaml')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
)
const dashboard: { panels: Panel[]; templating: unknown } = JSON.parse(read('deploy/grafana/pipegate.json'))

/** One scrape of a gateway in which everything that can be counted has happened. */
async function scrape(t: { teardown(undo: () => unknown): void }): Promise<Exposition> {
  const gateway = await startGateway(t, {}, { plugins: [{ plugin: metrics as LoadedPlugin['plugin'] }] })
  await fetch(gateway.url('x?n=0'))
  const text = await (await fetch(gateway.url('metrics'))).text()
  return new Exposition(text)
}

function named(text: string): string[] {
  return [...new Set(text.match(/\b(?:pipegate|process|nodejs)_[a-z0-9_]+/g) ?? [])].sort()
}

t.test('every metric of the dashboard and of the alert rules is in a scrape', async (t) => {
  const { names } = await scrape(t)
  const inDashboard = named(JSON.stringify(dashboard))
  const inRules = named(rules.map(({ expr }) => expr).join('\n'))
  t.ok(inDashboard.length > 15 && inRules.length > 5, 'they were read')
  t.same(
    [...inDashboard, ...inRules].filter((name) => !names.has(name)),
    [],
  )
})

t.test('every metric of a scrape is in the documentation with its type, and no other', async (t) => {
  const { types } = await scrape(t)
  const rows = [...read('docs/plugins/metrics.md').matchAll(/^\| `([a-z_]+)` \| (counter|gauge|histogram) \|/gm)]
  const documented = rows.map(([, name, type]) => `${name} ${type}`)
  t.same(documented.sort(), [...types].map(([name, type]) => `${name} ${type}`).sort())
})

t.test('alert rules: all that were asked for, reasons that exist, and words that help', async (t) => {
  t.same(
    rules.map(({ alert }) => alert),
    [
      'PipegateDown',
      'PipegateTransfersFail',
      'PipegateDefect',
      'PipegateEventLoopDelayed',
      'PipegateMemoryNearLimit',
      'PipegateSocketHelperInactive',
      'PipegateRefusalsSpike',
      'PipegateLogLinesLost',
      'PipegateFileDescriptorsNearLimit',
    ],
  )
  for (const { alert, expr, labels, annotations } of rules) {
    for (const [, words] of expr.matchAll(/reason[!=]~?"([^"]*)"/g)) {
      t.same(
        words!.split('|').filter((word) => !(END_REASONS as readonly string[]).includes(word)),
        [],
        alert,
      )
    }
    t.match(labels.severity, /^(warning|critical)$/)
    t.ok(annotations.summary !== '' && annotations.description !== '')
    t.equal(expr.split('(').length, expr.split(')').length, alert)
  }
})

t.test('no panel of the dashboard lies on another one', async (t) => {
  t.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
  const taken = new Map<string, string>()
  for (const { title, gridPos, targets } of dashboard.panels) {
    t.ok(targets.length > 0, title)
    for (let { x } = gridPos; x < gridPos.x + gridPos.w; x++) {
      for (let { y } = gridPos; y < gridPos.y + gridPos.h; y++) {
        t.ok(x < 24 && !taken.has(`${x} ${y}`), `${title} on ${taken.get(`${x} ${y}`)}`)
        taken.set(`${x} ${y}`, title)
      }
    }
  }
})
