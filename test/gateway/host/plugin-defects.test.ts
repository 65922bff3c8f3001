/** What careless plugins do over real sockets, and that it costs them their request and nobody else anything. */
import { Writable } from 'node:stream'
import { pino } from 'pino'
import t from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import {
  definePlugin,
  type Host,
  type Join,
  type Parts,
  PLUGIN_API,
  textAnswer,
  z,
} from '../../../gateway/host/plugin-api.js'
import { PluginHost } from '../../../gateway/host/plugin-host.js'
import { RequestContext } from '../../../gateway/host/request-context.js'
import { Throttles } from '../../../gateway/host/throttles.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect, parseResponse } from '../../support/raw.js'

const FAILURES = { no: { status: 403, message: 'No.', hint: 'Ask for something else.' } } as const

type Setup = (host: Host<object, 'no'>) => Parts

function careless(setup: Setup, more: object = {}): LoadedPlugin {
  const config = z.strictObject({})
  return {
    plugin: definePlugin({ name: 'careless', api: PLUGIN_API, config, failures: FAILURES, setup, ...more }),
  }
}

type Test = Parameters<typeof startGateway>[0]

const start = (t: Test, setup: Setup, flags = {}) => startGateway(t, flags, { plugins: [careless(setup)] })

/** A transfer goes well: the gateway lives and holds nothing of what was before. */
async function stillWorks(t: import('tap').Test, { url }: Running): Promise<void> {
  const receiver = curl([url('fine')])
  await curlDone(['-d', 'fine', url('fine')])
  t.equal((await receiver.result).stdout.toString(), 'fine')
}

const status = (name: string) => ['-s', '-o', '/dev/null', '-w', '%{http_code} %header{x-pipe-code}', name]

/** JavaScript knows no types, so that any of these may come. */
const NO_VERDICTS: Record<string, unknown> = {
  'false, which is no "go on"': false,
  null: null,
  'an empty text': '',
  true: true,
  'a text': 'no',
  'an object that is no answer': { status: 200 },
  'a body that is no text': { status: 200, headers: [], body: 5 },
  'no status': { status: '200', headers: [], body: '' },
  'an interim status': { status: 100, headers: [], body: '' },
  'a header with a line break': textAnswer(200, 'x', [['X-A', 'a\r\nX-Evil: 1']]),
  'a name of a header with a line break': textAnswer(200, 'x', [['X-A: a\r\nX-Evil', '1']]),
  'a header whose last byte is a line break': textAnswer(200, 'x', [['X-A', 'a\u010aX-Evil: 1']]),
  'a header that is no text': textAnswer(200, 'x', [['X-A', 5 as never]]),
  'a header without a name': textAnswer(200, 'x', [['', 'x']]),
  'a header that says where the response ends': textAnswer(200, 'x', [['content-length', '5']]),
  'an object that throws': {
    get status() {
      throw new Error('looked at')
    },
  },
}

t.test('what is no verdict is a defect, and nothing of it reaches the client', async (t) => {
  let verdict: unknown
  let asks: string
  const gateway = await start(t, () => ({
    hooks: {
      onRequest: () => (asks === 'onRequest' ? verdict : undefined) as never,
      onAdmit: () => (asks === 'onAdmit' ? verdict : undefined) as never,
      onAdmitAsync: async () => (asks === 'onAdmitAsync' ? verdict : undefined) as never,
    },
  }))
  for (const [name, value] of Object.entries(NO_VERDICTS)) {
    for (const gate of ['onRequest', 'onAdmit', 'onAdmitAsync']) {
      verdict = value
      asks = gate
      const { stdout } = await curlDone(['-i', gateway.url('x')])
      t.match(stdout.toString(), /^HTTP\/1.1 500 [\s\S]*X-Pipe-Code: PLUGIN_FAULT/i, `${gate}: ${name}`)
      t.notMatch(stdout.toString(), /evil|x-a/i)
    }
  }
  asks = ''
  await stillWorks(t, gateway)
})

const THROWS = {
  nothing: undefined,
  null: null,
  'what throws when it is looked at': new Proxy(
    {},
    {
      get() {
        throw new Error('looked at')
      },
      getPrototypeOf() {
        throw new Error('looked at')
      },
    },
  ),
}

