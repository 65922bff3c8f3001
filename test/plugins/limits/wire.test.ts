/** The plugin `limits` over real sockets, with a plugin before it that says who asks, and with a real Redis. */
import { performance } from 'node:perf_hooks'
import t, { type Test } from 'tap'
import limits from '../../../plugins/limits/index.js'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect, type RawClient } from '../../support/raw.js'
import { RedisServer } from '../../support/redis-server.js'
import { pluginOfFile } from '../../support/threads/served.js'

const whoAsks = await pluginOfFile(new URL('../in-files/who-asks.js', import.meta.url))

function start(t: Test, config: object, { late = false, tls = false } = {}): Promise<Running> {
  return startGateway(
    t,
    {},
    {
      plugins: [
        { plugin: limits, config },
        { ...whoAsks, config: { late } },
      ],
      tls,
    },
  )
}

const who = (identity: string) => ['-H', `X-Who: ${identity}`]

interface Refused {
  readonly status: number
  readonly limit: string | undefined
  readonly retryAfter: number
  readonly text: string
}

function read(text: string): Refused {
  const field = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'im').exec(text)?.[1]
  const status = Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1])
  return { status, limit: field('X-Pipe-Limit'), retryAfter: Number(field('Retry-After')), text }
}

/** A request that is answered at once, and what it says about limits. */
async function ask(args: readonly string[]): Promise<Refused> {
  return read((await curl(['-i', ...args]).result).stdout.toString())
}

let asked = 0

/** A receiver on a name of its own: `in` when it waits; then it leaves. Otherwise how it was refused. */
async function join(gateway: Running, identity: string): Promise<Refused | 'in'> {
  const name = `asked-${asked++}`
  const project = identity.split('/')[0]
  const key = project === '' ? name : `${project} ${name}`
  const client = await rawReceiver(gateway, name, identity)
  const { table } = gateway.gateway
  try {
    const waits = () => table.get(key)?.receiversPresent === 1
    await eventually(() => waits() || client.received.includes('\r\n\r\n') || 'neither waiting nor refused')
    return waits() ? 'in' : read(client.received.toString())
  } finally {
    client.reset()
    await eventually(() => table.get(key) === undefined || 'it has not left')
  }
}

async function rawReceiver(gateway: Running, name: string, identity: string): Promise<RawClient> {
  const client = await gateway.connect()
  await client.send(`GET /${name} HTTP/1.1\r\nHost: x\r\nX-Who: ${identity}\r\n\r\n`)
  return client
}

t.test('requests of an address, and Retry-After is true when it is obeyed', async (t) => {
  const gateway = await start(t, { address: { requests: { points: 2, seconds: 2 } } })
  const health = gateway.url('health')
  t.same([(await ask([health])).status, (await ask([health])).status], [200, 200])
  const refused = await ask([health])
  const at = performance.now()
  t.match(refused, { status: 429, limit: 'address.requests' })
  t.ok(refused.retryAfter >= 1 && refused.retryAfter <= 2, `${refused.retryAfter} s`)
  t.match(refused.text, /\[ERROR\] This address has used up its 2 requests in 2 seconds\. Try again in [12] s\./)
  t.match(refused.text, /^X-Pipe-Code: LIMITS_REQUESTS\r$/m)
  await eventually(() => performance.now() - at >= refused.retryAfter * 1000 || 'not yet')
  t.equal((await ask([health])).status, 200)
})

