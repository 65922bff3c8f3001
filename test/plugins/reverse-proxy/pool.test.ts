/** The upstreams of a service: which there are, which of them are well, and which gets a request. */

import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import t, { type Test } from 'tap'
import { z } from '../../../gateway/host/plugin-api.js'
import { oneSource, upstreamFields } from '../../../plugins/reverse-proxy/pool/config.js'
import { checkHealth } from '../../../plugins/reverse-proxy/pool/health-check.js'
import { HealthState } from '../../../plugins/reverse-proxy/pool/health-state.js'
import { Pool } from '../../../plugins/reverse-proxy/pool/pool.js'
import { targetOf } from '../../../plugins/reverse-proxy/pool/upstream.js'
import { type DnsServer, startDnsServer } from '../../support/dns-server.js'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'

const schema = z.strictObject(upstreamFields).refine(...oneSource)
const NEVER = new AbortController().signal

/** What checks cost little, and come often. */
const QUICK = { path: '/health', interval: 0.05, timeout: 5, rise: 2, fall: 2 }

interface Backend {
  readonly url: string
  readonly port: number
  /** What `/health` answers. */
  status: number
  /** Checks so far. */
  asked: number
  /** The headers of the last one. */
  headers: Record<string, unknown>
  stop(): Promise<void>
  again(): Promise<void>
}

async function startBackend(t: Test, port = 0, host = '127.0.0.1'): Promise<Backend> {
  let server: Server
  const listen = async (at: number) => {
    server = createServer(handle).listen(at, host)
    await once(server, 'listening')
    return (server.address() as { port: number }).port
  }
  const stop = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  const handle: RequestListener = (request, response) => {
    backend.asked++
    backend.headers = request.headers
    response.writeHead(backend.status).end('{}')
  }
  const at = await listen(port)
  const backend: Backend = {
    url: `http://${host}:${at}`,
    port: at,
    status: 200,
    asked: 0,
    headers: {},
    stop,
    again: async () => void (await listen(at)),
  }
  t.teardown(stop)
  return backend
}

interface Rig {
  readonly pool: Pool
  readonly lines: readonly { readonly level: string; readonly message: string; readonly [field: string]: unknown }[]
  changes: number
  /** Where `count` requests without a key would go. */
  turns(count: number): string[]
  /** Waits until exactly these are used. */
  uses(...urls: readonly string[]): Promise<void>
}

function rig(t: Test, config: object, headers: Record<string, string> = {}): Rig {
  const lines: { level: string; message: string }[] = []
  const say = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields })
  const pool = new Pool({
    config: schema.parse({ health: QUICK, ...config }),
    headers,
    log: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    onChange: () => rig.changes++,
  })
  t.teardown(() => pool.stop())
  const turns = (count: number) => Array.from({ length: count }, () => pool.pick(undefined)?.url ?? 'none')
  const rig: Rig = {
    pool,
    lines,
    changes: 0,
    turns,
    uses: (...urls) =>
      eventually(() => {
        const used = [...new Set(turns(8))].sort().join()
        return used === [...urls].sort().join() || `it uses ${used}, not ${urls}: ${pool.why}`
      }),
  }
  return rig
}

/** A start, within a time that no upstream can make longer. */
const start = (pool: Pool) => pool.start(NEVER)

t.test('what is wrong with a list of upstreams is said, with both places of what is there twice', async (t) => {
  const problem = (config: object) => {
    const result = schema.safeParse(config)
    return result.success
      ? 'none'
      : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join()
  }
  t.equal(problem({ upstreams: ['http://a:80', 'https://b'] }), 'none')
  for (const [one, other] of [
    ['http://a:8080', 'http://a:8080'],
    ['http://a', 'http://A:80/'],
    ['https://a', 'http://a:443'],
    ['http://a.example', 'http://a.example.'],
    ['http://127.0.0.1:80', 'http://127.1'],
    ['http://[::1]:80', 'http://[0:0::1]'],
  ])
    t.match(
      problem({ upstreams: ['http://c', one, other] }),
      /^upstreams\.2: found .* and \[1\] is .*expected each upstream once$/,
    )
  t.equal(
    problem({ upstreams: ['http://a:80', 'http://A/'] }),
    'upstreams.1: found http://A/, and [0] is as http://a:80, which is the same place: a:80; expected each upstream once',
  )
  for (const bad of [
    'a:8080',
    'ftp://a',
    'http://a/path',
    'http://a?b',
    'http://u:p@a',
    'http://',
    'http://a:99999',
    'http://a b',
  ])
    t.match(problem({ upstreams: [bad] }), /^upstreams\.0: expected an origin/, bad)
  t.match(problem({ upstreams: [] }), /one upstream at least/)
  t.match(problem({}), /expected either upstreams, a list of origins, or dns/)
  t.match(problem({ upstreams: ['http://a'], dns: 'b:80' }), /expected either/)
  for (const good of ['relays.internal:8080', 'https://relays.internal', 'relays.'])
    t.equal(problem({ dns: good }), 'none')
  for (const bad of ['10.0.0.1:80', '[::1]:80', 'a/b', '', 'relays:x'])
    t.match(problem({ dns: bad }), /^dns: expected a DNS name/, bad)
  for (const good of ['10.0.0.53', '10.0.0.53:5353', '::1', '[::1]:53'])
    t.equal(problem({ dns: 'a:1', resolver: [good] }), 'none')
  for (const bad of ['dns.internal', '10.0.0.53:', '10.0.0.53:70000', '[10.0.0.1]:53'])
    t.match(problem({ dns: 'a:1', resolver: [bad] }), /^resolver\.0: expected the address/, bad)
})

