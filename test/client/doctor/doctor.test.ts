/** `pipegate doctor` through chains of every kind: good ones, and some that have one defect each. */
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, request } from 'node:http'
import { createServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { Chain } from '../../../client/doctor/chain.js'
import type { Verdict } from '../../../client/doctor/check.js'
import { responseBuffering } from '../../../client/doctor/checks/buffering.js'
import { live } from '../../../client/doctor/checks/live.js'
import { silence } from '../../../client/doctor/checks/silence.js'
import { truncationHttp2 } from '../../../client/doctor/checks/truncation-http2.js'
import { examine, type Result, Unreachable } from '../../../client/doctor/examine.js'
import { textOf } from '../../../client/doctor/report.js'
import {
  type Node,
  nginx,
  ourHaproxy,
  ourNginx,
  type Place,
  type ProxyProgram,
  startFront,
  startNodes,
  startProxy,
} from '../../deploy/front.js'
import { freePort } from '../../support/free-port.js'

// Most of the time they wait.
t.jobs = 6

/** Everything that a chain without a defect has. */
const GOOD: Readonly<Record<string, Verdict>> = {
  reach: 'ok',
  meet: 'ok',
  'request-buffering': 'ok',
  'response-buffering': 'ok',
  'early-reply': 'ok',
  untouched: 'ok',
  expect: 'ok',
  'waiting-left': 'ok',
  head: 'ok',
  forwarded: 'ok',
  pages: 'ok',
  queue: 'ok',
  topic: 'ok',
  ask: 'ok',
  websocket: 'ok',
  'truncation-chunked': 'ok',
  'truncation-length': 'ok',
  'receiver-left': 'ok',
  live: 'ok',
  duplex: 'ok',
  trickle: 'ok',
  silence: 'ok',
}

/** Behind nginx and the proxies below, the end of one peer ends the request of the other one. */
const PARTS_ONLY = { duplex: 'warn' } as const
/** What knows no `Upgrade`. */
const HTTP_ONLY = { websocket: 'fail', ...PARTS_ONLY } as const

async function doctor(url: string): Promise<Record<string, Result>> {
  const chain = new Chain({ url: new URL(url), headers: {} })
  const found: Record<string, Result> = {}
  try {
    for await (const result of examine(chain, { silenceMs: 500 })) found[result.check] = result
  } finally {
    chain.close()
  }
  return found
}

/** All verdicts are as they should be; a red test says what was seen. */
function verdicts(t: Test, found: Record<string, Result>, wanted: Readonly<Record<string, Verdict>>): void {
  const got = Object.fromEntries(Object.entries(found).map(([name, { verdict }]) => [name, verdict]))
  t.same(
    got,
    wanted,
    Object.values(found)
      .map((each) => textOf(each, false))
      .join(''),
  )
}

const listening = (t: Test, server: Server) =>
  new Promise<string>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as { port: number }).port}`))
    t.teardown(() => server.close())
  })

/** A proxy in nobody's product, with the defects that it is told. */
function homemade(
  t: Test,
  nodes: readonly Node[],
  {
    endsCleanly = false,
    rotates = false,
    changes = false,
  }: Partial<Record<'endsCleanly' | 'rotates' | 'changes', boolean>>,
): Promise<string> {
  let turn = 0
  const server = createHttpServer({ maxHeaderSize: 65_536 }, (req, res) => {
    const { port } = nodes[rotates ? turn++ % nodes.length : 0]!
    const { method, url: path, headers } = req
    const up = request({ port, method, path, headers, agent: false })
    const end = () => (endsCleanly ? res.end() : res.destroy())
    req.on('aborted', () => up.destroy())
    res.on('close', () => up.destroy())
    up.on('error', end)
    up.on('response', (answer) => {
      const { 'content-length': length, ...others } = answer.headers
      if (changes) delete others['x-piping']
      res.writeHead(answer.statusCode!, endsCleanly || changes || length === undefined ? others : answer.headers)
      res.flushHeaders()
      answer.pipe(res, { end: false })
      answer.on('error', end)
      answer.on('end', () => res.end())
    })
    req.pipe(up)
  })
  return listening(t, server)
}

t.test('nobody, and somebody who says nothing', async (t) => {
  await t.rejects(doctor(`http://127.0.0.1:${await freePort()}`), new Unreachable('ECONNREFUSED'))
  const silent = createServer((socket) => socket.on('error', () => {}))
  await t.rejects(doctor(await listening(t, silent)), new Unreachable('no answer within 8 s'))
})