for (const late of [false, true]) {
  const when = late ? 'known late' : 'known at once'
  t.test(`requests and transfers of a token and of a project, ${when}`, async (t) => {
    const gateway = await start(
      t,
      {
        token: { transfers: { points: 1, seconds: 600 } },
        project: { requests: { points: 3, seconds: 600 } },
      },
      { late },
    )
    t.equal(await join(gateway, 'p/ann'), 'in')
    const refused = (await join(gateway, 'p/ann')) as Refused
    t.match(refused, { status: 429, limit: 'token.transfers' })
    t.ok(refused.retryAfter > 500 && refused.retryAfter <= 600, `${refused.retryAfter} s`)
    t.equal(await join(gateway, 'p/bob'), 'in', 'another token is unaffected')
    t.match(await join(gateway, 'p/eve'), { status: 429, limit: 'project.requests' })
    t.equal(await join(gateway, 'q/ann'), 'in', 'the same name in another project is somebody else')
    t.equal(await join(gateway, ''), 'in', 'who is nobody has no token')
  })

  t.test(`pipes of a token are free again however a side leaves, ${when}`, async (t) => {
    const gateway = await start(t, { token: { pipes: 1 } }, { late })
    const isFull = async () => {
      const said = await join(gateway, 'p/ann')
      return said !== 'in' && said.status === 429 && said.limit === 'token.pipes'
    }
    const isFree = () => eventually(async () => !(await isFull()) || 'the place is still taken')
    // It leaves while it waits.
    const waits = await rawReceiver(gateway, 'a', 'p/ann')
    await gateway.holds(1, 0)
    t.ok(await isFull())
    t.equal(await join(gateway, 'p/bob'), 'in', 'another token is unaffected')
    waits.reset()
    await isFree()
    // It is refused by somebody later: the name takes one sender.
    const first = curl(['-N', '-T', '-', ...who('p/zoe'), `${gateway.origin}/c`])
    first.stdin.write('x')
    await gateway.holds(1, 0)
    t.equal((await ask(['-H', 'Expect:', '-T', '/dev/null', ...who('p/ann'), `${gateway.origin}/c`])).status, 400)
    await isFree()
    first.kill()
    await gateway.holds(0, 0)
    // Its wait runs out.
    t.equal((await ask([...who('p/ann'), `${gateway.origin}/b?wait=1`])).status, 408)
    await isFree()
    // It completes, and it is cut in mid-stream.
    for (const ends of ['complete', 'cut'] as const) {
      const receiver = await rawReceiver(gateway, ends, 'p/ann')
      await gateway.holds(1, 0)
      const sender = curl(['-N', '-T', '-', ...who('p/zoe'), `${gateway.origin}/${ends}`])
      sender.stdin.write('half')
      await receiver.waitFor('half')
      t.ok(await isFull(), 'who streams has the place')
      if (ends === 'complete') sender.stdin.end()
      else sender.kill()
      await gateway.holds(0, 0)
      await isFree()
      receiver.destroy()
    }
  })
}

t.test('a body that is announced too large is refused at once, one that becomes too large is cut', async (t) => {
  const gateway = await start(t, { project: { bytesPerTransfer: 1000 } })
  const sender = await connect({ port: gateway.port })
  await sender.send('PUT /a HTTP/1.1\r\nHost: x\r\nX-Who: p/ann\r\nContent-Length: 1001\r\n\r\n')
  const response = await sender.waitForResponse()
  t.equal(response.status, 413)
  t.match(response.body.toString(), 'This body has 1001 bytes, and a transfer of this project may have 1000.')
  t.match(sender.received.toString(), /^X-Pipe-Limit: project.bytesPerTransfer\r$/m)
  sender.destroy()
  for (const more of ['', 'x']) {
    const name = `more-${more}`
    const receiver = curl(['-N', ...who('p/bob'), `${gateway.origin}/${name}`])
    await gateway.holds(1, 0)
    const pours = curl(['-N', '-T', '-', ...who('p/ann'), `${gateway.origin}/${name}`])
    pours.stdin.write('a'.repeat(1000))
    await receiver.waitFor('a'.repeat(1000))
    pours.stdin.end(more)
    t.equal(await gateway.ended(`p ${name}`), more === '' ? 'complete' : 'too_large')
    t.equal((await receiver.result).code, more === '' ? 0 : 18)
    t.equal(receiver.stdoutText.length, 1000)
  }
})

async function sharesFairly(t: Test, tls: boolean): Promise<void> {
  const RATE = 400_000
  const gateway = await start(t, { token: { bytesPerSecond: RATE } }, { tls })
  const pour = async (name: string, identity: string) => {
    const receiver = await rawReceiver(gateway, name, `p/receiver-${name}`)
    const sender = curl(['-T', '-', ...who(identity), `${gateway.origin}/${name}`], { input: Buffer.alloc(64_000_000) })
    sender.result.catch(() => {})
    return { receiver, sender }
  }
  const transfers = [await pour('one', 'p/ann'), await pour('two', 'p/ann'), await pour('three', 'p/bob')]
  await gateway.holds(0, 3)
  const took = () => transfers.map(({ receiver }) => receiver.receivedBytes)
  // The first reads are large; what counts is what comes after them.
  await eventually(() => took().every((bytes) => bytes > 600_000) || `${took()} bytes`, { timeoutMs: 30_000 })
  const [from, at] = [took(), performance.now()]
  await eventually(() => took()[0]! - from[0]! > 2_000_000 || `${took()} bytes`, { timeoutMs: 30_000 })
  const seconds = (performance.now() - at) / 1000
  const rates = took().map((bytes, i) => (bytes - from[i]!) / seconds)
  const [one = 0, two = 0, three = 0] = rates
  t.ok(Math.abs(one + two - RATE) < RATE * 0.25, `together ${Math.round(one + two)} bytes a second`)
  t.ok(Math.abs(one - two) < RATE * 0.2, `${Math.round(one)} and ${Math.round(two)}`)
  t.ok(Math.abs(three - RATE) < RATE * 0.25, `the other token ${Math.round(three)}`)
  for (const { receiver, sender } of transfers) {
    receiver.reset()
    sender.kill()
  }
  await gateway.holds(0, 0)
}

