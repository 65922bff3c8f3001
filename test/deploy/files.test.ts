import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { SERVE } from '../../gateway/commands/descriptions.js'
import { flagValues } from '../../gateway/commands/settings-flags.js'
import { loadConfig } from '../../gateway/config/config.js'
import { readAddress } from '../../gateway/http/address.js'
import { valuesOf } from '../client/cli/line.js'
import { readProject } from '../support/project.js'

const DEFAULTS = loadConfig({ flags: {}, env: {} })
const HEALTH = `${DEFAULTS.prefix}/health`

// biome-ignore lint/suspicious/noExplicitAny: whatever stands in the file
function documents(file: string): any[] {
  return parseAllDocuments(readProject(`deploy/${file}`)).map((each) => {
    t.same(each.errors, [], file)
    return each.toJS()
  })
}

t.test('Kubernetes: ports, probes, settings and names fit together', async (t) => {
  const all = documents('kubernetes/pipegate.yaml')
  const [set, service, budget] = all
  t.same(
    all.map(({ kind }) => kind),
    ['StatefulSet', 'Service', 'PodDisruptionBudget'],
  )
  const { labels } = set.spec.template.metadata
  for (const { matchLabels } of [set.spec.selector, budget.spec.selector]) t.same(matchLabels, labels)
  t.same(service.spec.selector, labels)
  t.equal(service.metadata.name, set.spec.serviceName)
  t.equal(service.spec.clusterIP, 'None')

  const [container] = set.spec.template.spec.containers
  const entries = container.env.map(({ name, value }: { name: string; value: unknown }) => [name, value] as const)
  for (const [name, value] of entries) t.type(value, 'string', `${name} is quoted where it has to be`)
  const [command, ...flags] = container.args
  const config = loadConfig({ flags: flagValues(valuesOf(SERVE, flags)), env: Object.fromEntries(entries) })
  t.equal(command, 'serve')
  t.equal(config.host, '0.0.0.0')
  t.equal(config.reply, 'end', 'ingress-nginx is nginx')
  t.ok(set.spec.template.spec.terminationGracePeriodSeconds > config.drain)
  const [port] = container.ports
  t.equal(port.containerPort, config.port)
  t.same(service.spec.ports, [{ name: port.name, port: config.port, targetPort: port.name }])
  t.equal(container.readinessProbe.httpGet.path, HEALTH)
  for (const probe of [container.readinessProbe.httpGet, container.livenessProbe.tcpSocket])
    t.equal(probe.port, port.name)
  const { annotations } = set.spec.template.metadata
  t.equal(annotations['prometheus.io/port'], String(config.port))
  t.equal(annotations['prometheus.io/path'], `${config.prefix}/metrics`)

  const [ingress, controller] = documents('kubernetes/ingress-nginx.yaml')
  const { backend } = ingress.spec.rules[0].http.paths[0]
  t.same(backend.service, { name: service.metadata.name, port: { name: port.name } })
  const variable = ingress.metadata.annotations['nginx.ingress.kubernetes.io/upstream-hash-by']
  const snippet = controller.data['http-snippet']
  t.ok(snippet.includes(`map $uri ${variable} {`))
  const ours = readProject('deploy/nginx/pipegate.conf')
  t.ok(ours.includes(/map [^}]*}/.exec(snippet)![0]), 'the map is the one that is tested with nginx')
})

t.test('Envoy: what it hashes is the name', async (t) => {
  const [{ static_resources: all }] = documents('envoy/envoy.yaml')
  const [route] = all.listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes
  const [cluster] = all.clusters
  t.equal(route.route.cluster, cluster.name)
  t.equal(cluster.health_checks[0].http_health_check.path, HEALTH)
  const { header_name, regex_rewrite } = route.route.hash_policy[0].header
  t.equal(header_name, ':path')
  t.equal(regex_rewrite.substitution, '\\1')
  for (const name of ['job', 'a/b', 'caf%C3%A9', 'api/v1/pipe', 'x/api/v1/pipe/y']) {
    const keys = ['', '?n=2', '?a=/b?c'].flatMap((query) =>
      [`/${name}${query}`, `${DEFAULTS.prefix}/${name}${query}`].map((path) =>
        path.replace(new RegExp(regex_rewrite.pattern.regex), '$1'),
      ),
    )
    t.same([...new Set(keys)], [`/${name}`])
    t.match(readAddress(`${DEFAULTS.prefix}/${name}`, DEFAULTS), { name })
  }
})

t.test('Traefik: its parts fit together', async (t) => {
  const [fixed] = documents('traefik/traefik.yaml')
  const [{ http }] = documents('traefik/pipegate.yaml')
  for (const { entryPoints, service } of Object.values<{ entryPoints: string[]; service: string }>(http.routers)) {
    for (const each of entryPoints) t.ok(fixed.entryPoints[each])
    t.equal(http.services[service].loadBalancer.healthCheck.path, HEALTH)
    t.ok(http.serversTransports[http.services[service].loadBalancer.serversTransport])
  }
})
