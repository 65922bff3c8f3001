/** The plugin host over real sockets: who is asked when, what a plugin may do, and what its defects cannot. */
import t from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import {
  definePlugin,
  type Hooks,
  type Join,
  type Parts,
  PLUGIN_API,
  type Route,
  textAnswer,
  z,
} from '../../../gateway/host/plugin-api.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'

const FAILURES = {
  no: { status: 403, message: 'No to {who}.', hint: 'Ask for something else.' },
} as const

/** A plugin of parts, without a configuration. */
function plugin(name: string, setup: Parameters<typeof define>[1], more: object = {}): LoadedPlugin {
  return { plugin: define(name, setup, more) }
}

function define(
  name: string,
  setup: (host: import('../../../gateway/host/plugin-api.js').Host<object, 'no'>) => Parts,
  more = {},
) {
  return definePlugin({ name, api: PLUGIN_API, config: z.strictObject({}), failures: FAILURES, setup, ...more })
}

const hooks = (name: string, all: Hooks, more: object = {}) => plugin(name, () => ({ hooks: all }), more)

/** What stops the start. */
async function refusal(t: Test, plugins: readonly LoadedPlugin[]): Promise<string> {
  try {
    await startGateway(t, {}, { plugins })
  } catch (error) {
    return (error as Error).message
  }
  return 'it started'
}

type Test = Parameters<typeof startGateway>[0]

const statusOf = async (...args: string[]) =>
  (await curlDone(['-o', '/dev/null', '-w', '%{http_code}', ...args])).stdout.toString()

t.test('the order is the configuration, moved only as far as needs and after demand', async (t) => {
  const asked: string[] = []
  const noting = (name: string, more: object = {}) => hooks(name, { onAdmit: () => void asked.push(name) }, more)
  const gateway = await startGateway(
    t,
    {},
    { plugins: [noting('a', { after: ['d'] }), noting('b'), noting('c', { needs: ['b'] }), noting('d')] },
  )
  await curlDone(['-m', '0.2', gateway.url('x')])
  t.same(asked, ['d', 'a', 'b', 'c'])
  t.same(
    gateway.gateway.plugins.map((line) => line.split(':')[0]),
    ['d', 'a', 'b', 'c'],
  )
})

t.test('what is wrong with plugins stops the start, with both names', async (t) => {
  const empty = (name: string, more: object = {}) => plugin(name, () => ({}), more)
  const route = (name: string) => plugin(name, () => ({ routes: [{ method: 'GET', path: '/own', handle() {} }] }))
  const mode = (name: string) => plugin(name, () => ({ modes: [{ param: 'own', handle() {} }] }))
  const cases: [LoadedPlugin[], RegExp][] = [
    [[empty('a'), empty('a')], /^plugin a is loaded twice/],
    [[empty('a', { needs: ['b'] })], /^plugin a needs plugin b, which is not loaded/],
    [[empty('a', { after: ['b'] }), empty('b', { needs: ['a'] })], /a after b after a/],
    [[route('a'), route('b')], /^plugins a and b both own GET \/own/],
    [
      [route('a'), plugin('b', () => ({ routes: [{ method: 'POST', path: '/own', handle() {} }] }))],
      /^plugins a and b both own POST \/own/,
    ],
    [[mode('a'), mode('b')], /^plugins a and b both own \?own/],
    [[empty('A b')], /found the plugin name "A b"/],
    [[empty('a', { api: 2 })], /plugin a was written for plugin API 2, and this gateway has 1/],
    [[{ plugin: {} as never, where: 'gate.js' }], /^gate.js: found no plugin/],
    [
      [{ ...empty('a'), config: { colour: 'red' }, where: 'p.yaml: plugins[0]' }],
      /^p.yaml: plugins\[0\]: config.*colour/,
    ],
    [
      [
        plugin('a', () => {
          throw new Error('the file is empty')
        }),
      ],
      /^plugin a: the file is empty/,
    ],
    [
      [plugin('a', () => ({ start: () => Promise.reject(new Error('nobody answers')) }))],
      /^plugin a could not start: nobody/,
    ],
  ]
  for (const [plugins, says] of cases) t.match(await refusal(t, plugins), says)
})

