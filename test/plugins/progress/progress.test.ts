/** `?progress` and `?status` over real sockets. */

import t, { type Test } from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import authBearer from '../../../plugins/auth-bearer/index.js'
import metrics from '../../../plugins/metrics/index.js'
import progress from '../../../plugins/progress/index.js'
import type { Receipt, Snapshot } from '../../../plugins/transfer-status/snapshot.js'
import { type CurlRun, curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'

const start = (t: Test, config: object = {}, flags = {}, others: readonly LoadedPlugin[] = []): Promise<Running> =>
  startGateway(t, flags, { plugins: [...others, { plugin: progress, config }] })

interface Event {
  readonly name: string
  readonly id: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: whatever a test looks for in it
  readonly data: any
}

/** The events in a stream so far; what is no event yet is left out. */
function events(text: string): Event[] {
  const blocks = text.split('\n\n').slice(0, -1)
  return blocks.flatMap((block) => {
    const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]))
    const name = fields.get('event')
    return name === undefined ? [] : [{ name, id: fields.get('id'), data: JSON.parse(fields.get('data')!) }]
  })
}

const states = (text: string): string[] =>
  events(text)
    .filter(({ name }) => name === 'state')
    .map(({ data }) => data.state)

async function status(gateway: Running, query: string): Promise<Snapshot> {
  const { stdout } = await curlDone([gateway.url(query)])
  return JSON.parse(stdout.toString())
}

/** Watches a name; resolves when the first state is there. */
async function watch(gateway: Running, query = 'name?progress', args: readonly string[] = []): Promise<CurlRun> {
  const run = curl(['-N', ...args, gateway.url(query)])
  await run.waitFor('event: state')
  return run
}

t.test('from idle to complete, as everybody sees it', async (t) => {
  const gateway = await start(t)
  const spectators = [await watch(gateway), await watch(gateway)]
  const receiver = curl([gateway.url('name')])
  await spectators[0]!.waitFor('"activeReceivers":1')
  const sender = curl(['-N', '-T', '-', gateway.url('name?size=10')])
  await spectators[0]!.waitFor('"state":"streaming"')
  sender.stdin.write('01234')
  await spectators[0]!.waitFor(/event: progress\ndata: .*"bytes":5,/)
  sender.stdin.end('56789')
  const [text, other] = await Promise.all(spectators.map(async ({ result }) => (await result).stdout.toString()))
  t.equal((await receiver.result).stdout.toString(), '0123456789')
  t.equal(text, other, 'what is rendered once is the same for all')
  t.strictSame(states(text!), ['idle', 'waiting', 'waiting', 'streaming', 'complete'])
  const { name, id, data } = events(text!).at(-1)! as Event & { data: Receipt }
  t.equal(name, 'done')
  t.equal(id, data.transferId)
  t.match(data.transferId, /^[\w-]{16,64}$/)
  t.match(data, { state: 'complete', bytes: 10, bytesTransferred: 10, totalBytes: 10, receivers: 1, totalReceivers: 1 })
  t.match(data, { reason: null, message: null, sha256: null, duration: data.durationSec, avgSpeed: Number })
  t.ok(data.endedAt >= data.startedAt! && Math.abs(Date.now() - data.endedAt) < 60_000)
  const figures = events(text!).find((each) => each.name === 'progress')!.data
  t.match(figures, { totalBytes: 10, bytesTransferred: figures.bytes, activeReceivers: 1, etaSec: figures.eta })
  t.equal((await sender.result).code, 0)
})

t.test('the fields are those of the contract', async (t) => {
  const gateway = await start(t)
  const spectator = await watch(gateway)
  const receiver = curl([gateway.url('name')])
  await curlDone(['-d', 'x'.repeat(100), gateway.url('name')])
  await receiver.result
  const text = (await spectator.result).stdout.toString()
  const has = (name: string, fields: string) => {
    const found = events(text).filter((each) => each.name === name)
    t.ok(found.length > 0, name)
    for (const { data } of found) for (const field of fields.split(' ')) t.ok(field in data, `${name}: ${field}`)
  }
  has('state', 'state receivers activeReceivers totalReceivers hasSender transferId')
  has('done', 'state bytes bytesTransferred durationSec duration avgSpeed receivers reason sha256 transferId')
  const fields =
    'state kind transferId hasSender activeReceivers totalReceivers bytesTransferred totalBytes speed eta elapsed reason sha256 last'
  const snapshot = await status(gateway, 'name?status')
  for (const field of fields.split(' ')) t.ok(field in snapshot, `status: ${field}`)
})

