/** What an edge does with names besides sharing them out: who is refused, by whom, and what moves when. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { type ForwardingConfig, schema } from '../../../plugins/reverse-proxy/config.js'
import { hash, heaviest } from '../../../plugins/reverse-proxy/pool/rendezvous.js'
import { pipeNameOf, rightFor } from '../../../plugins/reverse-proxy/routing/pipe-name.js'
import { examplesOf } from '../../docs/examples.js'
import { makeCertificate } from '../../support/certificate.js'
import { curl, curlDone } from '../../support/curl.js'
import { startDnsServer } from '../../support/dns-server.js'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { PROJECT } from '../../support/program.js'
import { ask, loadWithDefaults, startEdge } from './edge-gateway.js'

/** Relays on one port of several addresses, as a DNS name has them. */
async function startRelays(t: Test, hosts: readonly string[], plugins = defaultPlugins()) {
  const relays: Running[] = []
  for (const host of hosts) {
    const port = relays[0]?.port ?? 0
    relays.push(await startGateway(t, { host, port: `${port}`, drain: '30' }, { plugins: await plugins }))
  }
  return { relays, port: relays[0]!.port }
}

/** Which of these addresses a name belongs to. */
function homeOf(name: string, hosts: readonly string[], port: number): number {
  const nodes = hosts.map((host, at) => ({ at, id: `${host}:${port}`, hash: hash(`${host}:${port}`) }))
  return heaviest(nodes, name)!.at
}

/** Lets both sides of a name meet. */
async function meet(from: Running, to: Running, name: string): Promise<void> {
  const receiver = ask(to.url(`${name}?wait=60`))
  const { body } = await ask(from.url(`${name}?wait=60`), 'PUT', name)
  if (!/Transfer complete\.\n$/.test(`${body}`)) throw new Error(`${name}: ${body}`)
  if (`${(await receiver).body}` !== name) throw new Error(`${name}: ${(await receiver).body}`)
}

const HOSTS = ['127.0.0.1', '127.0.0.2', '127.0.0.3']

t.test('a relay that is added takes its own share of the names, and nobody waits in vain', async (t) => {
  const { relays, port } = await startRelays(t, HOSTS)
  const dns = await startDnsServer(t)
  dns.names.set('relays.test', HOSTS.slice(0, 2))
  const route = { dns: `relays.test:${port}`, resolver: [dns.address], lookup: 0.05 }
  const edges = [await startEdge(t, route), await startEdge(t, route)]
  const [one, other] = edges as [Running, Running]
  const names = Array.from({ length: 60 }, (_, i) => `job-${i}`)
  const before = (name: string) => homeOf(name, HOSTS.slice(0, 2), port)
  const after = (name: string) => homeOf(name, HOSTS, port)
  /** How often each relay has completed a transfer of a name. */
  const done = (name: string) =>
    relays.map(({ lines }) => lines.filter((line) => line.pipe === name && line.reason === 'complete').length)

  for (let i = 0; i < names.length; i += 10)
    await Promise.all(names.slice(i, i + 10).map((name) => meet(one, other, name)))
  // Lines of a relay that is another process come a moment later.
  for (const name of names) await eventually(() => done(name)[before(name)] === 1 || `${name}: ${done(name)}`)
  const moves = names.filter((name) => after(name) === 2)
  const stays = names.filter((name) => after(name) !== 2)
  t.ok(moves.length > 5 && moves.length < 40, `${moves.length} of 60`)

  const taken = ask(one.url(moves[0]!))
  const stream = curl(['-N', '-i', one.url(moves[1]!)])
  const sender = curl(['-N', '-T', '-', other.url(moves[1]!)])
  sender.stdin.write('first')
  await stream.waitFor('first')
  const stay = ask(one.url(stays[0]!))
  await eventually(() => {
    const waiting = relays.reduce((sum, { gateway }) => sum + gateway.table.waiting, 0)
    return waiting === 2 || `${waiting} wait`
  })
  dns.names.set('relays.test', HOSTS)
  await eventually(() => relays[2]!.gateway.table.waiting === 1 || 'nobody waits on the new one')
  // The other edge may not know yet, or another thread of one.
  const ups = (edge: Running) => edge.lines.filter(({ msg }) => msg === 'an upstream is up').length
  await eventually(() => edges.every((edge) => ups(edge) === 3 * edge.threads) || 'not known yet')
  for (let i = 0; i < names.length; i += 10)
    await Promise.all(
      names.slice(i, i + 10).flatMap((name) => {
        if (name === moves[0] || name === moves[1] || name === stays[0]) return []
        return [
          meet(other, one, name).then(() =>
            eventually(() => done(name)[after(name)]! >= 1 || `${name} is not where it belongs`),
          ),
        ]
      }),
    )
  for (const name of stays.slice(1)) t.equal(after(name), before(name))
  for (const [name, waiting] of [
    [moves[0]!, taken],
    [stays[0]!, stay],
  ] as const) {
    t.match(`${(await ask(other.url(name), 'PUT', 'found')).body}`, /Transfer complete/)
    t.equal(`${(await waiting).body}`, 'found')
  }
  sender.stdin.end(' and last')
  t.match((await stream.result).stdout.toString(), /\r\n\r\nfirst and last$/)
})

