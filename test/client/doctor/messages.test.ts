/** `pipegate doctor` and what is many and small: queues, topics and questions, through proxies with one defect each. */
import { createServer, request } from 'node:http'
import { createGzip } from 'node:zlib'
import t, { type Test } from 'tap'
import { Chain } from '../../../client/doctor/chain.js'
import type { Check, Finding } from '../../../client/doctor/check.js'
import { ask } from '../../../client/doctor/checks/ask.js'
import { responseBuffering } from '../../../client/doctor/checks/buffering.js'
import { queue } from '../../../client/doctor/checks/queue.js'
import { topic } from '../../../client/doctor/checks/topic.js'
import { nginx, startProxy } from '../../deploy/front.js'
import { freePort } from '../../support/free-port.js'
import { type Running, startDefaultGateway } from '../../support/gateway.js'
import { listenOnLoopback } from '../../support/loopback.js'

// Most of the time they wait.
t.jobs = 8

async function look(check: Check, url: string, silenceMs = 0, uploadsFlow = true): Promise<Finding> {
  const chain = new Chain({ url: new URL(url), headers: {} })
  chain.uploadsFlow = uploadsFlow
  return check.run(chain, { silenceMs }).finally(() => chain.close())
}

/**
 * An nginx that passes everything on at once, but for what these lines say.
 * @param location in the location of all names. It has the upstream `gateway`, which is the same gateway twice
 * @param server beside the location
 */
async function spoilt(
  t: Test,
  gateway: Running,
  { location = '', server = '', http = '', to = 'http://gateway' },
): Promise<string> {
  const port = await freePort()
  const folder = t.testdir({})
  const address = `server 127.0.0.1:${gateway.port} max_fails=0;`
  const config = `
    ${http.replaceAll('FOLDER', folder)}
    upstream gateway { ${address} ${address} }
    server {
      listen 127.0.0.1:${port};
      client_max_body_size 0;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_request_buffering off;
      location / { proxy_pass http://gateway; ${location} }
      location /names/ { proxy_pass ${to}/; }
      ${server}
    }`
  await startProxy(t, nginx(folder, config), port)
  return `http://127.0.0.1:${port}`
}

t.test('an nginx without a defect, which is silent for longer than it takes until a heartbeat', async (t) => {
  const gateway = await startDefaultGateway(t, { reply: 'end' })
  const url = await spoilt(t, gateway, {})
  const [jobs, events, questions, few] = await Promise.all([
    look(queue, url),
    look(topic, url, 20_000),
    look(ask, url),
    look(ask, url, 0, false),
  ])
  t.match(jobs, { verdict: 'ok', seen: '4 workers at one address get a job each', measured: { workers: 4, jobs: 4 } })
  t.match(events, {
    verdict: 'ok',
    seen: /^each message of a topic is there after .*, and so is a heartbeat after 1[4-6]/,
  })
  t.match(questions, { verdict: 'ok', seen: /^answers come back with their own status and body, and in pieces, each / })
  t.match(few, { verdict: 'ok', seen: 'answers come back with their own status and body', measured: { worstMs: null } })
})

t.test('one that caches what it must not: a worker gets a job that is done', async (t) => {
  const gateway = await startDefaultGateway(t)
  const url = await spoilt(t, gateway, {
    http: 'proxy_cache_path FOLDER/cache keys_zone=names:1m;',
    location:
      'proxy_cache names; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control Expires X-Accel-Buffering;',
  })
  const found = await look(queue, url)
  t.match(found, { verdict: 'fail', seen: /workers at one address get 3 of 4 jobs, some the same$/ })
  t.match(found.mend, { nginx: 'proxy_cache off;', 'every proxy': /Cache-Control: no-store/ })
})

t.test('one that answers several workers with one response', async (t) => {
  const gateway = await startDefaultGateway(t)
  const url = await spoilt(t, gateway, {
    http: 'proxy_cache_path FOLDER/cache keys_zone=names:1m;',
    location: `proxy_cache names; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control Expires X-Accel-Buffering;
      proxy_cache_lock on; proxy_cache_lock_timeout 60s;`,
  })
  const found = await look(queue, url)
  t.match(found, { verdict: 'fail', measured: { workers: 4, jobs: 1 } })
})