t.test('start in order, stop in reverse, and undo when one cannot start', async (t) => {
  const told: string[] = []
  const noting = (name: string, fails = false) =>
    plugin(name, () => ({
      start() {
        told.push(`start ${name}`)
        if (fails) throw new Error('no')
      },
      drain: () => void told.push(`drain ${name}`),
      async stop() {
        told.push(`stop ${name}`)
        if (name === 'b') throw new Error('it does not want to')
      },
    }))
  const gateway = await startGateway(t, {}, { plugins: [noting('a'), noting('b')] })
  await gateway.gateway.stop(0)
  await gateway.gateway.stop(0)
  t.same(told, ['start a', 'start b', 'drain a', 'drain b', 'stop b', 'stop a'])
  told.length = 0
  t.match(await refusal(t, [noting('a'), noting('c', true), noting('d')]), /plugin c could not start: no/)
  t.same(told, ['start a', 'start c', 'stop c', 'stop a'])
})

t.test('a gate says no before the name is touched, and the first one counts', async (t) => {
  const heard: unknown[] = []
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('first', (host) => ({
          hooks: {
            onAdmit: (_request, join) =>
              join.side === 'sender' ? host.refuse('no', { who: 'senders' }, [['X-Why', 'because']]) : undefined,
            onRefused: (failure, by, context) => heard.push([failure.code, by, typeof context.id]),
          },
        })),
        hooks('second', { onAdmit: () => textAnswer(418, 'tea\n') }),
      ],
    },
  )
  const sent = await curlDone(['-i', '-d', 'x', gateway.url('name')])
  t.match(sent.stdout.toString(), /^HTTP\/1.1 403 Forbidden\r\n[\s\S]*X-Pipe-Code: FIRST_NO\r\nX-Why: because/i)
  t.match(sent.stdout.toString(), /\[ERROR\] No to senders. Ask for something else.\n$/)
  t.equal(await statusOf(gateway.url('name')), '418')
  t.same(heard, [['FIRST_NO', 'first', 'number']])
  t.equal(gateway.gateway.table.waiting, 0)
  await eventually(() => gateway.lines.some((line) => line.code === 'FIRST_NO') || 'the log has no code')
})

const DEFECTS: Record<string, Hooks> = {
  'onRequest throws': {
    onRequest() {
      throw new Error('defect')
    },
  },
  'onAdmit throws': {
    onAdmit() {
      throw new Error('defect')
    },
  },
  'onAdmit returns a promise': { onAdmit: (async () => {}) as never },
  'onAdmit returns one that rejects': { onAdmit: (async () => Promise.reject(new Error('defect'))) as never },
  'onAdmitAsync throws at once': {
    onAdmitAsync() {
      throw new Error('defect')
    },
  },
  'onAdmitAsync rejects': { onAdmitAsync: () => Promise.reject(new Error('defect')) },
}

for (const [name, defect] of Object.entries(DEFECTS)) {
  t.test(`${name}: the request is refused, and nobody else notices`, async (t) => {
    let broken = true
    const only = Object.fromEntries(
      Object.entries(defect).map(([hook, run]) => [hook, (...args: unknown[]) => (broken ? run(...args) : undefined)]),
    )
    if (only.onAdmitAsync) {
      const { onAdmitAsync } = only
      only.onAdmitAsync = async (...args: unknown[]) => onAdmitAsync(...args)
    }
    const gateway = await startGateway(t, {}, { plugins: [hooks('broken', only as Hooks)] })
    const refused = await curlDone(['-w', '%{http_code}', gateway.url('name')])
    t.match(refused.stdout.toString(), /^\[ERROR\] The plugin broken failed on this request.[\s\S]*500$/)
    t.notMatch(refused.stdout.toString(), 'defect', 'the client learns nothing of it')
    await eventually(() => gateway.lines.some((line) => line.plugin === 'broken') || 'it is not logged')
    broken = false
    const receiver = curl([gateway.url('name')])
    await curlDone(['-d', 'fine', gateway.url('name')])
    t.equal((await receiver.result).stdout.toString(), 'fine')
  })
}