t.test(
  'a relay that drains: its streams end well, a receiver that waits is taken elsewhere, and its names are elsewhere',
  async (t) => {
    const { relays, port } = await startRelays(t, HOSTS)
    const edge = await startEdge(t, { upstreams: HOSTS.map((host) => `http://${host}:${port}`) })
    const names = Array.from({ length: 60 }, (_, i) => `job-${i}`).filter((name) => homeOf(name, HOSTS, port) === 0)
    const [flows, waits, later] = names as [string, string, string]
    const receiver = curl(['-N', edge.url(flows)])
    const sender = curl(['-N', '-T', '-', edge.url(flows)])
    sender.stdin.write('first')
    await receiver.waitFor('first')
    const waiting = ask(edge.url(waits))
    await relays[0]!.holds(1, 1)
    const stopped = relays[0]!.gateway.stop(60_000)
    await eventually(() => relays[1]!.gateway.table.waiting + relays[2]!.gateway.table.waiting === 1 || 'it is nowhere')
    await meet(edge, edge, later)
    t.match(`${(await ask(edge.url(waits), 'PUT', 'found')).body}`, /Transfer complete/)
    t.equal(`${(await waiting).body}`, 'found')
    sender.stdin.end(' and last')
    t.equal((await receiver.result).stdout.toString(), 'first and last')
    t.match((await sender.result).stdout.toString(), /Transfer complete\.\n$/)
    await stopped
  },
)

t.test('a side that dies is seen by the other one, and large bodies come whole', async (t) => {
  const { relays, port } = await startRelays(t, HOSTS.slice(0, 1))
  const edge = await startEdge(t, { upstreams: [`http://127.0.0.1:${port}`] })
  const pair = async (name: string) => {
    const receiver = curl(['-N', edge.url(name)])
    const sender = curl(['-N', '-T', '-', edge.url(name)])
    sender.stdin.write('first')
    await receiver.waitFor('first')
    return { receiver, sender }
  }
  const one = await pair('sender-dies')
  one.sender.kill()
  t.not((await one.receiver.result).code, 0, 'the receiver has less, and knows')
  const two = await pair('receiver-dies')
  two.receiver.kill()
  t.equal(await relays[0]!.ended('receiver-dies'), 'receivers_left')
  two.sender.stdin.end()
  const { code, stdout } = await two.sender.result
  t.match(stdout.toString(), /\[ERROR\] All receivers disconnected before transfer completed\.\n$/)
  t.not(code, 0, 'the sender knows')
  const body = Buffer.alloc(30_000_000, 'pipegate')
  const large = ask(edge.url('large'))
  t.match(`${(await ask(edge.url('large'), 'PUT', body)).body}`, /Transfer complete\.\n$/)
  t.ok((await large).body.equals(body))
})

t.test('relays that speak TLS, with a certificate of an authority of their own', async (t) => {
  const files = makeCertificate(t.testdir({}))
  const flags = { tlsCert: files.cert, tlsKey: files.key }
  const relay = await startGateway(t, flags, { plugins: await defaultPlugins() })
  const edge = await startEdge(t, { upstreams: [`https://localhost:${relay.port}`], ca: files.cert })
  await meet(edge, edge, 'name')
  t.equal(await relay.ended('name'), 'complete')
  const stranger = await startEdge(t, { upstreams: [relay.origin] })
  t.equal((await ask(stranger.url('name'))).status, 503)
  t.match(
    stranger.lines.find(({ msg }) => msg === 'an upstream is down'),
    { why: /SELF_SIGNED/ },
  )
})

t.test('what is no name of a pipe stays on the edge', async (t) => {
  const nobody = `127.0.0.1:${await freePort()}`
  const edge = await startEdge(t, { upstreams: [`http://${nobody}`] })
  for (const path of ['/', '/api/v1/pipe/', '/help', '/api/v1/pipe/health', '/api/v1/pipe/metrics', '/openapi.json'])
    t.equal((await ask(edge.origin + path)).status, 200, path)
  t.equal((await ask(`${edge.origin}/health`)).status, 404, 'the gateway says where it is')
  const bad = await ask(`${edge.origin}/a%2Fb`)
  t.equal(bad.status, 400)
  t.match(`${bad.body}`, /an escaped slash/)
  for (const path of ['/jobs', '/api/v1/pipe/jobs', '/jobs?progress', '/jobs?status']) {
    const { status, headers, body } = await ask(edge.origin + path)
    t.equal(status, 503, path)
    t.equal(headers['x-pipe-code'], 'REVERSE_PROXY_NO_UPSTREAM')
    t.ok(headers['retry-after'])
    t.match(`${body}`, /^\[ERROR\] /)
  }
  t.match(
    edge.lines.find(({ msg }) => msg === 'a request could not be forwarded'),
    {
      why: `no upstream is healthy: ${nobody} (refused)`,
    },
  )
})