t.test('progress comes while bytes flow, and stops when they do', async (t) => {
  const gateway = await start(t)
  const receiver = curl(['-N', gateway.url('name')])
  const sender = curl(['-N', '-T', '-', gateway.url('name')])
  sender.stdin.write('x'.repeat(1000))
  await receiver.waitFor('x'.repeat(1000))
  const spectator = await watch(gateway)
  const figures = () => events(spectator.stdoutText).filter(({ name }) => name === 'progress')
  await eventually(() => figures().at(-1)?.data.speed === 0 || 'the speed is not 0', { timeoutMs: 20_000 })
  t.equal(figures().at(-1)!.data.eta, null)
  const before = figures().length
  sender.stdin.write('y'.repeat(1000))
  await eventually(() => figures().at(-1)?.data.bytes === 2000 || 'the bytes have not been told')
  t.equal(figures()[before]!.data.bytes, 2000, 'in the silence nothing was said')
  t.ok(figures().at(-1)!.data.speed > 0)
  sender.stdin.end()
  await spectator.result
})

t.test('a transfer that fails: the reason, for programs and for people', async (t) => {
  const gateway = await start(t)
  const spectator = await watch(gateway)
  const receiver = curl(['-N', gateway.url('name')])
  const sender = curl(['-N', '-T', '-', gateway.url('name?size=1000')])
  sender.stdin.write('01234')
  await receiver.waitFor('01234')
  sender.kill()
  const text = (await spectator.result).stdout.toString()
  t.equal(states(text).at(-1), 'failed')
  const { data } = events(text).at(-1)! as Event & { data: Receipt }
  t.match(data, { state: 'failed', reason: 'sender_left', bytes: 5, totalBytes: 1000 })
  t.equal(data.message, 'The sender disconnected before its last byte.')
  t.match(await status(gateway, 'name?status'), { state: 'failed', reason: 'sender_left', message: data.message })
  await receiver.result
})

t.test('what never streamed: failed with its sender, idle without one', async (t) => {
  const gateway = await start(t)
  const first = await watch(gateway)
  await curlDone(['-T', '-', gateway.url('name?wait=1')], { input: 'x' })
  const text = (await first.result).stdout.toString()
  t.strictSame(states(text), ['idle', 'waiting', 'failed'])
  t.match(events(text).at(-1)!.data, { reason: 'no_receivers', bytes: 0, startedAt: null, duration: 0, avgSpeed: null })

  const second = await watch(gateway, 'other?progress')
  t.equal((await curlDone([gateway.url('other?wait=1')])).code, 0)
  await second.waitFor(/"state":"idle".*"state":"waiting".*"state":"idle"/s)
  const sender = curl(['-N', '-T', '-', gateway.url('other?n=2')])
  await second.waitFor(/"hasSender":true/)
  const receiver = curl([gateway.url('other?n=2')])
  await second.waitFor(/"hasSender":true.*"activeReceivers":1/)
  sender.kill()
  await eventually(() => {
    const { data } = events(second.stdoutText).at(-1)!
    return (data.state === 'waiting' && !data.hasSender && data.activeReceivers === 1) || 'the sender is still there'
  })
  receiver.kill()
  await eventually(() => states(second.stdoutText).at(-1) === 'idle' || 'it is not idle')
  t.notMatch(second.stdoutText, /event: done/)
  second.kill()
})

t.test('a receiver that leaves in the middle is told of', async (t) => {
  const gateway = await start(t)
  const spectator = await watch(gateway)
  const receivers = [curl(['-N', gateway.url('name?n=2')]), curl(['-N', gateway.url('name?n=2')])]
  const sender = curl(['-N', '-T', '-', gateway.url('name?n=2')])
  sender.stdin.write('01234')
  await Promise.all(receivers.map((each) => each.waitFor('01234')))
  receivers[0]!.kill()
  await spectator.waitFor(/"state":"streaming".*"activeReceivers":1,"totalReceivers":2/)
  sender.stdin.end()
  t.match(events((await spectator.result).stdout.toString()).at(-1)!.data, {
    state: 'complete',
    receivers: 1,
    totalReceivers: 2,
  })
})