t.test('tellers that throw or reject change nothing, and are logged once', async (t) => {
  const told: string[] = []
  const failing = (name: string) => {
    told.push(name)
    throw new Error(`defect of ${name}`)
  }
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        hooks('teller', {
          onWaiting: () => failing('onWaiting'),
          onJoined: (async () => failing('onJoined')) as never,
          onPaired: () => failing('onPaired'),
          onEnded: () => failing('onEnded'),
          onRequestEnded: () => failing('onRequestEnded'),
        }),
      ],
    },
  )
  for (let i = 0; i < 2; i++) {
    const receiver = curl([gateway.url('name')])
    const sent = await curlDone(['-d', 'fine', gateway.url('name')])
    t.match(sent.stdout.toString(), /Transfer complete.\n$/)
    t.equal((await receiver.result).stdout.toString(), 'fine')
  }
  await eventually(() => told.length === 14 || `${told}`)
  for (const name of new Set(told)) {
    t.equal(gateway.lines.filter((line) => line.hook === name).length, 1, `${name} is logged once`)
  }
})

t.test('while an asynchronous gate decides, the body is held, and nothing of it is lost', async (t) => {
  for (const framing of ['length', 'chunked'] as const) {
    let decide: () => void = () => {}
    let copy = ''
    const gateway = await startGateway(
      t,
      {},
      {
        plugins: [
          hooks(
            'slow',
            {
              onAdmitAsync: async (request, join) => {
                if (join.side === 'receiver') return
                copy = `${request.header('x-wanted')},${request.header('x-other')}`
                await new Promise<void>((resolve) => {
                  decide = resolve
                })
              },
            },
            { reads: ['x-wanted'] },
          ),
        ],
      },
    )
    const body = Buffer.alloc(3_000_000, 'held ')
    const receiver = curl([gateway.url('big')])
    await gateway.holds(1, 0)
    const head = framing === 'length' ? [] : ['-H', 'Transfer-Encoding: chunked']
    const sender = curl(
      [...head, '-H', 'X-Wanted: yes', '-H', 'X-Other: no', '--data-binary', '@-', gateway.url('big')],
      {
        input: body,
      },
    )
    await eventually(() => copy !== '' || 'nobody asks')
    t.equal(copy, 'yes,', 'only the headers that were asked for are copied')
    t.equal(gateway.gateway.table.streaming, 0)
    t.ok(gateway.gateway.slabs.heldBytes === 0, 'nothing is in the pipe yet')
    decide()
    t.ok((await receiver.result).stdout.equals(body), framing)
    t.match((await sender.result).stdout.toString(), /Transfer complete.\n$/)
  }
})

t.test('a client that leaves while somebody decides is forgotten, and releases run once', async (t) => {
  const released: string[] = []
  const signals: AbortSignal[] = []
  const gateway = await startGateway(
    t,
    // Longer than this test waits: it is not the deadline that fires the signal.
    { decide: '60' },
    {
      plugins: [
        hooks('counting', {
          onAdmit: (_request, join) => {
            join.onOver(() => released.push(join.side))
          },
        }),
        hooks('undecided', {
          onAdmitAsync: (_request, _join, signal) => {
            signals.push(signal)
            return new Promise(() => {})
          },
        }),
      ],
    },
  )
  for (const head of [
    'GET /x HTTP/1.1\r\nHost: x\r\n\r\n',
    'PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc',
  ]) {
    const client = await connect({ port: gateway.port })
    await client.send(head)
    await eventually(() => signals.length > released.length || 'nobody decides')
    client.destroy()
    await eventually(() => signals.at(-1)?.aborted === true || 'the signal has not fired')
  }
  t.same(released, ['receiver', 'sender'])
  t.equal(gateway.gateway.table.waiting, 0)
})