t.test('what docs/nodes.md says works as it stands there, but for the addresses', async (t) => {
  const page = examplesOf(readFileSync(join(PROJECT, 'docs/nodes.md'), 'utf8'))
  const yaml = (id: string) => page.find((example) => example.id === id)!.text
  const { plugins: _, ...ofRelay } = parse(yaml('edge.relay').replace('10.0.1.0/24', '127.0.0.1'))
  t.equal(ofRelay.trustedProxies, '127.0.0.1')
  const relay = await startGateway(t, { trustedProxies: ofRelay.trustedProxies }, { plugins: await defaultPlugins() })
  const [nobody, no] = [await freePort(), await freePort()]
  const text = yaml('edge')
    .replace('10.0.0.1:8080', `127.0.0.1:${relay.port}`)
    .replace('10.0.0.2:8080', `127.0.0.1:${nobody}`)
    .replace('10.0.0.3:8080', `127.0.0.1:${no}`)
  const edge = await startGateway(t, {}, { plugins: await loadWithDefaults(parse(text).plugins) })
  for (let i = 0; i < 6; i++) await meet(edge, edge, `job-${i}`)
  t.equal(await relay.ended('job-0'), 'complete')
  const [{ config }] = parse(yaml('edge.dns')).plugins
  const [said] = schema.parse(config).routes
  const [{ dns }] = config.routes
  const [usual] = schema.parse({ routes: [{ balance: 'name', dns }] }).routes
  // The path is that of the prefix.
  t.strictSame(said, { ...usual, health: { ...(usual as ForwardingConfig).health, path: '/api/v1/pipe/health' } })
})

t.test('a name is found as gateways find it', async (t) => {
  for (const [path, name] of Object.entries({
    '/jobs': 'jobs',
    '/api/v1/pipe/jobs': 'jobs',
    '/api/v1/pipe/team/jobs': 'team/jobs',
    '/caf%c3%a9': 'caf%C3%A9',
    '/café': 'caf%C3%A9',
    '/api/v1/pipelines': 'api/v1/pipelines',
    '/jobs/': 'jobs/',
    '/health/x': 'health/x',
    '/': undefined,
    '/api/v1/pipe': undefined,
    '/health': undefined,
    '/api/v1/pipe/metrics': undefined,
    '/a/../b': undefined,
    '/a%00': undefined,
    [`/${'x'.repeat(1025)}`]: undefined,
  }))
    t.equal(pipeNameOf(path, '/api/v1/pipe'), name, path)
  t.equal(pipeNameOf('/api/v1/pipe/jobs', ''), 'api/v1/pipe/jobs')
  for (const [method, query, right] of [
    ['GET', '', undefined],
    ['PUT', 'progress', undefined],
    ['GET', 'n=2', undefined],
    ['GET', 'progress', 'watch'],
    ['GET', 'status=1&n=2', 'watch'],
    ['GET', 'progress=0', undefined],
    ['HEAD', 'status', 'watch'],
    ['GET', 'link=receive', 'receive'],
    ['GET', 'link=watch', 'watch'],
  ] as const)
    t.equal(rightFor({ method, query }), right, `${method} ?${query}`)
})

t.test('gateways that stand before themselves, or before each other', async (t) => {
  const { relays, port } = await startRelays(t, HOSTS.slice(0, 1))
  const own = await freePort()
  const upstreams = [`http://127.0.0.1:${own}`, `http://127.0.0.1:${port}`]
  const edge = await startEdge(t, { upstreams }, { flags: { port: `${own}` } })
  const line = () => edge.lines.find(({ msg }) => msg.startsWith('an upstream is this gateway itself'))
  await eventually(() => line() !== undefined || 'no line says so')
  t.match(line(), { level: 50, upstream: `http://127.0.0.1:${own}` })
  for (let i = 0; i < 8; i++) await meet(edge, edge, `job-${i}`)
  t.equal(relays[0]!.lines.filter(({ msg }) => msg === 'transfer').length, 8)
  t.equal((await ask(edge.url('health'))).status, 200, 'its own health is as good as ever')

  const ports = [await freePort(), await freePort()]
  const circle: Running[] = []
  for (const [i, port] of ports.entries())
    circle.push(await startEdge(t, { upstreams: [`http://127.0.0.1:${ports[1 - i]}`] }, { flags: { port: `${port}` } }))
  await eventually(async () => {
    const { status, headers } = await ask(circle[0]!.url('jobs'))
    return (status === 508 && headers['x-pipe-code'] === 'REVERSE_PROXY_LOOP') || `still ${status}`
  })
})