t.test('one that holds events back', async (t) => {
  const gateway = await startDefaultGateway(t)
  const url = await spoilt(t, gateway, {
    location: 'proxy_ignore_headers X-Accel-Buffering; gzip on; gzip_types text/event-stream;',
  })
  const found = await look(topic, url)
  t.match(found, { verdict: 'fail', seen: /^(an event stream has not begun|message 1 of a topic was not there)/ })
  t.match(found.mend, { nginx: /proxy_buffering off;/ })
})

t.test('one that compresses for browsers, and keeps what is small: nothing but events shows it', async (t) => {
  const gateway = await startDefaultGateway(t)
  const server = createServer((req, res) => {
    const { method, url: path, headers } = req
    const up = request({ port: gateway.port, method, path, headers, agent: false })
    up.on('error', () => res.destroy())
    res.on('close', () => up.destroy())
    up.on('response', (answer) => {
      const { 'content-length': length, ...others } = answer.headers
      const compresses = headers['accept-encoding'] !== undefined
      const more = compresses
        ? { 'content-encoding': 'gzip' }
        : length === undefined
          ? {}
          : { 'content-length': length }
      res.writeHead(answer.statusCode!, { ...others, ...more })
      res.flushHeaders()
      if (compresses) answer.pipe(createGzip()).pipe(res)
      else answer.pipe(res)
    })
    req.pipe(up)
  })
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}`
  t.teardown(() => server.close())
  t.match(await look(responseBuffering, url), { verdict: 'ok' })
  const found = await look(topic, url)
  t.match(found, { verdict: 'fail', seen: /^message [12] of a topic was not there 5 s later$/ })
  t.match(found.mend, { nginx: /gzip off;/, HAProxy: /no compression/, Caddy: /no encode/ })
})

t.test('one that is done with an event stream before its heartbeat', async (t) => {
  const gateway = await startDefaultGateway(t)
  const url = await spoilt(t, gateway, { location: 'proxy_read_timeout 3s;' })
  const found = await look(topic, url, 20_000)
  t.match(found, {
    verdict: 'fail',
    seen: /^an event stream is cut after [2-5][\d.]* s of silence, before its heartbeat$/,
  })
  t.match(found.mend, { nginx: /proxy_read_timeout 61m;/ })
  t.match(await look(topic, url, 1000), { verdict: 'ok', seen: /what keeps it alive in silence was not looked at$/ })
})

t.test('one that takes an answer for a failure of its own', async (t) => {
  const gateway = await startDefaultGateway(t)
  const url = await spoilt(t, gateway, {
    location: 'proxy_intercept_errors on; error_page 502 503 @sorry;',
    server: 'location @sorry { return 503 "We are sorry.\\n"; }',
  })
  const found = await look(ask, url)
  t.match(found, { verdict: 'fail', seen: 'an answer with the status 502, 503 does not come back as it was given' })
  t.match(found.mend, { nginx: 'proxy_intercept_errors off;' })
})

t.test('one that asks once more when it does not like the answer', async (t) => {
  const gateway = await startDefaultGateway(t)
  const url = await spoilt(t, gateway, { location: 'proxy_next_upstream error timeout http_500 http_503;' })
  const found = await look(ask, url)
  t.match(found, { verdict: 'fail', seen: 'a question is asked twice when its answer has the status 500, 503' })
  t.match(found.mend, { nginx: 'proxy_next_upstream error timeout;' })
})

t.test('one that changes the path: the address for an answer leads nowhere', async (t) => {
  const gateway = await startDefaultGateway(t)
  const found = await look(ask, `${await spoilt(t, gateway, {})}/names`)
  t.match(found, {
    verdict: 'warn',
    seen: /^a question that came to \/names\/doctor-\S+ has \/doctor-\S+ as the address/,
  })
  t.match(found.mend, { pipegate: /^prefix: / })
})