t.test('anything may be thrown, at once or later, by gates, tellers, releases and handlers', async (t) => {
  let thrown: unknown
  let from = ''
  const fails = (who: string) => {
    if (from === who) throw thrown
  }
  const failsLater = async (who: string) => fails(who)
  let releases = 0
  const gateway = await start(t, () => ({
    hooks: {
      onRequest: () => fails('onRequest'),
      onAdmit: (_request, join) => {
        join.onOver(() => {
          releases++
          return failsLater('release') as never
        })
        join.onOver(() => fails('release'))
        return fails('onAdmit')
      },
      onAdmitAsync: () => failsLater('onAdmitAsync'),
      onWaiting: () => fails('onWaiting'),
      onEnded: () => failsLater('onEnded') as never,
      onRequestEnded: () => fails('onRequestEnded'),
    },
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle(_request, reply) {
          fails('handle')
          setImmediate(() => reply.give(textAnswer(200, '')))
        },
      },
      {
        method: 'GET',
        path: '/late',
        async handle(_request, reply) {
          await new Promise(setImmediate)
          fails('late')
          reply.give(textAnswer(200, ''))
        },
      },
    ],
  }))
  for (const value of Object.values(THROWS)) {
    thrown = value
    for (const gate of ['onRequest', 'onAdmit', 'onAdmitAsync']) {
      from = gate
      t.equal((await curlDone(status(gateway.url('x')))).stdout.toString(), '500 PLUGIN_FAULT', gate)
    }
    from = 'handle'
    t.equal((await curlDone(status(gateway.url('own')))).stdout.toString(), '500 PLUGIN_FAULT')
    from = 'late'
    t.equal((await curlDone(status(gateway.url('late')))).stdout.toString(), '500 PLUGIN_FAULT')
    for (const teller of ['onWaiting', 'onEnded', 'onRequestEnded', 'release']) {
      from = teller
      await stillWorks(t, gateway)
    }
  }
  from = ''
  t.equal((await curlDone(status(gateway.url('late')))).stdout.toString(), '200 ', 'a handler may be asynchronous')
  t.ok(releases > 0)
})

t.test('what a gate says of a side is checked', async (t) => {
  const said: Record<string, (join: Join, host: Host<object, 'no'>) => unknown> = {
    'a limit that is no number': (join) => join.tighten('maxBytes', Number.NaN),
    'a limit that is a text': (join) => join.tighten('maxBytes', '5' as never),
    'a limit that is none': (join) => join.tighten('bytes' as never, 5),
    'a throttle that is none': (join) => join.throttle({ bytesPerSecond: 5 } as never),
    'no identity': (join) => join.identify(undefined as never),
    'no project': (join) => join.identify({ subject: 'x', rights: new Set() } as never),
    'a header with a line break': (join) => join.addHeader('X-A', 'a\r\nX-Evil: 1'),
    'a name of a header with a line break': (join) => join.addHeader('X-A: a\r\nX-Evil', '1'),
    'a header that is no text': (join) => join.addHeader('X-A', 5 as never),
    'a header of the framing': (join) => join.addHeader('Transfer-Encoding', 'gzip'),
    'a header of a refusal': (_join, host) => host.refuse('no', {}, [['X-A', 'a\r\nX-Evil: 1']]),
    'a refusal that is not in the catalogue': (_join, host) => host.refuse('nothing' as never),
  }
  let say = said['no project']!
  const gateway = await start(t, (host) => ({ hooks: { onAdmit: (_request, join) => say(join, host) as never } }))
  for (const [name, each] of Object.entries(said)) {
    say = each
    const { stdout } = await curlDone(['-i', gateway.url('x')])
    t.match(stdout.toString(), /^HTTP\/1.1 500 [\s\S]*X-Pipe-Code: PLUGIN_FAULT/i, name)
    t.notMatch(stdout.toString(), /evil|x-a/i)
  }
})

t.test('who has been let in cannot be made somebody else', async (t) => {
  const held: Join[] = []
  const gateway = await start(t, () => ({ hooks: { onAdmit: (_request, join) => void held.push(join) } }))
  const receiver = curl([gateway.url('x')])
  await gateway.holds(1, 0)
  const late = () => {
    const join = held[0]!
    const identity = { project: 'other', subject: 'x', rights: new Set<'send'>() }
    t.throws(() => join.identify(identity), /identify\(\) comes too late/)
    t.throws(() => join.tighten('maxBytes', 1), /too late/)
    t.throws(() => join.addHeader('X-A', 'a'), /too late/)
    t.same([join.key, join.identity], ['x', undefined])
  }
  late()
  await curlDone(['-d', 'fine', gateway.url('x')])
  t.equal((await receiver.result).stdout.toString(), 'fine')
  late()
  let ran = 0
  held[0]!.onOver(() => ran++)
  t.equal(ran, 1, 'a release that comes after the end runs at once')
})