t.test('what is thought of an upstream', async (t) => {
  const problem = { why: 'timeout', certain: false }
  const refused = { why: 'refused', certain: true }
  const health = new HealthState({ rise: 3, fall: 2 })
  t.notOk(health.isUp, 'not before its first check')
  t.ok(health.checked(undefined), 'which decides alone')
  t.notOk(health.checked(problem))
  t.notOk(health.checked(undefined))
  t.notOk(health.failed(problem), 'a good check in between')
  health.succeeded()
  t.notOk(health.failed(problem), 'a good request in between')
  t.ok(health.checked(problem), 'two in a row, a check and a request')
  t.notOk(health.isUp)
  t.equal(health.problem, problem)
  health.succeeded()
  t.notOk(health.isUp, 'requests that still run bring nothing back')
  t.notOk(health.checked(undefined))
  t.notOk(health.checked(undefined))
  t.notOk(health.checked(problem), 'from the beginning')
  t.notOk(health.checked(undefined))
  t.notOk(health.checked(undefined))
  t.ok(health.checked(undefined), 'three in a row')
  t.ok(health.isUp)
  t.equal(health.problem, undefined)
  t.ok(health.failed(refused), 'certain: once is enough')
  t.notOk(health.failed(refused), 'it is out already')
})

t.test('a check: good, bad, slow and lying upstreams', async (t) => {
  const options = { path: '/health', timeoutMs: 20_000, headers: {}, trust: {} }
  const quick = { ...options, timeoutMs: 50 }
  const at = (url: string) => targetOf(new URL(url))
  const backend = await startBackend(t)
  t.equal(await checkHealth(at(backend.url), options, NEVER), undefined)
  t.equal(await checkHealth(at(backend.url), { ...options, path: undefined }, NEVER), undefined)
  backend.status = 302
  t.equal(await checkHealth(at(backend.url), options, NEVER), undefined)
  backend.status = 404
  t.strictSame(await checkHealth(at(backend.url), options, NEVER), { why: 'answers 404', certain: false })
  backend.status = 503
  t.strictSame(await checkHealth(at(backend.url), options, NEVER), { why: 'answers 503', certain: true })
  backend.status = 508
  t.match(await checkHealth(at(backend.url), options, NEVER), { why: 'it is this gateway itself' })
  const nobody = at(`http://127.0.0.1:${await freePort()}`)
  t.strictSame(await checkHealth(nobody, options, NEVER), { why: 'refused', certain: true })
  t.strictSame(await checkHealth(nobody, { ...options, path: undefined }, NEVER), { why: 'refused', certain: true })

  const says = async (text: string, ends: boolean) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {}).resume()
      if (ends) socket.end(text)
      else socket.write(text)
      t.teardown(() => socket.destroy())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    return at(`http://127.0.0.1:${(server.address() as { port: number }).port}`)
  }
  t.match(await checkHealth(await says('', false), quick, NEVER), { why: 'timeout' }, 'it says nothing')
  t.match(
    await checkHealth(await says('HTTP/1.1 200 OK\r\n\r\nand on', false), quick, NEVER),
    { why: 'timeout' },
    'no end',
  )
  t.match(await checkHealth(await says('', true), options, NEVER), { why: 'reset' }, 'it closes')
  t.match(await checkHealth(await says('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', true), options, NEVER), {
    why: 'reset',
  })
  t.match(await checkHealth(await says('SSH-2.0-OpenSSH_9.2\r\n', true), options, NEVER), { why: /HPE_/ }, 'no HTTP')
  const stopped = new AbortController()
  const stuck = checkHealth(await says('', false), options, stopped.signal)
  stopped.abort()
  await stuck
})