t.test('who decides too late has said no', async (t) => {
  const gateway = await startGateway(
    t,
    { decide: '1' },
    { plugins: [hooks('undecided', { onAdmitAsync: () => new Promise(() => {}) })] },
  )
  const answer = await curlDone(['-i', '-d', 'body', gateway.url('x')])
  t.match(answer.stdout.toString(), /^HTTP\/1.1 503 [\s\S]*Retry-After: 5\r\n[\s\S]*Nobody decided in time/i)
})

t.test('releases run exactly once on every way out', async (t) => {
  const open = new Set<number>()
  let releases = 0
  let refuses = false
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        hooks('counting', {
          onAdmit: (_request, join) => {
            open.add(join.id)
            join.onOver(() => {
              releases++
              if (!open.delete(join.id)) t.fail('released twice')
            })
          },
        }),
        plugin('later', (host) => ({
          hooks: { onAdmit: () => (refuses ? host.refuse('no', { who: 'all' }) : undefined) },
        })),
      ],
    },
  )
  const receiver = curl([gateway.url('a')])
  await gateway.holds(1, 0)
  await curlDone(['-d', 'x', gateway.url('a')])
  await receiver.result
  await curlDone(['-m', '0.2', gateway.url('b')])
  await curlDone([gateway.url('c?n=0')])
  const first = curl([gateway.url('d')])
  await gateway.holds(1, 0)
  await curlDone([gateway.url('d')])
  first.kill()
  refuses = true
  await curlDone([gateway.url('e')])
  await eventually(() => open.size === 0 || `${open.size} are not released`)
  t.equal(releases, 6, 'a request that is no good by itself is nobody’s business')
})

t.test('identify makes a name the project’s own', async (t) => {
  const who = (join: Join, project: string) => {
    if (project !== '') join.identify({ project, subject: 'x', rights: new Set(['send', 'receive', 'watch']) })
  }
  const seen: string[] = []
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('projects', () => ({
          hooks: { onAdmit: (request, join) => who(join, request.header('x-project')) },
          modes: [
            {
              param: 'peek',
              head: true,
              handle(_request, reply, join, pipe) {
                seen.push(`${join.key}: ${pipe?.state}`)
                reply.give(textAnswer(200, `${pipe?.state}\n`))
              },
            },
          ],
        })),
      ],
    },
  )
  const mine = (project: string) => ['-H', `X-Project: ${project}`, gateway.url('jobs')]
  const receivers = ['red', 'blue'].map((project) => curl(mine(project)))
  await gateway.holds(2, 0)
  t.equal((await curlDone(['-H', 'X-Project: green', gateway.url('jobs?peek')])).stdout.toString(), 'undefined\n')
  t.equal((await curlDone(['-H', 'X-Project: red', gateway.url('jobs?peek')])).stdout.toString(), 'waiting\n')
  t.equal(await statusOf('-I', '-H', 'X-Project: red', gateway.url('jobs?peek')), '200')
  t.equal(await statusOf('-I', gateway.url('jobs')), '405')
  await curlDone(['-d', 'for blue', ...mine('blue')])
  await curlDone(['-d', 'for red', ...mine('red')])
  t.same(await Promise.all(receivers.map(async (each) => (await each.result).stdout.toString())), [
    'for red',
    'for blue',
  ])
  t.same(seen, ['green jobs: undefined', 'red jobs: waiting', 'red jobs: waiting'])
  const bad = await curlDone(['-w', '%{http_code}', '-H', 'X-Project: a b', gateway.url('jobs')])
  t.match(bad.stdout.toString(), /500$/, 'a project cannot be taken for a part of a name')
})