t.test('who may do what is asked on the relays, and on the edge if it has tokens too', async (t) => {
  const token = (what: string) => `${what}-0123456789abcdefghij`
  const entry = (name: string, project: string, rights?: readonly string[]) => ({
    name,
    project,
    token: token(name),
    ...(rights && { rights }),
  })
  const tokens = [entry('red', 'red'), entry('blue', 'blue'), entry('taker', 'red', ['receive'])]
  const auth = { plugin: 'auth-bearer', config: { tokens } }
  const { relays, port } = await startRelays(t, HOSTS, loadWithDefaults([auth]))
  const upstreams = HOSTS.map((host) => `http://${host}:${port}`)
  const [open, guarded] = [await startEdge(t, { upstreams }), await startEdge(t, { upstreams }, { plugins: [auth] })]
  const as = (who: string, ...args: string[]) => curlDone(['-H', `Authorization: Bearer ${token(who)}`, ...args])
  const code = ['-o', '/dev/null', '-w', '%{http_code}']
  t.equal((await ask(open.url('jobs'))).status, 401, 'the relay says so')
  t.equal((await ask(guarded.url('jobs'))).status, 401, 'the edge says so')
  // A project is a namespace of the relay: one name, two pipes.
  const received = [as('red', open.url('jobs')), as('blue', guarded.url('jobs'))]
  const home = relays[homeOf('jobs', HOSTS, port)]!
  await home.holds(2, 0)
  await as('blue', '--data-binary', 'for blue', open.url('jobs'))
  await as('red', '--data-binary', 'for red', guarded.url('jobs'))
  t.equal((await received[0]!).stdout.toString(), 'for red')
  t.equal((await received[1]!).stdout.toString(), 'for blue')
  // Only the edge has seen these.
  const requests = () =>
    relays.flatMap(({ lines }) => lines.filter(({ msg, path }) => msg === 'request' && path !== '/api/v1/pipe/health'))
  await eventually(() => requests().length === 5 || `${requests().length} requests`)
  t.equal((await as('taker', ...code, '--data-binary', 'x', guarded.url('jobs'))).stdout.toString(), '403')
  t.equal((await as('taker', ...code, guarded.url('jobs?status'))).stdout.toString(), '403')
  t.equal(requests().length, 5)
})

t.test('a sender that reads no lines is told when its name moves, if it waits; if it streams it goes on', async (t) => {
  const { relays, port } = await startRelays(t, HOSTS)
  const dns = await startDnsServer(t)
  dns.names.set('relays.test', HOSTS.slice(0, 2))
  const edge = await startEdge(t, { dns: `relays.test:${port}`, resolver: [dns.address], lookup: 0.05 })
  const names = Array.from({ length: 60 }, (_, i) => `job-${i}`).filter((name) => homeOf(name, HOSTS, port) === 2)
  const [waits, large, old, flows] = names as [string, string, string, string]
  const text = async (args: string[]) => {
    const { stdout } = await curlDone(['-w', '\n%{http_code} %header{x-pipe-code} %header{retry-after}', ...args])
    return stdout.toString()
  }
  const told = [
    text(['--data-binary', 'small', edge.url(`${waits}?reply=end&wait=60`)]),
    text(['-H', 'Expect:', '--data-binary', 'x'.repeat(120_000), edge.url(`${large}?reply=end&wait=60`)]),
  ]
  const http10 = curlDone(['-0', '--data-binary', 'small', edge.url(`${old}?wait=60`)])
  const receiver = curl(['-N', edge.url(flows)])
  const sender = curl(['-sS', '-N', '-T', '-', edge.url(`${flows}?reply=end`)])
  sender.stdin.write('first')
  await receiver.waitFor('first')
  await eventually(() => {
    const waiting = relays.reduce((sum, { gateway }) => sum + gateway.table.waiting, 0)
    return waiting === 3 || `${waiting} wait`
  })
  dns.names.set('relays.test', HOSTS)
  for (const each of told)
    t.match(await each, /^\[ERROR\] This name belongs to another relay now[^\n]*\n\n503 REVERSE_PROXY_MOVED 5$/)
  t.match((await http10).stdout.toString(), /this name belongs to another relay now|belongs to another relay now/)
  await eventually(() => relays.every(({ gateway }) => gateway.table.waiting === 0) || 'somebody still waits')
  sender.stdin.end(' and last')
  t.equal((await receiver.result).stdout.toString(), 'first and last')
  t.match((await sender.result).stdout.toString(), /Transfer complete\.\n$/)
})
