import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Registry, register } from 'prom-client'
import t from 'tap'
import { END_REASONS } from '../../../core/index.js'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import metrics from '../../../plugins/metrics/index.js'
import { CodeLabels, methodLabel, statusLabel } from '../../../plugins/metrics/labels.js'
import { LoopDelay } from '../../../plugins/metrics/loop-delay.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { Exposition } from '../../support/exposition.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'

const TOKEN = 'a-token-for-the-scraper'

function withMetrics(config: unknown = {}): { plugins: LoadedPlugin[] } {
  return { plugins: [{ plugin: metrics as LoadedPlugin['plugin'], config }] }
}

async function scrape(gateway: Running): Promise<Exposition> {
  const response = await fetch(gateway.url('metrics'))
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  return new Exposition(await response.text())
}

t.test('a scrape is what a scraper takes: type, form, HEAD, and only below the prefix', async (t) => {
  const gateway = await startGateway(t, {}, withMetrics())
  const response = await fetch(gateway.url('metrics'))
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(response.headers.get('cache-control'), 'no-store')
  const found = new Exposition(await response.text())
  t.same(
    END_REASONS.map((reason) => found.value('pipegate_transfers_total', { reason })),
    END_REASONS.map(() => 0),
  )
  const { config } = gateway.gateway
  t.equal(found.value('pipegate_window_bytes'), config.window)
  t.equal(found.value('pipegate_memory_limit_bytes'), config.memory)
  t.equal(found.value('pipegate_draining'), 0)
  t.ok(found.value('process_start_time_seconds') > 1e9)
  t.ok(found.value('process_resident_memory_bytes') > 1e6)
  const head = await curlDone(['-I', gateway.url('metrics')])
  t.match(head.stdout.toString(), /^HTTP\/1\.1 200 OK/)
  const bare = await fetch(`${gateway.origin}/metrics`)
  t.equal(bare.status, 404)
  t.match(await bare.text(), '/api/v1/pipe/metrics')
  t.equal((await fetch(gateway.url('metrics'), { method: 'PUT', body: 'x' })).ok, false)
})