t.test('the final state lingers, then there is the last transfer', async (t) => {
  const gateway = await start(t, { linger: 2 })
  const receiver = curl([gateway.url('name')])
  await curlDone(['-d', '0123456789', gateway.url('name')])
  await receiver.result
  const late = (await curlDone(['-N', gateway.url('name?progress')])).stdout.toString()
  t.strictSame(
    events(late).map(({ name }) => name),
    ['state', 'done'],
    'a latecomer is told, and the stream ends',
  )
  const { transferId } = events(late)[1]!.data as Receipt
  t.match(await status(gateway, 'name?status'), { state: 'complete', bytes: 10, transferId })
  await eventually(async () => (await status(gateway, 'name?status')).state === 'idle' || 'it lingers')
  const idle = await watch(gateway)
  t.match(events(idle.stdoutText)[0]!.data, { state: 'idle', last: { state: 'complete', bytes: 10, transferId } })
  idle.kill()

  // Who has been told of the end is not told again; whoever names another transfer is.
  for (const [id, code] of [
    [transferId, '204'],
    [`${transferId}x`, '200'],
  ] as const) {
    const head = await curlDone(['-si', '-m', '1', '-H', `Last-Event-ID: ${id}`, gateway.url('name?progress')])
    t.match(head.stdout.toString(), new RegExp(`^HTTP/1.1 ${code} `), id)
  }
})

t.test('receipts by id, on their own name', async (t) => {
  const gateway = await start(t, { receipts: 2, linger: 0 })
  const ids: string[] = []
  for (const name of ['one', 'two', 'three']) {
    const receiver = curl([gateway.url(name)])
    const sent = await curlDone(['-si', '-d', name, gateway.url(name)])
    ids.push(/^X-Pipe-Transfer-Id: (\S+)\r$/m.exec(sent.stdout.toString())![1]!)
    await receiver.result
  }
  const code = async (query: string) => {
    const { stdout } = await curlDone(['-o', '/dev/null', '-w', '%{http_code}', gateway.url(query)])
    return stdout.toString()
  }
  t.match(await status(gateway, `three?status&transfer=${ids[2]}`), { state: 'complete', transferId: ids[2], bytes: 5 })
  t.match(await status(gateway, `two?status&transfer=${ids[1]}`), { state: 'complete', transferId: ids[1], bytes: 3 })
  t.equal(await code(`one?status&transfer=${ids[0]}`), '404', 'the oldest had to go')
  t.equal((await status(gateway, 'one?status')).last, null)
  t.equal(await code(`two?status&transfer=${ids[2]}`), '404', 'not on another name')
  t.equal(await code(`three?status&transfer=${'x'.repeat(20)}`), '404')
  for (const bad of ['', 'short', 'x'.repeat(65), 'with%0Aa%20line%20break']) {
    t.equal(await code(`three?status&transfer=${bad}`), '400', bad)
  }
  const running = curl(['-N', '-i', '-d', 'x', gateway.url('four')])
  await running.waitFor('Waiting')
  const id = /^X-Pipe-Transfer-Id: (\S+)\r$/m.exec(running.stdoutText)![1]!
  t.match(await status(gateway, `four?status&transfer=${id}`), { state: 'waiting', transferId: id })
  running.kill()
})

t.test('HEAD, GET and JSON', async (t) => {
  const gateway = await start(t)
  const head = (await curlDone(['-I', gateway.url('name?status')])).stdout.toString()
  t.match(head, /^HTTP\/1.1 200 OK\r$.*^Content-Type: application\/json\r$.*^Content-Length: [1-9]/ms)
  const json = await curlDone(['-H', 'Accept: application/json', gateway.url('name?progress')])
  t.match(JSON.parse(json.stdout.toString()), { state: 'idle', kind: 'pipe' })
  t.match((await curlDone(['-I', gateway.url('name?progress')])).stdout.toString(), /^HTTP\/1.1 405 /)
  const stream = await watch(gateway, 'name?progress', ['-i'])
  t.match(stream.stdoutText, /^Content-Type: text\/event-stream\r$/m)
  t.match(stream.stdoutText, /^Cache-Control: no-store\r$.*^X-Accel-Buffering: no\r$/ms)
  stream.kill()
  // Switched off it is a receiver like any other.
  const receiver = curl([gateway.url('name?progress=0&status=no')])
  await gateway.holds(1, 0)
  await curlDone(['-d', 'body', gateway.url('name')])
  t.equal((await receiver.result).stdout.toString(), 'body')
})