t.test('straight to a gateway everything is good', async (t) => {
  const [node] = await startNodes(t, 1, {})
  const found = await doctor(`http://127.0.0.1:${node!.port}`)
  verdicts(t, found, GOOD)
  t.match(found.meet!.measured, { names: 20, met: 20 })
  t.equal(found['early-reply']!.measured?.linesWhileUploading, true)
  const other = await startNodes(t, 1, { flags: { bareNames: 'false' } })
  const under = await doctor(`http://127.0.0.1:${other[0]!.port}/api/v1/pipe/`)
  verdicts(t, under, GOOD)
  t.match(under.meet!.seen, 'names without it answer 404')
})

t.test('nginx as it is delivered', async (t) => {
  const [good, stream] = await Promise.all([
    startFront(t, ourNginx, { flags: { reply: 'end' } }),
    startFront(t, ourNginx),
  ])
  const [well, early] = await Promise.all([doctor(good.url('')), doctor(stream.url(''))])
  verdicts(t, well, { ...GOOD, ...PARTS_ONLY })
  t.equal(well['early-reply']!.measured?.linesWhileUploading, false)
  verdicts(t, early, { ...GOOD, ...PARTS_ONLY, 'early-reply': 'fail' })
  t.match(early['early-reply'], { seen: /an upload stops at/, mend: { pipegate: /^reply: end/ } })
})

t.test('nginx as it comes, which holds everything back', async (t) => {
  const [node] = await startNodes(t, 1, { flags: { reply: 'end' } })
  const port = await freePort()
  const otherPort = await freePort()
  const location = `proxy_pass http://127.0.0.1:${node!.port}; proxy_http_version 1.1; proxy_ignore_headers X-Accel-Buffering;`
  const config = `
    server { listen 127.0.0.1:${port}; location / { ${location} } }
    server {
      listen 127.0.0.1:${otherPort};
      client_max_body_size 0;
      location / { ${location} proxy_request_buffering off; proxy_set_header Host $http_host; }
    }`
  await startProxy(t, nginx(t.testdir({}), config), port)
  const half = new Chain({ url: new URL(`http://127.0.0.1:${otherPort}`), headers: {} })
  const whole = new Chain({ url: new URL(`http://127.0.0.1:${port}`), headers: {} })
  const [found, responses, broadcast] = await Promise.all([
    doctor(`http://127.0.0.1:${port}`),
    responseBuffering.run(half, { silenceMs: 0 }),
    live.run(whole, { silenceMs: 0 }),
  ]).finally(() => {
    half.close()
    whole.close()
  })
  verdicts(t, found, {
    ...GOOD,
    'request-buffering': 'fail',
    'early-reply': 'fail',
    'truncation-chunked': 'skip',
    'truncation-length': 'skip',
    'receiver-left': 'skip',
    live: 'skip',
    duplex: 'skip',
    websocket: 'fail',
    trickle: 'skip',
    silence: 'skip',
    forwarded: 'warn',
  })
  t.match(found['request-buffering']!.mend, { nginx: /proxy_request_buffering off;/ })
  t.match(found['early-reply'], { seen: /413/, mend: { nginx: 'client_max_body_size 0;' } })
  t.match(responses, { verdict: 'fail', mend: { nginx: /proxy_buffering off;/ } })
  t.ok((responses.measured!.heldBytes as number) >= 4096)
  t.match(broadcast, { verdict: 'fail', seen: /^piece 1 of a live stream was not there 5 s later/ })
  t.match(broadcast.mend, { nginx: /proxy_request_buffering off;/, HAProxy: /http-buffer-request/ })
})