t.test(
  'a mode is asked for by its parameter, and sees the whole head of the request, also when somebody has to decide',
  async (t) => {
    for (const hook of ['onAdmit', 'onAdmitAsync'] as const) {
      const seen: string[] = []
      const gateway = await startGateway(
        t,
        {},
        {
          plugins: [
            plugin('peeking', () => ({
              hooks: {
                [hook]: (request: { header(name: string): string }, join: Join) => {
                  if (join.side === 'watcher') seen.push(`gate ${request.header('x-twice')}`)
                  return hook === 'onAdmit' ? undefined : Promise.resolve()
                },
              },
              modes: [
                {
                  param: 'peek',
                  handle(request, reply) {
                    seen.push(`mode ${request.header('x-twice')} ${request.query}`)
                    reply.give(textAnswer(200, 'peeked'))
                  },
                },
              ],
            })),
          ],
        },
      )
      const twice = ['-H', 'X-Twice: first', '-H', 'X-Twice: second']
      t.equal((await curlDone([...twice, gateway.url('x?peek')])).stdout.toString(), 'peeked')
      t.same(seen, ['gate first', 'mode first peek'])
      t.equal(await statusOf('-I', gateway.url('x?peek')), '405', 'it does not answer HEAD')
      for (const off of ['0', 'false', 'NO']) {
        const receiver = curl([gateway.url(`x?peek=${off}`)])
        await curlDone(['-d', off, gateway.url('x?peek')])
        t.equal((await receiver.result).stdout.toString(), off)
      }
      t.equal(seen.length, 2)
    }
  },
)

t.test('limits that a gate sets hold for the transfer', async (t) => {
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('strict', (host) => ({
          hooks: {
            onAdmit: (request, join) => {
              join.addHeader('X-Strict', 'yes')
              if (join.name === 'small') join.tighten('maxBytes', 10)
              if (join.name === 'short') join.tighten('totalMs', 300)
              if (join.name === 'slow' && join.side === 'sender') join.throttle(host.throttle(200_000))
              if (request.query === 'stop')
                host.end('stopped', { status: 409, message: 'the operator wants it.', hint: '' })
            },
          },
        })),
      ],
    },
  )
  t.match(
    (await curlDone(['-d', 'more than ten bytes', gateway.url('small')])).stdout.toString(),
    /has 19 bytes, and may have 10/,
  )
  const fits = curl([gateway.url('small')])
  await gateway.holds(1, 0)
  await curlDone(['-d', 'just right', gateway.url('small')])
  t.equal((await fits.result).stdout.toString(), 'just right')
  const cut = curl([gateway.url('small')])
  await gateway.holds(1, 0)
  const sender = await curlDone(['-H', 'Transfer-Encoding: chunked', '-d', 'more than ten bytes', gateway.url('small')])
  t.match(sender.stdout.toString(), /\[ERROR\] Transfer failed: it has more bytes than it may have.\n$/)
  t.equal(await gateway.ended('small', 2), 'too_large')
  t.not((await cut.result).code, null)

  const late = curl(['-N', gateway.url('short')])
  const trickling = curl(['-N', '-T', '.', gateway.url('short')])
  trickling.stdin.write('first')
  await late.waitFor('first')
  t.equal(await gateway.ended('short'), 'too_long')
  t.not((await late.result).code, 0)
  await trickling.waitFor('[ERROR] Transfer failed: it took longer than it may.')
  // Until then this curl looks at nothing but its standard input.
  trickling.stdin.end()
  t.not((await trickling.result).code, 0)

  const stopped = curl(['-N', gateway.url('stopped')])
  const stopping = curl(['-N', '-T', '.', gateway.url('stopped')])
  stopping.stdin.write('first')
  await stopped.waitFor('first')
  await curlDone(['-m', '0.1', gateway.url('other?stop')])
  t.equal(await gateway.ended('stopped'), 'stopped')
  await stopping.waitFor('[ERROR] Transfer failed: the operator wants it.\n')
  stopping.stdin.end()
  t.not((await stopping.result).code, 0)

  const from = performance.now()
  const slow = curl(['-i', gateway.url('slow')])
  const sent = await curlDone(['-i', '--data-binary', '@-', gateway.url('slow')], { input: Buffer.alloc(200_000) })
  const seconds = (performance.now() - from) / 1000
  t.match((await slow.result).stdout.toString('latin1'), /X-Strict: yes/i)
  t.match(sent.stdout.toString(), /X-Strict: yes/i, 'on both sides')
  t.ok(seconds > 0.5 && seconds < 3, `200 kB at 200 kB/s took ${seconds.toFixed(2)} s`)
})