t.test('each in turn; one that goes is left out, and comes back; stop ends the checks', async (t) => {
  const [a, b, c] = [await startBackend(t), await startBackend(t), await startBackend(t)]
  const r = rig(t, { upstreams: [a.url, b.url, c.url] }, { 'x-hop': 'me' })
  const { pool, lines, turns, uses } = r
  t.equal(pool.pick('name'), undefined)
  t.match(pool.why, /^no upstream is known/)
  await start(pool)
  t.strictSame(turns(4), [a.url, b.url, c.url, a.url], 'right after the start')
  t.equal(a.headers['x-hop'], 'me')
  b.status = 503
  await uses(a.url, c.url)
  t.match(lines.at(-1), { level: 'warn', upstream: b.url, why: 'answers 503', message: 'an upstream is down' })
  await c.stop()
  await uses(a.url)
  t.match(lines.at(-1), { upstream: c.url, why: 'refused' })
  await a.stop()
  await uses('none')
  const places = [a, b, c].map(({ port }) => `127.0.0.1:${port}`)
  t.equal(
    pool.why,
    `no upstream is healthy: ${places[0]} (refused), ${places[1]} (answers 503), ${places[2]} (refused)`,
  )
  b.status = 200
  await Promise.all([a.again(), c.again()])
  await uses(a.url, b.url, c.url)
  t.equal(lines.filter(({ message }) => message === 'an upstream is up').length, 6, 'three at the start, three again')
  t.equal(r.changes, 9)
  pool.stop()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const { asked } = b
  await new Promise((resolve) => setTimeout(resolve, 150))
  t.equal(b.asked, asked)
})

t.test('names stay on what is well; what fails with a request counts at once', async (t) => {
  const backends = [await startBackend(t), await startBackend(t), await startBackend(t)]
  // No check comes while this runs: what is known comes from requests.
  const slow = { ...QUICK, interval: 3600 }
  const urls = backends.map(({ url }) => url)
  const { pool } = rig(t, { upstreams: urls, health: slow })
  const other = rig(t, { upstreams: [...urls].reverse(), health: slow }).pool
  await Promise.all([start(pool), start(other)])
  const names = Array.from({ length: 200 }, (_, i) => `job-${i}`)
  const homes = (of: Pool) => new Map(names.map((name) => [name, of.pick(name)!.url]))
  const before = homes(pool)
  t.strictSame(homes(other), before)
  const gone = pool.pick(names[0])!
  pool.failed(gone, Object.assign(new Error('it hangs up'), { code: 'ECONNRESET' }))
  t.strictSame(homes(pool), before, 'once may be bad luck')
  pool.succeeded(gone)
  pool.failed(gone, Object.assign(new Error('nobody'), { code: 'ECONNREFUSED' }))
  const after = homes(pool)
  for (const name of names) {
    if (before.get(name) === gone.url) t.not(after.get(name), gone.url)
    else if (after.get(name) !== before.get(name)) t.fail(`${name} has moved`)
  }
  t.strictSame(homes(other), before)
  pool.failed({ ...gone }, new Error('of a list that was'))
})

t.test('a gateway in its own list is put out, with a line that says so', async (t) => {
  const [good, itself] = [await startBackend(t), await startBackend(t)]
  itself.status = 508
  const { pool, lines, turns } = rig(t, { upstreams: [good.url, itself.url] })
  await start(pool)
  t.strictSame([...new Set(turns(4))], [good.url])
  t.match(
    lines.find(({ level }) => level === 'error'),
    { upstream: itself.url, message: /^an upstream is this gateway itself/ },
  )
  // At its own start its port is not open yet.
  const late = await startBackend(t)
  late.status = 508
  await late.stop()
  const own = rig(t, { upstreams: [late.url] })
  await start(own.pool)
  t.match(own.pool.why, /\(refused\)/)
  await late.again()
  await eventually(() => own.lines.some(({ level }) => level === 'error') || 'no line')
  t.match(own.pool.why, /\(it is this gateway itself\)/)
  pool.isItself(pool.pick(undefined)!)
  t.match(pool.why, /\(it is this gateway itself\), .*\(it is this gateway itself\)/)
})

