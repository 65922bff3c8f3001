/** What careless plugins return, throw and set, and that it costs only their own request. */

import t from 'tap'
import { type Host, type Join, textAnswer } from '../../../gateway/host/plugin-api.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'
import { careless, type Setup, start, status, stillWorks } from './careless.js'

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

t.test(
  'anything may be thrown, at once or later, by admission hooks, event hooks, releases and handlers',
  async (t) => {
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
  },
)

t.test('what an admission hook sets on a side is checked', async (t) => {
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

t.test('a side that has been let in cannot be changed any more', async (t) => {
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

t.test('a misspelt hook or part would be an open door, so it stops the start', async (t) => {
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