t.test('a mode may be open to everybody, and be meant in some requests only', async (t) => {
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('closed', (host) => ({ hooks: { onAdmit: () => host.refuse('no', { who: 'anybody' }) } })),
        plugin('modes', () => ({
          modes: [
            {
              param: 'shown',
              open: true,
              applies: (request) => request.header('accept') === 'text/html',
              handle: (_request, reply, join) => void reply.give(textAnswer(200, `${join.side} of ${join.name}\n`)),
            },
            {
              param: 'broken',
              applies() {
                throw new Error('defect')
              },
              handle() {},
            },
          ],
        })),
      ],
    },
  )
  const said = async (...args: string[]) => (await curlDone(args)).stdout.toString()
  t.equal(await said('-H', 'Accept: text/html', gateway.url('x?shown')), 'watcher of x\n')
  t.equal(await statusOf(gateway.url('x?shown')), '403', 'a receiver, whom nobody lets in')
  t.equal(await statusOf('-H', 'Accept: text/html', gateway.url('x?shown=0')), '403')
  t.match(await said(gateway.url('x?broken')), /The plugin modes failed/)
})

t.test('a plugin can own the empty name, and nobody can send to it', async (t) => {
  const handle: Route['handle'] = (_request, reply) => void reply.give(textAnswer(200, 'welcome\n'))
  const top = plugin('top', () => ({ routes: [{ method: 'GET', path: '/', bare: true, handle }] }))
  const gateway = await startGateway(t, {}, { plugins: [top] })
  for (const path of ['', '/', '/api/v1/pipe', '/api/v1/pipe/'])
    t.equal((await curlDone([`${gateway.origin}${path}`])).stdout.toString(), 'welcome\n', path)
  t.equal(await statusOf('-d', 'x', `${gateway.origin}/`), '400')
  t.equal(await statusOf('-X', 'DELETE', `${gateway.origin}/`), '405')
})

t.test('a plugin has paths of its own', async (t) => {
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('paths', () => ({
          routes: [
            { method: 'GET', path: '/hello', handle: (_request, reply) => void reply.give(textAnswer(200, 'hello\n')) },
            { method: 'POST', path: '/hello', handle: (_request, reply) => void reply.give(textAnswer(201, 'made\n')) },
            {
              method: 'GET',
              path: '/metrics',
              handle: (_request, reply) => void reply.give(textAnswer(200, 'numbers\n')),
            },
            {
              method: 'GET',
              path: '/broken',
              bare: true,
              handle() {
                throw new Error('defect')
              },
            },
            {
              method: 'GET',
              path: '/stream',
              handle(_request, reply, context) {
                reply.open(200, [['Content-Type', 'text/plain']])
                reply.write('one ')
                reply.write('two\n')
                context.onOver(() => over.push(context.id))
                setImmediate(() => reply.close())
              },
            },
          ],
        })),
      ],
    },
  )
  const over: number[] = []
  t.equal((await curlDone([gateway.url('hello')])).stdout.toString(), 'hello\n')
  t.equal((await curlDone(['-d', 'body', gateway.url('hello')])).stdout.toString(), 'made\n')
  t.equal(await statusOf('-I', gateway.url('hello')), '200')
  t.match(
    (await curlDone(['-i', '-X', 'PUT', gateway.url('hello')])).stdout.toString(),
    /^HTTP\/1.1 405 [\s\S]*Allow: GET, HEAD, POST, OPTIONS\r\n/i,
  )
  t.equal(await statusOf('-X', 'OPTIONS', gateway.url('hello')), '204')
  t.match((await curlDone([`${gateway.origin}/hello`])).stdout.toString(), /Try \/api\/v1\/pipe\/hello/)
  t.equal(
    (await curlDone([gateway.url('METRICS/')])).stdout.toString(),
    'numbers\n',
    'reserved names keep their aliases',
  )
  t.match((await curlDone([`${gateway.origin}/broken`])).stdout.toString(), /The plugin paths failed/)
  t.equal((await curlDone([gateway.url('stream')])).stdout.toString(), 'one two\n')
  await eventually(() => over.length === 1 || 'the stream is not over')
})