t.test('as many as allowed, and no more', async (t) => {
  const gateway = await start(t, { spectators: 2, names: 2 })
  const refused = async (name: string) => {
    const { stdout } = await curlDone(['-i', '-m', '5', gateway.url(`${name}?progress`)])
    return stdout.toString()
  }
  const all = [await watch(gateway), await watch(gateway)]
  t.match(
    await refused('name'),
    /^HTTP\/1.1 429 .*^X-Pipe-Code: PROGRESS_SPECTATORS\r$.*^Retry-After: .*allowed, 2, watch this name/ms,
  )
  all.push(await watch(gateway, 'other?progress'))
  t.match(await refused('third'), /^HTTP\/1.1 429 .*^X-Pipe-Code: PROGRESS_NAMES\r$.*allowed, 2, are watched/ms)
  t.match(await status(gateway, 'third?status'), { state: 'idle' }, 'a question is always free')
  all[2]!.kill()
  all[0]!.kill()
  await eventually(async () => {
    const run = curl(['-N', '-i', gateway.url('third?progress')])
    await run.waitFor('\r\n\r\n')
    const there = run.stdoutText.startsWith('HTTP/1.1 200')
    if (there) all.push(run)
    return there || 'the place is not free yet'
  })
  all.push(await watch(gateway))
  t.match(await refused('name'), /PROGRESS_SPECTATORS/)
  for (const each of all) each.kill()
})

t.test('what nobody can watch', async (t) => {
  const gateway = await start(t)
  const cases: readonly (readonly [query: string, status: number, code: string, args?: readonly string[]])[] = [
    ['?progress', 400, 'RESERVED_NAME'],
    ['health?progress', 400, 'RESERVED_NAME'],
    ['help?status', 400, 'RESERVED_NAME'],
    ['a%2fb?progress', 400, 'BAD_NAME'],
    [`${'a'.repeat(1025)}?progress`, 414, 'NAME_TOO_LONG'],
    ['name?progress', 400, 'BODY_NOT_WANTED', ['-X', 'GET', '-d', 'a body']],
    ['name?status', 400, 'BODY_NOT_WANTED', ['-X', 'GET', '-d', 'a body']],
  ]
  for (const [query, status, code, args = []] of cases) {
    const { stdout } = await curlDone(['-i', '-m', '5', '--path-as-is', ...args, gateway.url(query)])
    t.match(stdout.toString(), new RegExp(`^HTTP/1.1 ${status} .*^X-Pipe-Code: ${code}\\r$`, 'ms'), query.slice(0, 40))
  }
})

t.test('what a spectator sends is answered behind the events, and nobody else notices', async (t) => {
  const gateway = await start(t)
  const other = await watch(gateway)
  const client = await connect({ port: gateway.port })
  await client.send('GET /name?progress HTTP/1.1\r\nHost: x\r\n\r\n')
  await client.waitFor('event: state')
  void client.send(`GET /api/v1/pipe/help HTTP/1.1\r\nHost: x\r\n\r\n${'x'.repeat(100_000)}`)
  const receiver = curl([gateway.url('name')])
  await curlDone(['-d', 'body', gateway.url('name')])
  t.equal((await receiver.result).stdout.toString(), 'body')
  t.match((await other.result).stdout.toString(), 'event: done')
  await client.waitForClose()
  t.match(client.text, /event: done[\s\S]*0\r\n\r\nHTTP\/1\.1 200 [\s\S]*REQUEST_LINE_TOO_LONG/)
})