t.test('a mistake in a name would be an open door, so it stops the start', async (t) => {
  class Hooks {
    readonly unused = 1
    onAdmit() {
      return textAnswer(418, '')
    }
  }
  const cases: [Setup, RegExp][] = [
    [async () => ({}), /^plugin careless: setup\(\) returned a promise/],
    [async () => Promise.reject(new Error('no')), /^plugin careless: setup\(\) returned a promise/],
    [() => undefined, /^plugin careless: setup\(\) returned undefined/],
    [() => ({ hook: {} }), /^plugin careless: setup\(\) returned "hook", expected hooks, /],
    [() => ({ hooks: { onAdmitt() {} } }), /^plugin careless: there is no hook "onAdmitt"/],
    [() => ({ hooks: { onAdmit: 'yes' } }), /^plugin careless: its hook onAdmit is no function/],
    [() => ({ modes: [{ param: 'n', handle() {} }] }), /^plugin careless: it has the mode \?n, which is the gateway's/],
    [() => ({ routes: [{ method: 'GET', path: 'own', handle() {} }] }), /it has the route "own"/],
    [() => ({ routes: [{ method: 'GET', path: '/%e2', handle() {} }] }), /it has the route "\/%e2"/],
  ].map(([setup, says]) => [setup as Setup, says as RegExp])
  for (const [setup, says] of cases) await t.rejects(start(t, setup), { message: says })
  for (const list of ['needs', 'after', 'reads']) {
    const plugins = [careless(() => ({}), { [list]: 'auth' })]
    await t.rejects(startGateway(t, {}, { plugins }), {
      message: /needs, after and reads of plugin careless are lists/,
    })
  }
  const gateway = await start(t, () => ({ hooks: new Hooks() }))
  t.match((await curlDone(status(gateway.url('x')))).stdout.toString(), /^418/, 'hooks may be an object of a class')
})

t.test('a late refusal reads the rest of the upload and keeps nothing of it', async (t) => {
  let refuse: (() => void) | undefined
  const gateway = await start(t, (host) => ({
    hooks: {
      onAdmitAsync: async () => {
        await new Promise<void>((resolve) => {
          refuse = resolve
        })
        return host.refuse('no')
      },
    },
  }))
  const client = await connect({ port: gateway.port })
  const body = Buffer.alloc(64 * 1024 * 1024)
  await client.send(`PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`)
  let sent = false
  void client.send(body).then(() => {
    sent = true
  })
  await eventually(() => refuse !== undefined || 'nobody decides')
  t.notOk(sent)
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  refuse?.()
  await client.waitFor('403 Forbidden')
  // Who reads the answer only when everything has been sent gets it too.
  await eventually(
    () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
      return sent || 'the upload is stuck'
    },
    { timeoutMs: 60_000 },
  )
  t.ok(most < body.length / 2, `${most} bytes are kept`)
  t.notOk(client.errorCode)
  client.destroy()
})