t.test('HAProxy as it is delivered', async (t) => {
  verdicts(t, await doctor((await startFront(t, ourHaproxy)).url('')), GOOD)
})

t.test('several gateways without hashing', async (t) => {
  const nodes = await startNodes(t, 2, {})
  const found = await doctor(await homemade(t, nodes, { rotates: true }))
  const skipped = Object.fromEntries(Object.keys(GOOD).map((name) => [name, 'skip'])) as Record<string, Verdict>
  verdicts(t, found, { ...skipped, reach: 'ok', meet: 'fail' })
  t.match(found.meet, { seen: /^both sides met on \d+ of 20 names$/, mend: { nginx: /^hash / } })
})

t.test('a proxy that ends what is broken as if it were complete', async (t) => {
  const nodes = await startNodes(t, 1, {})
  const found = await doctor(await homemade(t, nodes, { endsCleanly: true }))
  const broken = { 'truncation-chunked': 'fail', 'truncation-length': 'fail', untouched: 'warn' } as const
  verdicts(t, found, { ...GOOD, ...HTTP_ONLY, ...broken })
  t.match(found['truncation-length']!.seen, 'gets a part as if it were all')
})

t.test('a proxy that changes what it passes on', async (t) => {
  const nodes = await startNodes(t, 1, {})
  const found = await doctor(await homemade(t, nodes, { changes: true }))
  verdicts(t, found, { ...GOOD, ...HTTP_ONLY, untouched: 'warn' })
  t.match(found.untouched!.seen, 'its length is gone, X-Piping is gone')
})

t.test('one that takes silence for death', async (t) => {
  const [node] = await startNodes(t, 1, {})
  const port = await freePort()
  const location = `proxy_pass http://127.0.0.1:${node!.port}; proxy_http_version 1.1; proxy_request_buffering off;`
  const config = `server { listen 127.0.0.1:${port}; client_max_body_size 0; location / { ${location} proxy_read_timeout 3s; } }`
  await startProxy(t, nginx(t.testdir({}), config), port)
  const chain = new Chain({ url: new URL(`http://127.0.0.1:${port}`), headers: {} })
  const found = await silence.run(chain, { silenceMs: 30_000 }).finally(() => chain.close())
  t.match(found, { verdict: 'fail', seen: /^a .* (is cut|is answered with 504) after [\d.]+ m?s$/ })
  t.match(found.mend, { nginx: /proxy_read_timeout 61m;/ })
})

t.test('a gateway that asks who it is', async (t) => {
  const server = createHttpServer((req, res) => {
    const mayPass = req.url!.endsWith('/health') || req.headers.authorization === 'Bearer sesame'
    res.writeHead(mayPass ? 200 : 401).end(mayPass ? '{"status":"ok"}' : '[ERROR] Who are you?\n')
    req.resume()
  })
  const { meet } = await doctor(await listening(t, server))
  t.match(meet, { verdict: 'fail', seen: 'no transfer is possible: 401 [ERROR] Who are you?' })
})

t.test('what an HTTP/2 client sees of a broken body', async (t) => {
  const look = async (program: (place: Place) => ProxyProgram) => {
    const front = await startFront(t, program)
    const chain = new Chain({
      url: new URL(front.tlsUrl('')),
      headers: {},
      tls: { ca: readFileSync(front.cert, 'utf8') },
    })
    const found = await truncationHttp2.run(chain, { silenceMs: 0 })
    chain.close()
    return found
  }
  const programs = [ourNginx, ourHaproxy, (place: Place) => ourHaproxy(place, 'h2,http/1.1')]
  const [nginx, haproxy, overHttp2] = await Promise.all(programs.map((program) => look(program)))
  t.match(nginx, { verdict: 'ok', seen: /sees a break after/ })
  t.match(haproxy, { verdict: 'skip', seen: 'the server does not speak HTTP/2' })
  // HAProxy 2.6 does this. When it no longer does, docs/proxies.md has a cell less in bold.
  t.match(overHttp2, { verdict: 'fail', mend: { HAProxy: /alpn http\/1\.1/ } })
})