t.test('without a path it is enough that a connection opens', async (t) => {
  const backend = await startBackend(t)
  backend.status = 500
  const { path, ...health } = QUICK
  const { pool, uses } = rig(t, { upstreams: [backend.url], health })
  await start(pool)
  await uses(backend.url)
  await backend.stop()
  await uses('none')
  await backend.again()
  await uses(backend.url)
  t.equal(backend.asked, 0)
})

t.test('an upstream that hangs does not hold a start up for longer than a check', async (t) => {
  const server = createTcpServer((socket) => void socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const { pool } = rig(t, { upstreams: [url], health: { ...QUICK, timeout: 0.1 } })
  await start(pool)
  t.match(pool.why, /\(timeout\)$/)
})

t.test('a DNS name', async (t) => {
  /** Upstreams on one port of several addresses, and a DNS server that names them. */
  async function rigDns(t: Test, addresses: DnsServer['names'] extends Map<string, infer V> ? V | undefined : never) {
    const first = await startBackend(t)
    const { port } = first
    const backends = [first, await startBackend(t, port, '127.0.0.2'), await startBackend(t, port, '127.0.0.3')]
    const dns = await startDnsServer(t)
    if (addresses !== undefined) dns.names.set('relays.test', addresses)
    const r = rig(t, { dns: `Relays.test:${port}`, resolver: [dns.address], lookup: 0.05 })
    /** When this resolves, a lookup has been made that began after it was called. */
    const again = async () => {
      const { asked } = dns
      await eventually(() => dns.asked >= asked + 8 || 'no lookup')
    }
    const url = (i: number) => `http://127.0.0.${i}:${port}`
    return { ...r, dns, again, url, backends, port }
  }

  await t.test('its addresses are the upstreams, as they come and go', async (t) => {
    const { pool, dns, again, url, uses, turns, lines, backends, port } = await rigDns(t, [
      '127.0.0.2',
      '127.0.0.1',
      '::1',
    ])
    await start(pool)
    t.strictSame(
      [...new Set(turns(4))],
      [url(1), url(2)],
      'known after the start; IPv6 is for those that have nothing else',
    )
    t.equal(backends[1]!.headers.host, `relays.test:${port}`)
    t.match(pool.pick('name'), { port, protocol: 'http:', serverName: 'relays.test', host: /^127\.0\.0\.[12]$/ })
    dns.names.set('relays.test', ['127.0.0.3', '127.0.0.1'])
    await uses(url(1), url(3))
    t.match(lines.filter(({ message }) => message === 'the upstreams are known').at(-1), {
      gone: [url(2)],
      upstreams: [url(1), url(3)],
    })
    await again()
    const { asked } = backends[1]!
    for (const nothing of ['servFail', []] as const) {
      dns.names.set('relays.test', nothing)
      await again()
      t.strictSame([...new Set(turns(4))].sort(), [url(1), url(3)])
    }
    dns.names.delete('relays.test')
    await again()
    t.strictSame([...new Set(turns(4))].sort(), [url(1), url(3)], 'no such name')
    t.equal(lines.filter(({ level }) => level === 'warn').length, 1, 'one line when it begins')
    dns.names.set('relays.test', ['127.0.0.2', '127.0.0.1', '127.0.0.3'])
    t.equal(backends[1]!.asked, asked, 'the one that was gone was not looked at')
    await uses(url(1), url(2), url(3))
    t.ok(lines.some(({ message }) => message === 'the upstreams can be looked up again'))
    dns.names.set('relays.test', ['127.0.0.1'])
    await uses(url(1))
  })

  await t.test('IPv6 addresses, when there are no others', async (t) => {
    const { pool, lines } = await rigDns(t, ['::1'])
    await start(pool)
    // Whether a machine has IPv6 is another matter.
    t.match(lines[0], { upstreams: [/^http:\/\/\[::1\]:\d+$/] })
  })

  await t.test('a name that is not there keeps nobody from starting, and is looked up until it is', async (t) => {
    const { pool, dns, uses, url } = await rigDns(t, undefined)
    await start(pool)
    t.equal(pool.pick('name'), undefined)
    t.equal(pool.why, 'no upstream is known: relays.test: there is no such name')
    dns.names.set('relays.test', ['127.0.0.1'])
    await uses(url(1))
  })

  await t.test('nor does a DNS server that says nothing', async (t) => {
    const { pool } = await rigDns(t, 'silent')
    const stopped = new AbortController()
    const started = pool.start(stopped.signal)
    stopped.abort()
    await started
    t.equal(pool.why, 'no upstream is known: not looked up yet')
  })
})