t.test('a reply takes nothing that would break the response', async (t) => {
  const gateway = await start(t, () => ({
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle({ query }, reply) {
          if (query === 'give') reply.give({ status: 200 } as never)
          if (query === 'header') reply.open(200, [['X-A', 'a\r\nX-Evil: 1']])
          if (query === 'status') reply.open(1, [])
          if (query === 'text') {
            reply.open(200, [])
            reply.write('begun')
            setTimeout(() => reply.write(5 as never), 50)
          }
          if (query === 'twice') {
            t.ok(reply.give(textAnswer(200, 'once\n')))
            t.notOk(reply.give(textAnswer(200, 'twice\n')))
            t.notOk(reply.open(200, []) || reply.write('twice') || reply.close())
          }
          if (query === '304') reply.give({ status: 304, headers: [], body: 'nothing' })
        },
      },
    ],
  }))
  for (const query of ['give', 'header', 'status']) {
    const { stdout } = await curlDone(['-i', gateway.url(`own?${query}`)])
    t.match(stdout.toString(), /^HTTP\/1.1 500 [\s\S]*X-Pipe-Code: PLUGIN_FAULT/i, query)
    t.notMatch(stdout.toString(), /evil/i)
  }
  const cut = await curlDone([gateway.url('own?text')])
  t.not(cut.code, 0, 'a response that fails on its way is cut')
  t.equal(cut.stdout.toString(), 'begun')
  t.equal((await curlDone([gateway.url('own?twice')])).stdout.toString(), 'once\n')
  const client = await connect({ port: gateway.port })
  await client.send('GET /api/v1/pipe/own?304 HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('\r\n\r\n')
  await client.send('GET /api/v1/pipe/own?twice HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('once')
  t.match(client.text, /^HTTP\/1.1 304 (?:(?!content-length)[\s\S])*?\r\n\r\nHTTP\/1.1 200 /i, 'a 304 has no body')
  client.destroy()
  const faults = gateway.lines.filter((line) => line.plugin === 'careless' && line.hook === '/own')
  t.equal(faults.length, 4, 'each is logged with the plugin that did it')
})

t.test('a HEAD of a stream has no body, and the connection goes on', async (t) => {
  const over: string[] = []
  const gateway = await start(t, () => ({
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle(request, reply, context) {
          const { method } = request
          reply.open(200, [['X-A', 'a']])
          context.onOver(() => over.push(method))
          reply.write('some text')
          setImmediate(() => reply.close())
        },
      },
    ],
  }))
  const client = await connect({ port: gateway.port })
  await client.send('HEAD /api/v1/pipe/own HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('\r\n\r\n')
  await client.send('GET /api/v1/pipe/own HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('0\r\n\r\n')
  const head = parseResponse(client.received, { head: true })
  const get = parseResponse(client.received.subarray(head.end))
  t.same([head.status, head.headers['x-a'], get.body.toString()], [200, ['a'], 'some text'])
  t.same(over, ['HEAD', 'GET'])
  client.destroy()
})

t.test('who writes on to a client that does not read is cut, before it costs the gateway its memory', async (t) => {
  let kept = 0
  let over = false
  const gateway = await start(t, () => ({
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle(_request, reply, context) {
          reply.open(200, [])
          const timer = setInterval(() => {
            for (let i = 0; i < 16; i++) reply.write('x'.repeat(65_536))
            kept = Math.max(kept, reply.kept)
          }, 1)
          context.onOver(() => {
            clearInterval(timer)
            over = true
          })
        },
      },
    ],
  }))
  const client = await connect({ port: gateway.port, keep: false })
  await client.send('GET /api/v1/pipe/own HTTP/1.1\r\nHost: x\r\n\r\n')
  client.pause()
  await eventually(() => over || `it keeps ${kept} bytes`, { timeoutMs: 30_000 })
  t.ok(kept <= 16 * 1024 * 1024, `${kept} bytes`)
  await eventually(
    () =>
      gateway.lines.some(({ err }) => /does not read/.test(String((err as Error | undefined)?.message))) || 'no line',
  )
  client.destroy()
})

t.test('who writes until it is enough is told when there is room, and keeps nothing then', async (t) => {
  const most = 64 * 1024 * 1024
  let written = 0
  let kept = 0
  let drained = 0
  let isEnough = false
  const gateway = await start(t, () => ({
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle(_request, reply) {
          const more = () => {
            isEnough = false
            while (!isEnough && written < most) {
              isEnough = !reply.write('x'.repeat(65_536))
              written += 65_536
            }
            kept = reply.kept
            if (written >= most) reply.close()
          }
          reply.open(200, [])
          reply.onDrain(() => {
            drained++
            kept = reply.kept
            more()
          })
          more()
        },
      },
    ],
  }))
  const client = await connect({ port: gateway.port, keep: false })
  client.pause()
  await client.send('GET /api/v1/pipe/own HTTP/1.1\r\nHost: x\r\n\r\n')
  let before = -1
  // What a kernel takes for somebody who does not read comes to an end.
  await eventually(
    () => {
      if (isEnough && written === before) return true
      before = written
      return `${written} bytes are written`
    },
    { everyMs: 200, timeoutMs: 30_000 },
  )
  t.ok(written < most, `${written} bytes`)
  t.ok(kept > 0 && kept < 1024 * 1024, `${kept} bytes are kept`)
  const drainedBefore = drained
  client.resume()
  await eventually(() => client.receivedBytes > most || `${client.receivedBytes} bytes arrived`, { timeoutMs: 60_000 })
  t.ok(drained > drainedBefore)
  client.destroy()
})

