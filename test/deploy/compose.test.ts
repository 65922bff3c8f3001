/** compose.yaml and what it mounts: the same names, addresses, ports and secrets on both ends of every wire. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { loadConfig } from '../../gateway/config/config.js'
import { PROJECT, readProject } from '../support/project.js'

interface Service {
  readonly image: string
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly stop_grace_period?: string
  readonly secrets?: readonly string[]
  readonly logging: { readonly options: Readonly<Record<string, string>> }
}

const { services, secrets, volumes } = parse(readProject('compose.yaml'), { merge: true }) as {
  readonly services: Readonly<Record<'pipegate' | 'prometheus' | 'grafana', Service>>
  readonly secrets: Readonly<Record<string, { readonly environment: string }>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const { pipegate, prometheus, grafana } = services

/** What is mounted at this place, or holds it. */
function mounted({ volumes }: Service, place: string): string | undefined {
  const found = volumes.map((text) => text.split(':')).find(([, target]) => place.startsWith(target!))
  return found && join(found[0]!, place.slice(found[1]!.length))
}

t.test(
  'every service: a version, no rights, a port of this machine only, logs that end, mounts that exist',
  async (t) => {
    for (const [name, service] of Object.entries(services)) {
      t.match(service.image, /:v?\d+\.\d+\.\d+$/, name)
      t.same(service.cap_drop, ['ALL'])
      t.same(service.security_opt, ['no-new-privileges:true'])
      t.ok(service.ports.every((port) => port.startsWith('127.0.0.1:')))
      t.match(service.logging.options, { 'max-size': String, 'max-file': String })
      for (const source of service.volumes.map((text) => text.split(':')[0]!))
        t.ok(source.startsWith('./') ? existsSync(join(PROJECT, source)) : source in volumes, source)
    }
    t.equal(pipegate.image, `pipegate:${JSON.parse(readProject('package.json')).version}`)
  },
)

t.test('the gateway has its file, its token, and time to drain', async (t) => {
  const dockerfile = readProject('Dockerfile')
  const place = /PIPEGATE_CONFIG=(\S+)/.exec(dockerfile)![1]!
  const file = mounted(pipegate, place)!
  t.equal(file, 'deploy/compose/pipegate.yaml')
  const [plugin] = parse(readProject(file)).plugins
  const variable = plugin.config.token.env
  t.ok(variable in pipegate.environment!)
  t.ok(readProject('compose.yaml').includes(`#   ${variable}=$(`), 'and it is said how to set it')
  t.ok(Number(/^(\d+)s$/.exec(pipegate.stop_grace_period!)![1]) > loadConfig({ flags: {}, env: {} }).drain + 11)
  t.equal(pipegate.ports[0]!.split(':').at(-1), /^EXPOSE (\d+)$/m.exec(dockerfile)![1])
})

t.test('Prometheus has its files and the same token, and asks where the gateway is', async (t) => {
  t.equal(mounted(prometheus, '/etc/prometheus/prometheus.yml'), 'deploy/prometheus/prometheus.yml')
  const { rule_files, scrape_configs } = parse(readProject('deploy/prometheus/prometheus.yml'))
  for (const rules of rule_files) t.ok(existsSync(join(PROJECT, 'deploy/prometheus', rules)))
  const [job] = scrape_configs
  const [, secret] = /^\/run\/secrets\/(.+)$/.exec(job.authorization.credentials_file)!
  t.same(prometheus.secrets, [secret])
  t.ok(secrets[secret!]!.environment in pipegate.environment!)
  t.same(job.static_configs, [{ targets: [`pipegate:${pipegate.ports[0]!.split(':').at(-1)}`] }])
  t.equal(job.job_name, 'pipegate')
})

t.test('Grafana has a source of the kind that the dashboard asks for, and the dashboard', async (t) => {
  const provisioned = (file: string) => parse(readProject(mounted(grafana, `/etc/grafana/provisioning/${file}`)!))
  const [source, ...others] = provisioned('datasources/prometheus.yaml').datasources
  t.equal(others.length, 0)
  t.match(source, { url: `http://prometheus:${prometheus.ports[0]!.split(':').at(-1)}`, isDefault: true })
  const [provider] = provisioned('dashboards/pipegate.yaml').providers
  const path = `${provider.options.path}/pipegate.json`
  t.equal(grafana.environment!.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH, path)
  const dashboard = JSON.parse(readProject(mounted(grafana, path)!))
  const [variable] = dashboard.templating.list.filter((one: { type: string }) => one.type === 'datasource')
  t.equal(variable.query, source.type)
  // Each panel asks the source of that variable, or the very one that is provisioned.
  const uids = new Set(JSON.stringify(dashboard.panels).match(/(?<="uid":")[^"]+/g))
  for (const uid of uids) t.ok([`\${${variable.name}}`, source.uid].includes(uid), uid)
  const { scrape_interval } = parse(readProject('deploy/prometheus/prometheus.yml')).global
  t.equal(source.jsonData.timeInterval, scrape_interval)
})