t.test('projects: nobody watches the name of another one', async (t) => {
  const tokens = ['a', 'b'].map((project) => ({ name: project, project, token: `${project}`.repeat(20) }))
  const gateway = await start(t, {}, {}, [{ plugin: authBearer, config: { tokens } }])
  const as = (project: string) => ['-H', `Authorization: Bearer ${project.repeat(20)}`]
  const theirs = await watch(gateway, 'name?progress', as('b'))
  const mine = await watch(gateway, 'name?progress', as('a'))
  const receiver = curl([...as('a'), gateway.url('name')])
  await mine.waitFor('"activeReceivers":1')
  await curlDone([...as('a'), '-d', 'body', gateway.url('name')])
  await receiver.result
  const { transferId } = events((await mine.result).stdout.toString()).at(-1)!.data as Receipt
  const asked = async (project: string, query: string) => {
    const { stdout } = await curlDone([...as(project), gateway.url(query)])
    return stdout.toString()
  }
  t.match(await asked('a', `name?status&transfer=${transferId}`), '"state":"complete"')
  t.match(await asked('b', `name?status&transfer=${transferId}`), /no transfer with that id/)
  t.match(JSON.parse(await asked('b', 'name?status')), { state: 'idle', last: null })
  t.strictSame(states(theirs.stdoutText), ['idle'])
  theirs.kill()
  t.match((await curlDone(['-i', gateway.url('name?progress')])).stdout.toString(), /^HTTP\/1.1 401 /)
})

t.test('spectators are counted, while they are there', async (t) => {
  const gateway = await start(t, {}, {}, [{ plugin: metrics }])
  const counted = async () => {
    const { stdout } = await curlDone([gateway.url('metrics')])
    return Number(/^pipegate_watchers (\d+)$/m.exec(stdout.toString())![1])
  }
  const all = [await watch(gateway), await watch(gateway), await watch(gateway, 'other?progress')]
  t.equal(await counted(), 3)
  for (const each of all) each.kill()
  await eventually(async () => (await counted()) === 0 || 'somebody is counted who has left')
})

t.test('a storm of spectators that come and go leaves nothing behind, and the transfer alone', async (t) => {
  const gateway = await start(t, { spectators: 20 }, {}, [{ plugin: metrics }])
  const body = 'x'.repeat(1_000_000)
  const receiver = curl([gateway.url('name')])
  const sender = curl(['-N', '-T', '-', gateway.url('name')])
  await gateway.holds(0, 1)
  const storm = async (who: number) => {
    for (let i = 0; i < 40; i++) {
      const client = await connect({ port: gateway.port })
      await client.send(`GET /${i % 3 === 0 ? `other-${who}-${i}` : 'name'}?progress HTTP/1.1\r\nHost: x\r\n\r\n`)
      // Some are gone before they are answered.
      if (i % 2 === 0) await client.waitFor(/^HTTP\/1.1 (200|429) /)
      if (i % 4 < 2) client.reset()
      else client.destroy()
    }
  }
  await Promise.all(Array.from({ length: 25 }, (_, who) => storm(who)))
  sender.stdin.end(body)
  t.equal((await receiver.result).stdout.toString(), body)
  t.equal((await sender.result).code, 0)
  await eventually(async () => {
    const { stdout } = await curlDone([gateway.url('metrics')])
    return /^pipegate_watchers 0$/m.test(stdout.toString()) || 'somebody is counted who has left'
  })
  const again = await watch(gateway, 'once-more?progress')
  again.kill()
})

t.test('going down: who watches nothing that runs is let go, the others see the end', async (t) => {
  const gateway = await start(t, {}, { drain: '20' })
  const idle = await watch(gateway, 'idle?progress')
  const waiting = await watch(gateway, 'waiting?progress')
  const sender = curl(['-N', '-d', 'x', gateway.url('waiting')])
  await waiting.waitFor('"hasSender":true')
  const running = await watch(gateway, 'running?progress')
  const receiver = curl(['-N', gateway.url('running')])
  const upload = curl(['-N', '-T', '-', gateway.url('running')])
  upload.stdin.write('first')
  await receiver.waitFor('first')
  const stopped = gateway.gateway.stop()
  t.equal((await idle.result).code, 0)
  t.match(events((await waiting.result).stdout.toString()).at(-1)!.data, { state: 'failed', reason: 'shutting_down' })
  upload.stdin.end('last')
  t.match(events((await running.result).stdout.toString()).at(-1)!.data, { state: 'complete', bytes: 9 })
  t.equal((await receiver.result).stdout.toString(), 'firstlast')
  await stopped
  await sender.result
})