t.test('what a client says in the middle of a stream is not answered there', async (t) => {
  const gateway = await start(t, () => ({
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle(_request, reply) {
          reply.open(200, [])
          reply.write('one ')
        },
      },
    ],
  }))
  const client = await connect({ port: gateway.port })
  await client.send('GET /api/v1/pipe/own HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('one ')
  await client.send('\x01 is no request\r\n\r\n')
  await client.waitForClose()
  t.notMatch(client.text, /400|Bad Request/)
  t.notOk(parseResponse(client.received).complete, 'and nobody takes it for complete')
})

t.test('a large stream arrives as it was written, at whatever speed it is read', async (t) => {
  const text = Array.from({ length: 40_000 }, (_, i) => `${i} äöü€ lines of a stream\n`).join('')
  const gateway = await start(t, () => ({
    routes: [
      {
        method: 'GET',
        path: '/own',
        handle(_request, reply) {
          reply.open(200, [])
          let at = 0
          const more = () => {
            while (at < text.length) {
              at += 50_000
              if (!reply.write(text.slice(at - 50_000, at)) && at < text.length) return
            }
            reply.close()
          }
          reply.onDrain(more)
          more()
        },
      },
    ],
  }))
  for (const limit of [[], ['--limit-rate', '1M']]) {
    const { stdout, code } = await curlDone([...limit, gateway.url('own')])
    t.equal(code, 0)
    t.ok(stdout.toString() === text, `${stdout.length} bytes`)
  }
})

/** The plugins alone, with what they log. */
function hostOf(plugins: readonly LoadedPlugin[]) {
  const lines: string[] = []
  const log = pino({}, new Writable({ write: (chunk, _encoding, done) => done(void lines.push(String(chunk))) }))
  const host = new PluginHost(plugins, {
    log,
    prefix: '',
    pipes: { get: () => undefined, all: () => [], waiting: 0, streaming: 0 },
    gateway: {} as never,
    throttles: {} as never,
    now: () => performance.now(),
    decideMs: 60_000,
    stopMs: 50,
    stop: () => false,
  })
  return { host, lines, log }
}

t.test('a plugin that never stops is left behind, with a line in the log', async (t) => {
  const told: string[] = []
  const hanging = careless((host) => ({
    start: () => host.every(5, async () => Promise.reject(new Error('now and then'))),
    drain: async () => Promise.reject(new Error('no drain')),
    stop: () => new Promise(() => {}),
  }))
  const other = careless(() => ({ stop: () => void told.push('stopped') })).plugin
  const { host, lines } = hostOf([{ plugin: { ...other, name: 'first' } }, hanging])
  await host.start(new AbortController().signal)
  await eventually(() => lines.some((line) => line.includes('now and then')) || 'what rejects is not logged')
  host.drain(0)
  await host.stop()
  t.same(told, ['stopped'])
  t.match(lines.at(-1), /"plugin":"careless".*it took longer than 0.05 s.*a plugin failed to stop/)
  t.ok(lines.some((line) => line.includes('no drain')))
})

t.test('a plugin that never starts stops the start, and is stopped', async (t) => {
  const told: string[] = []
  const { host } = hostOf([
    careless(() => ({ start: () => new Promise(() => {}), stop: () => void told.push('stop') })),
  ])
  const control = new AbortController()
  const started = host.start(control.signal)
  control.abort()
  await t.rejects(started, { message: 'plugin careless could not start: it took too long' })
  t.same(told, ['stop'])
})

t.test('a speed of nothing would be for ever, and a throttle has a timer only while somebody waits', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
  const throttles = new Throttles(() => performance.now())
  for (const none of [0, -1, Number.NaN]) t.throws(() => throttles.create(none), RangeError)
  const throttle = throttles.create(1000)
  for (let round = 0; round < 2; round++) {
    let gone = false
    throttle.spend(150)
    const before = timers()
    throttle.wait({
      unthrottled() {
        gone = true
      },
    })
    t.equal(timers(), before + 1)
    while (!gone) await new Promise(setImmediate)
    t.ok(timers() <= before)
  }
})