t.test('two transfers of one token share its speed fairly, and another token has its own', async (t) => {
  await Promise.all([sharesFairly(t, false), sharesFairly(t, true)])
})

// --- Redis

/** By every thread: each has a connection of its own. */
const said = (gateway: Running, message: RegExp) =>
  eventually(() => {
    const times = gateway.lines.filter(({ msg }) => message.test(msg)).length
    return times >= gateway.threads || `the log says ${message} ${times} times`
  })

t.test(
  'two gateways count together in Redis, each for itself while it is down, together when it is back',
  async (t) => {
    const redis = await RedisServer.start(t)
    const config = { token: { transfers: { points: 2, seconds: 600 } }, redis: { url: redis.url, timeoutMs: 2000 } }
    const [here, there] = [await start(t, config), await start(t, config)]
    t.equal(await join(here, 'p/ann'), 'in')
    t.equal(await join(there, 'p/ann'), 'in')
    const refused = (await join(here, 'p/ann')) as Refused
    t.match(refused, { status: 429, limit: 'token.transfers' })
    t.ok(refused.retryAfter > 500 && refused.retryAfter <= 600, `${refused.retryAfter} s`)
    t.match(await join(there, 'p/ann'), { status: 429, limit: 'token.transfers' })
    await redis.stop()
    for (const gateway of [here, there]) await said(gateway, /^Redis is down/)
    for (const gateway of [here, there]) {
      t.same([await join(gateway, 'p/bob'), await join(gateway, 'p/bob')], ['in', 'in'])
      t.match(await join(gateway, 'p/bob'), { status: 429, limit: 'token.transfers' })
    }
    await redis.run()
    for (const gateway of [here, there]) await said(gateway, /^Redis is back/)
    t.equal(await join(here, 'p/eve'), 'in')
    t.equal(await join(there, 'p/eve'), 'in')
    t.match(await join(there, 'p/eve'), { status: 429 }, 'two gateways, one count')
  },
)

t.test('a Redis that does not answer costs a request its short time, and the next one nothing', async (t) => {
  const redis = await RedisServer.start(t)
  const token = { requests: { points: 100, seconds: 600 }, transfers: { points: 1, seconds: 600 } }
  const gateway = await start(t, { token, redis: { url: redis.url, timeoutMs: 200 } })
  t.equal(await join(gateway, 'p/ann'), 'in')
  redis.signal('SIGSTOP')
  const before = performance.now()
  const first = await rawReceiver(gateway, 'b', 'p/ann')
  await gateway.holds(1, 0)
  const ms = performance.now() - before
  t.ok(ms >= 150 && ms < 8000, `${Math.round(ms)} ms`)
  t.match(await join(gateway, 'p/ann'), { status: 429, limit: 'token.transfers' })
  const downs = gateway.lines.filter(({ msg }) => /^Redis is down/.test(msg))
  t.ok(downs.length <= gateway.threads, 'said once')
  redis.signal('SIGCONT')
  first.destroy()
  await gateway.holds(0, 0)
})

t.test('a Redis that is not there does not stop the start, and one that comes later is used', async (t) => {
  const redis = await RedisServer.start(t)
  await redis.stop()
  const gateway = await start(t, {
    token: { transfers: { points: 1, seconds: 600 } },
    redis: { url: redis.url, timeoutMs: 2000 },
  })
  await said(gateway, /^Redis is down/)
  t.equal(await join(gateway, 'p/ann'), 'in')
  t.match(await join(gateway, 'p/ann'), { status: 429 })
  await redis.run()
  await said(gateway, /^Redis is back/)
  t.equal(await join(gateway, 'p/ann'), 'in', 'Redis knows nothing of the first')
  t.match(await join(gateway, 'p/ann'), { status: 429 })
})