t.test('a scrape that fails says so, and where to look', async (t) => {
  let broken = true
  const breaking = {
    ...metrics,
    setup(host: Parameters<typeof metrics.setup>[0]) {
      const gateway = Object.create(host.gateway, {
        openRequests: {
          get() {
            if (broken) throw new Error('a defect of a collector')
            return 7
          },
        },
      })
      return metrics.setup({ ...host, gateway })
    },
  } as LoadedPlugin['plugin']
  const gateway = await startGateway(t, {}, { plugins: [{ plugin: breaking }] })
  const response = await fetch(gateway.url('metrics'))
  t.equal(response.status, 500)
  t.equal(response.headers.get('x-pipe-code'), 'METRICS_UNREADABLE')
  const text = await response.text()
  t.match(text, /^\[ERROR\] The metrics could not be collected. The gateway's log has the error/)
  t.notMatch(text, /defect of a collector/)
  const line = gateway.lines.find(({ msg }) => msg === 'metrics could not be collected')
  t.match(line, { plugin: 'metrics', err: { message: 'a defect of a collector' } })
  broken = false
  t.equal((await scrape(gateway)).value('pipegate_open_requests'), 7)
})

t.test('what was sent is what is counted, to the byte', async (t) => {
  const gateway = await startGateway(t, {}, withMetrics())
  const body = Buffer.alloc(3_000_017, 'x')
  const receivers = [curlDone([gateway.url('a?n=2')]), curlDone([gateway.url('a?n=2')])]
  await gateway.holds(1, 0)
  const sent = await curlDone(['-T', '-', gateway.url('a?n=2')], { input: body })
  t.equal(sent.code, 0)
  for (const each of await Promise.all(receivers)) t.equal(each.stdout.length, body.length)
  await gateway.ended('a')
  const found = await scrape(gateway)
  t.equal(found.value('pipegate_received_bytes_total'), body.length)
  t.equal(found.value('pipegate_sent_bytes_total'), 2 * body.length)
  t.equal(found.value('pipegate_transfers_total', { reason: 'complete' }), 1)
  t.equal(found.value('pipegate_transfer_duration_seconds_count'), 1)
  t.equal(found.value('pipegate_wait_duration_seconds_count'), 1)
  await eventually(async () => {
    const now = await scrape(gateway)
    const done = [now.find('pipegate_requests_total', { method: 'PUT', status: '2xx' })]
    done.push((now.find('pipegate_requests_total', { method: 'GET', status: '2xx' }) ?? 0) >= 3 ? 1 : 0)
    return (done[0] === 1 && done[1] === 1) || `requests: ${done}`
  })
})

t.test('totals grow while a transfer runs, never fall, and say what holds it back', async (t) => {
  const gateway = await startGateway(t, { window: '64KiB' }, withMetrics())
  const sender = curl(['-T', '-', gateway.url('long')])
  await gateway.holds(1, 0)
  const waiting = await scrape(gateway)
  t.equal(waiting.value('pipegate_pipes', { state: 'waiting' }), 1)
  t.equal(waiting.value('pipegate_receivers'), 0)
  const receiver = await connect({ port: gateway.port, keep: false })
  await receiver.send('GET /long HTTP/1.1\r\nHost: x\r\n\r\n')
  await gateway.holds(0, 1)
  const seen: number[] = []
  for (let sent = 1; sent <= 3; sent++) {
    sender.stdin.write(Buffer.alloc(10_000))
    await eventually(async () => {
      const now = await scrape(gateway)
      t.equal(now.value('pipegate_pipes', { state: 'streaming' }), 1)
      t.equal(now.value('pipegate_receivers'), 1)
      seen.push(now.value('pipegate_sent_bytes_total'))
      return now.value('pipegate_received_bytes_total') === sent * 10_000 || 'not all is counted'
    })
  }
  await eventually(async () => {
    seen.push((await scrape(gateway)).value('pipegate_sent_bytes_total'))
    return seen.at(-1) === 30_000 || `sent: ${seen.at(-1)}`
  })
  receiver.pause()
  const flood = Buffer.alloc(1 << 20)
  let more = true
  const pump = () => {
    while (more && sender.stdin.write(flood));
  }
  sender.stdin.on('drain', pump)
  pump()
  await eventually(async () => {
    const now = await scrape(gateway)
    seen.push(now.value('pipegate_sent_bytes_total'))
    return now.value('pipegate_backpressure_seconds_total') > 0.2 || 'nobody is held back'
  })
  more = false
  receiver.reset()
  sender.kill()
  await gateway.holds(0, 0)
  const after = await scrape(gateway)
  seen.push(after.value('pipegate_sent_bytes_total'))
  t.same(
    seen,
    [...seen].sort((a, b) => a - b),
  )
  t.ok(after.value('pipegate_received_bytes_total') >= after.value('pipegate_sent_bytes_total'))
  t.ok(after.value('pipegate_backpressure_seconds_total') > 0.2)
  t.equal(after.value('pipegate_receivers'), 0)
  t.equal(after.value('pipegate_held_bytes'), 0)
  const ends = after.samples.filter(({ name, value }) => name === 'pipegate_transfers_total' && value > 0)
  t.equal(ends.length, 1, JSON.stringify(ends))
})

t.test('a waiting sender that leaves makes no total fall', async (t) => {
  const gateway = await startGateway(t, {}, withMetrics())
  const receiver = curl([gateway.url('b?n=2')])
  await gateway.holds(1, 0)
  const sender = curl(['-T', '-', gateway.url('b?n=2')], { input: Buffer.alloc(5000) })
  await eventually(() => gateway.gateway.table.get('b')?.bytesIn === 5000 || 'nothing has been read')
  t.equal((await scrape(gateway)).value('pipegate_received_bytes_total'), 0)
  sender.kill()
  receiver.kill()
  t.equal(await gateway.ended('b'), 'abandoned')
  const after = await scrape(gateway)
  t.equal(after.value('pipegate_received_bytes_total'), 0)
  t.equal(after.value('pipegate_transfers_total', { reason: 'abandoned' }), 1)
})

t.test('refusals by code, requests by method and class of status', async (t) => {
  const gateway = await startGateway(t, {}, withMetrics())
  t.equal((await fetch(gateway.url('x?n=0'))).status, 400)
  t.equal((await fetch(gateway.url('x?n=nine'))).status, 400)
  t.equal((await fetch(gateway.url('x'), { method: 'DELETE' })).status, 405)
  await curlDone(['-X', 'BREW', gateway.url('x')])
  const found = await scrape(gateway)
  t.equal(found.value('pipegate_refusals_total', { code: 'BAD_PARAMETER' }), 2)
  t.equal(found.value('pipegate_requests_total', { method: 'GET', status: '4xx' }), 2)
  t.equal(found.value('pipegate_requests_total', { method: 'DELETE', status: '4xx' }), 1)
  t.equal(found.value('pipegate_requests_total', { method: 'other', status: '4xx' }), 1)
})

t.test('10 000 names make no series', async (t) => {
  const gateway = await startGateway(t, {}, withMetrics())
  const first = await connect({ port: gateway.port, keep: false })
  const ask = async (count: number, from: number) => {
    // Refused ones: they name a name, and answer at once.
    for (let i = from; i < from + count; i += 100) {
      const batch = Array.from({ length: 100 }, (_, j) => `GET /name-${i + j}?n=0 HTTP/1.1\r\nHost: x\r\n\r\n`)
      await first.send(batch.join(''))
      await eventually(async () => {
        const now = (await scrape(gateway)).find('pipegate_refusals_total', { code: 'BAD_PARAMETER' })
        return (
          now === i + 100 || `${now} of ${i + 100} refusals, ${first.isClosed ? 'closed' : 'open'} ${first.errorCode}`
        )
      })
    }
  }
  await ask(100, 0)
  const before = await scrape(gateway)
  await ask(9900, 100)
  for (let i = 0; i < 50; i++) {
    const receiver = fetch(gateway.url(`moved-${i}`))
    await fetch(gateway.url(`moved-${i}`), { method: 'PUT', body: 'x' }).then((response) => response.text())
    await (await receiver).text()
  }
  const after = await scrape(gateway)
  const series = (of: Exposition) => of.samples.map(({ name, labels }) => name + JSON.stringify(labels)).sort()
  const added = series(after).filter((each) => !series(before).includes(each))
  t.same(added, ['pipegate_requests_total{"method":"PUT","status":"2xx"}'])
  t.notMatch(JSON.stringify(after.samples), /name-|moved-|127\.0/)
  first.destroy()
})

t.test('labels are bounded, whatever comes', async (t) => {
  t.same(['GET', 'get', 'BREW', '', 'constructor'].map(methodLabel), ['GET', 'other', 'other', 'other', 'other'])
  t.same([0, 99, 100, 204, 404, 599, 600, Number.NaN].map(statusLabel), [
    'none',
    'none',
    '1xx',
    '2xx',
    '4xx',
    '5xx',
    'none',
    'none',
  ])
  const codes = new CodeLabels()
  t.equal(codes.of('BAD_NAME'), 'BAD_NAME')
  t.equal(codes.of('a name'), 'other')
  const labels = new Set(Array.from({ length: 10_000 }, (_, i) => codes.of(`CODE_${i}`)))
  t.equal(labels.size, 256)
  t.equal(codes.of('BAD_NAME'), 'BAD_NAME')
})

t.test('a token: 401 without it, and never in the log', async (t) => {
  t.teardown(() => delete process.env.SCRAPER_TOKEN)
  process.env.SCRAPER_TOKEN = TOKEN
  for (const token of [TOKEN, { env: 'SCRAPER_TOKEN' }]) {
    const gateway = await startGateway(t, {}, withMetrics({ token }))
    const answer = async (...headers: string[]) => {
      const run = await curlDone(['-i', ...headers.flatMap((each) => ['-H', each]), gateway.url('metrics')])
      return run.stdout.toString()
    }
    const refused = [
      await answer(),
      await answer(`Authorization: Bearer ${TOKEN}x`),
      await answer(`Authorization: Bearer ${TOKEN.slice(1)}`),
      await answer(`Authorization: Basic ${TOKEN}`),
      await answer('Authorization: Bearer'),
      await answer(`Authorization: Bearer ${TOKEN}`, `Authorization: Bearer ${TOKEN}`),
    ]
    for (const text of refused) {
      t.match(text, /^HTTP\/1\.1 401 /)
      t.match(text, /WWW-Authenticate: Bearer realm="metrics"/i)
      t.match(text, /X-Pipe-Code: METRICS_UNAUTHORIZED/i)
      t.match(text, 'Send it as')
      t.notMatch(text, TOKEN)
      t.notMatch(text, 'pipegate_')
    }
    t.match(await answer(`authorization: bearer ${TOKEN}`), /^HTTP\/1\.1 200 /)
    const head = await curlDone(['-I', gateway.url('metrics')])
    t.match(head.stdout.toString(), /^HTTP\/1\.1 401 /)
    t.notMatch(JSON.stringify(gateway.lines), TOKEN)
  }
})

t.test('a configuration that cannot be meant stops the start, without the token in the message', async (t) => {
  process.env.SHORT_TOKEN = 'sesame'
  t.teardown(() => delete process.env.SHORT_TOKEN)
  const start = (config: unknown) =>
    startGateway({ teardown() {} }, {}, withMetrics(config)).then(
      () => 'it started',
      (error: Error) => error.message,
    )
  for (const [config, message] of [
    [{ token: 'short' }, /token.*16 characters/],
    [{ token: 'with a space in the middle' }, /without spaces/],
    [{ token: { env: 'NO_SUCH_VARIABLE' } }, /found nothing in the environment variable NO_SUCH_VARIABLE/],
    [{ token: { env: 'SHORT_TOKEN' } }, /found 6 characters in the environment variable SHORT_TOKEN/],
    [{ tokens: 'x' }, /tokens/],
  ] as const) {
    const said = await start(config)
    t.match(said, message)
    t.notMatch(said, /sesame|"short"/)
  }
})

/** Counts the monitors that have been enabled and not disabled from now on. */
function runningMonitors(t: { teardown(undo: () => unknown): void }): () => number {
  const prototype = Object.getPrototypeOf(monitorEventLoopDelay())
  const { enable, disable } = prototype
  let running = 0
  prototype.enable = function (this: unknown) {
    running++
    return enable.call(this)
  }
  prototype.disable = function (this: unknown) {
    running--
    return disable.call(this)
  }
  t.teardown(() => Object.assign(prototype, { enable, disable }))
  return () => running
}

t.test('event loop delay: a loop that was held shows until it is long ago, whoever scrapes', async (t) => {
  const registry = new Registry()
  const running = runningMonitors(t)
  const delay = new LoopDelay(registry)
  t.equal(delay.seconds(1), 0, 'not started')
  delay.start()
  t.teardown(() => delay.stop())
  // The first look is what the next one is compared with.
  await eventually(() => delay.samples > 1 || 'the monitor has not looked')
  const until = Date.now() + 300
  while (Date.now() < until);
  await eventually(() => delay.seconds(1) > 0.2 || 'the delay does not show')
  t.ok(delay.seconds(1) < 5, 'in seconds')
  // 10 ms on a machine that has nothing else to do, and far from the 300 ms on any.
  await eventually(() => delay.seconds(0.5) < 0.1 || `the median is ${delay.seconds(0.5)}`)
  for (let scrapes = 0; scrapes < 2; scrapes++) {
    const found = new Exposition(await registry.metrics())
    t.ok(found.value('pipegate_event_loop_delay_seconds', { quantile: '1' }) > 0.2)
  }
  delay.rotate()
  t.ok(delay.seconds(1) > 0.2, 'the younger monitor saw it too')
  delay.rotate()
  t.equal(delay.seconds(1), 0, 'and then it is long ago')
  await eventually(() => delay.samples > 1 || 'the monitor has not looked')
  t.equal(running(), 2)
  delay.stop()
  t.equal(running(), 0)
  t.equal(delay.samples, 0)
  t.equal(delay.seconds(1), 0)
})

t.test('handshakes that come to nothing, by reason, and none without TLS', async (t) => {
  const name = 'pipegate_tls_handshakes_failed_total'
  t.equal((await scrape(await startGateway(t, {}, withMetrics()))).find(name, { reason: 'plain_http' }), undefined)
  const gateway = await startGateway(t, {}, { ...withMetrics(), tls: true })
  const counts = async () => {
    const exposition = new Exposition((await curlDone(['-k', gateway.url('metrics')])).stdout.toString())
    return ['plain_http', 'version', 'crowded'].map((reason) => exposition.value(name, { reason }))
  }
  t.same(await counts(), [0, 0, 0])
  for (let i = 0; i < 3; i++) await curlDone([gateway.url('x').replace('https', 'http')])
  const old = ['-k', '--ciphers', 'DEFAULT@SECLEVEL=0', '--tls-max', '1.1', gateway.url('x')]
  t.equal((await curlDone(old)).code, 35)
  // A connection counts when it is over.
  await eventually(async () => {
    const found = String(await counts())
    return found === '3,1,0' || found
  })
})

t.test('two gateways in one process count apart, and a stopped one leaves no timer', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
  const [one, two] = [await startGateway(t, {}, withMetrics()), await startGateway(t, {}, withMetrics())]
  await fetch(one.url('x?n=0'))
  t.equal((await scrape(one)).value('pipegate_refusals_total', { code: 'BAD_PARAMETER' }), 1)
  t.equal((await scrape(two)).find('pipegate_refusals_total', { code: 'BAD_PARAMETER' }), undefined)
  t.same(await register.getMetricsAsJSON(), [], "the library's own registry is empty")
  await one.gateway.stop(0)
  const left = timers()
  const three = await startGateway({ teardown() {} }, {}, withMetrics())
  await three.gateway.stop(0)
  t.ok(timers() <= left, 'no timer is left')
})