t.test('the strictest that any gate says of a side holds', async (t) => {
  const context = new RequestContext({ id: 1, clientAddress: '', headersAlways: [] }, () => {})
  for (const value of [7, 5, 9]) context.tighten('maxBytes', value)
  context.tighten('totalMs', 3)
  t.same(context.limits, { maxBytes: 5, totalMs: 3 })
})

t.test('who has decided leaves no timer, and releases run the last one first', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
  const { host, log } = hostOf([careless(() => ({ hooks: { onAdmitAsync: async () => {} } }))])
  const context = new RequestContext({ id: 1, clientAddress: '', headersAlways: [] }, (err) => log.error({ err }))
  const order: number[] = []
  for (const i of [1, 2, 3]) context.onOver(() => void order.push(i))
  const before = timers()
  t.equal(await host.admission.admitAsync({} as never, context), undefined)
  t.ok(timers() <= before)
  context.end()
  context.end()
  t.same(order, [3, 2, 1])
})

t.test('what ends because the gateway goes is told to the plugins before they stop', async (t) => {
  const told: string[] = []
  let held = false
  const gateway = await start(t, () => ({
    hooks: {
      onAdmitAsync() {
        held = true
        return new Promise(() => {})
      },
      onRequestEnded: (record) => void told.push(record.outcome),
    },
    stop: () => void told.push('stop'),
  }))
  const client = await connect({ port: gateway.port })
  await client.send('GET /x HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => held || 'it is not held')
  await gateway.gateway.stop(0)
  t.same(told, ['aborted', 'stop'])
  await client.waitForClose()
})

t.test('end() ends the pipe that stands there, and not the next one on its name', async (t) => {
  const row = { status: 409, message: 'the operator wants it.', hint: '' }
  let end: () => void = () => {}
  const gateway = await start(t, (host) => {
    end = () => host.end('x', row)
    return {}
  })
  const { table } = gateway.gateway
  const sink = { begin() {}, write: () => 0, isFull: false, queued: () => 0, finish: () => true, abort() {} }
  const join = () => table.joinReceiver('x', sink, { receivers: 1, waitMs: 60_000 })
  const turn = () => new Promise(setImmediate)
  join()
  end()
  t.equal(table.waiting, 1, 'behind the callback that is running')
  table.stop('x', { ...row, code: 'TEST' })
  join()
  await turn()
  t.equal(table.waiting, 1)
  end()
  await turn()
  t.equal(table.waiting, 0)
  end()
  join()
  await turn()
  t.equal(table.waiting, 1, 'nobody stood there')
  table.stop('x', { ...row, code: 'TEST' })
})

t.test('a refusal of a mode or a route is its plugin’s', async (t) => {
  const heard: string[] = []
  const gateway = await start(t, (host) => ({
    hooks: { onRefused: (failure, by) => void heard.push(`${failure.code} by ${by}`) },
    modes: [{ param: 'own', handle: (_request, reply) => void reply.give(host.refuse('no')) }],
  }))
  t.equal((await curlDone(status(gateway.url('x?own')))).stdout.toString(), '403 CARELESS_NO')
  t.equal((await curlDone(status(gateway.url('x?n=0')))).stdout.toString(), '400 BAD_PARAMETER')
  t.same(heard, ['CARELESS_NO by careless', 'BAD_PARAMETER by gateway'])
})

t.test('a mode that cannot say which right it takes is closed', async (t) => {
  const fail = () => {
    throw new Error('a defect')
  }
  const gateway = await start(t, () => ({ modes: [{ param: 'own', right: fail, handle: fail }] }))
  t.equal((await curlDone(status(gateway.url('x?own')))).stdout.toString(), '500 PLUGIN_FAULT')
})

t.test('a dozen asynchronous gates cost no warning', async (t) => {
  const warnings: string[] = []
  const heard = (warning: Error) => void warnings.push(warning.message)
  process.on('warning', heard)
  t.teardown(() => process.off('warning', heard))
  const plugins = Array.from({ length: 12 }, (_, i) => {
    const { plugin } = careless(() => ({ start() {}, hooks: { onAdmitAsync: async () => {} } }))
    return { plugin: { ...plugin, name: `gate-${i}` } }
  })
  const gateway = await startGateway(t, {}, { plugins })
  await stillWorks(t, gateway)
  t.same(warnings, [])
})