t.test('a reader of a plugin’s stream that does not read costs what the plugin allows, and is known', async (t) => {
  let kept = 0
  let over = false
  let drained = false
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('events', () => ({
          modes: [
            {
              param: 'events',
              handle(_request, reply, join) {
                reply.open(200, [['Content-Type', 'text/event-stream']])
                reply.onDrain(() => {
                  drained = true
                })
                join.onOver(() => {
                  over = true
                })
                const more = () => {
                  while (!reply.isOver && reply.write('x'.repeat(65_536)));
                  kept = reply.kept
                }
                const timer = setInterval(() => (kept > 1_000_000 ? reply.cut() : more()), 1)
                join.onOver(() => clearInterval(timer))
              },
            },
          ],
        })),
      ],
    },
  )
  const client = await connect({ port: gateway.port, keep: false })
  await client.send('GET /x?events HTTP/1.1\r\nHost: x\r\n\r\n')
  client.pause()
  await eventually(() => over || `it keeps ${kept} bytes`, { timeoutMs: 20_000 })
  t.ok(kept > 1_000_000)
  t.notOk(drained && kept === 0)
  client.destroy()
})

t.test('what plugins share, and what they do not', async (t) => {
  const token = { name: 'greeting' }
  const seen: unknown[] = []
  await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('gives', (host) => {
          const slot = host.slot<string>()
          host.provide(token, 'hello')
          return { hooks: { onAdmit: (_request, join) => slot.set(join, 'a secret of its own') } }
        }),
        plugin('takes', (host) => {
          const slots = [host.slot<string>(), host.slot<string>()] as const
          seen.push(host.use(token), host.use({ name: 'greeting' }), host.has('gives'), host.has('other'))
          return {
            hooks: {
              onAdmit(_request, join) {
                slots[0].set(join, 'mine')
                seen.push(slots[0].get(join), slots[1].get(join))
              },
            },
          }
        }),
      ],
    },
  ).then(({ url }) => curlDone(['-m', '0.2', url('x')]))
  t.same(seen, ['hello', undefined, true, false, 'mine', undefined])
})

t.test('progress is told while bytes move, and nothing now and then after the end', async (t) => {
  let told = 0
  let beats = 0
  const gateway = await startGateway(
    t,
    {},
    {
      plugins: [
        plugin('watching', (host) => ({
          hooks: { onProgress: () => void told++ },
          start: () => host.every(5, () => void beats++),
        })),
      ],
    },
  )
  const client = await connect({ port: gateway.port })
  await client.send('PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nsome')
  const receiver = curl(['-N', gateway.url('x')])
  await receiver.waitFor('some')
  await eventually(() => told === 1 || 'nobody is told')
  // Three looks later.
  const then = performance.now() + 2500
  await eventually(() => performance.now() > then || 'not yet')
  t.equal(told, 1, 'nothing has moved since')
  await client.send(' more')
  await receiver.result
  client.destroy()
  t.ok(beats > 0)
  await gateway.gateway.stop(0)
  const last = beats
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(beats, last)
})

t.test('behind a trusted proxy the client is who the proxy says', async (t) => {
  const seen: string[] = []
  const watch = hooks('addresses', { onRequest: (_request, context) => void seen.push(context.clientAddress) })
  const trusting = await startGateway(t, { trustedProxies: '127.0.0.1,10.0.0.0/8' }, { plugins: [watch] })
  const plain = await startGateway(t, {}, { plugins: [watch] })
  const ask = (gateway: typeof plain, header: string) =>
    curlDone(['-o', '/dev/null', '-H', `X-Forwarded-For: ${header}`, gateway.url('health')])
  await ask(plain, '192.0.2.1')
  await ask(trusting, '192.0.2.1')
  await ask(trusting, '203.0.113.9, 192.0.2.2, 10.1.2.3')
  await ask(trusting, '[2001:db8::1]:443')
  await ask(trusting, 'nonsense')
  t.same(seen, ['127.0.0.1', '192.0.2.1', '192.0.2.2', '2001:db8::1', '127.0.0.1'])
})
