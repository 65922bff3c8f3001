import { execFileSync, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { LoadedPlugin } from '../../../gateway/host/loading/loaded-plugin.js'
import { plainAddress, truncatedAddress } from '../../../plugins/access-log/address.js'
import accessLog from '../../../plugins/access-log/index.js'
import { nameOf, printable } from '../../../plugins/access-log/name.js'
import { Output } from '../../../plugins/access-log/output.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'
import { pluginOfFile } from '../../support/threads/served.js'

interface Line {
  readonly msg: string
  readonly [field: string]: unknown
}

const plugin = accessLog as LoadedPlugin['plugin']

const someAuth = await pluginOfFile(new URL('../in-files/some-auth.js', import.meta.url))

function fileIn(dir: string): string {
  return join(dir, 'access.log')
}

function linesOf(file: string): Line[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** Waits for so many lines and returns all. */
async function lines(file: string, count: number): Promise<Line[]> {
  await eventually(() => linesOf(file).length >= count || `${linesOf(file).length} of ${count} lines`)
  return linesOf(file)
}

async function started(t: Parameters<typeof startGateway>[0] & { testdir(): string }, config: object = {}) {
  const file = fileIn(t.testdir())
  const plugins = [someAuth, { plugin, config: { output: { file }, ...config } }]
  return { file, gateway: await startGateway(t, {}, { plugins }) }
}

t.test('one line for each request and each transfer, with what was moved, to the byte', async (t) => {
  const { file, gateway } = await started(t)
  const body = Buffer.alloc(1_234_567, 'x')
  const receiving = [curlDone([gateway.url('jobs/today?n=2')]), curlDone([gateway.url('jobs/today?n=2')])]
  await eventually(() => gateway.gateway.table.get('jobs/today')?.receiversPresent === 2 || 'not both are here')
  const sent = await curlDone(['-T', '-', gateway.url('jobs/today?n=2')], { input: body })
  t.equal(sent.code, 0)
  await Promise.all(receiving)
  const all = await lines(file, 4)
  t.equal(all.length, 4)
  const put = all.find(({ method }) => method === 'PUT')!
  t.match(put, {
    msg: 'request',
    address: '127.0.0.1',
    name: 'jobs/today',
    status: 200,
    outcome: 'complete',
    reason: 'complete',
    bytesIn: body.length,
  })
  const gets = all.filter(({ method }) => method === 'GET')
  t.same(
    gets.map(({ bytesIn, bytesOut, name }) => [bytesIn, bytesOut, name]),
    [
      [0, body.length, 'jobs/today'],
      [0, body.length, 'jobs/today'],
    ],
  )
  t.equal(new Set(all.map(({ id }) => id)).size, 4, 'ids of three requests, and none on a transfer')
  const transfer = all.find(({ msg }) => msg === 'transfer')!
  t.match(transfer, { name: 'jobs/today', reason: 'complete', receivers: 2, bytesIn: body.length })
  t.equal(transfer.bytesOut, 2 * body.length)
  t.same([put.name, transfer.name], ['jobs/today', 'jobs/today'])
  for (const field of ['waitedMs', 'streamedMs', 'bytesPerSecond']) t.type(transfer[field], 'number', field)
  t.match(transfer.transferId, /./)
  t.notOk('project' in transfer || 'project' in put)
})

t.test('refusals have their code, failures their reason, projects their name', async (t) => {
  const { file, gateway } = await started(t)
  await curlDone([gateway.url('x?n=0')])
  t.match((await lines(file, 1))[0], { name: 'x', status: 400, outcome: 'answered', code: 'BAD_PARAMETER' })
  const sender = curl(['-H', 'Authorization: Bearer s', '-T', '-', gateway.url('y')])
  await gateway.holds(1, 0)
  const receiver = curl(['-H', 'Authorization: Bearer s', gateway.url('y')])
  await gateway.holds(0, 1)
  sender.kill()
  await receiver.result
  const [, ...rest] = await lines(file, 4)
  t.match(
    rest.find(({ msg }) => msg === 'transfer'),
    { name: 'y', project: 'blue', reason: 'sender_left' },
  )
  t.same(
    rest.map(({ name, project }) => [name, project]),
    Array(3).fill(['y', 'blue']),
  )
  for (const each of rest.filter(({ msg }) => msg === 'request')) {
    t.match(each, { name: 'y', project: 'blue', subject: 'alice' })
  }
  t.equal(rest.find(({ method }) => method === 'GET')?.reason, 'sender_left')
})

t.test('no token, query, signature or control character gets in', async (t) => {
  const { file, gateway } = await started(t)
  const client = await connect({ port: gateway.port })
  const ask = (target: string) =>
    client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer SECRET-1\r\nCookie: SECRET-2\r\n\r\n`)
  await ask('/api/v1/pipe/a%1b%0a?sig=SECRET-3&n=0')
  await ask('/b\u00c2\u0085\u00e2\u0080\u00ae?token=SECRET-4&n=0')
  await ask('/api/v1/pipe/%2f..?SECRET-5')
  const all = await lines(file, 3)
  const text = readFileSync(file, 'latin1')
  t.notMatch(text, /SECRET|sig=|token=|Bearer/)
  t.match(text, /^[\x20-\x7e\n]+$/, 'printable ASCII')
  t.equal(text.split('\n').length - 1, all.length)
  t.same(all.map(({ name }) => name).slice(0, 2), ['a%1B%0A', 'b%C2%85%E2%80%AE'])
  client.destroy()
})

t.test('names: the same hash on both lines, and nothing that leads back to the name', async (t) => {
  const salt = 'a salt of the operator'
  const { file, gateway } = await started(t, { names: 'hashed', addresses: 'hashed', salt })
  const hash = (text: string) => createHmac('sha256', salt).update(text).digest('hex').slice(0, 16)
  const receiver = curlDone([gateway.url('caf%c3%a9')])
  await gateway.holds(1, 0)
  await curlDone(['-T', '-', `${gateway.origin}/caf%C3%A9`], { input: 'x' })
  await receiver
  await curlDone([gateway.url('caf%c3%a9?n=0')])
  const all = await lines(file, 4)
  t.same(new Set(all.map(({ name }) => name)), new Set([hash('caf%C3%A9')]))
  t.same(
    new Set(all.filter(({ msg }) => msg === 'request').map(({ address }) => address)),
    new Set([hash('127.0.0.1')]),
  )
  t.notMatch(readFileSync(file, 'utf8'), /caf|127\.0/)
})

t.test('without a configured salt two starts hash differently', async (t) => {
  const names: unknown[] = []
  const dir = t.testdir({ one: {}, two: {} })
  for (const folder of ['one', 'two']) {
    const file = fileIn(join(dir, folder))
    const gateway = await startGateway(t, {}, { plugins: [{ plugin, config: { output: { file }, names: 'hashed' } }] })
    await curlDone([gateway.url('x?n=0')])
    names.push((await lines(file, 1))[0]!.name)
  }
  for (const name of names) t.match(name, /^[0-9a-f]{16}$/)
  t.not(names[0], names[1])
})

t.test('names omitted, addresses truncated, one kind of line only', async (t) => {
  const { file, gateway } = await started(t, { names: 'omitted', addresses: 'truncated', transfers: false })
  const receiver = curlDone([gateway.url('hidden')])
  await gateway.holds(1, 0)
  await curlDone(['-T', '-', gateway.url('hidden')], { input: 'x' })
  await receiver
  await curlDone([gateway.url('hidden?n=0')])
  const all = await lines(file, 3)
  t.notMatch(readFileSync(file, 'utf8'), /hidden|"name"/)
  t.same(
    all.map(({ msg, address }) => `${msg} ${address}`),
    Array(3).fill('request 127.0.0.0/24'),
  )
})

t.test('addresses', async (t) => {
  for (const [address, plain, truncated] of [
    ['192.0.2.77', '192.0.2.77', '192.0.2.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.77', '192.0.2.0/24'],
    ['0000:0000:0000:0000:0000:ffff:c000:024d', '192.0.2.77', '192.0.2.0/24'],
    ['2001:0db8:0001:0002:0003:0004:0005:0006', '2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8::1', '2001:db8::/48'],
    ['fe80::1%eth0', 'fe80::1', 'fe80::/48'],
    ['0000:0000:0000:0000:0000:0000:0000:0001', '::1', '::/48'],
    ['', '', 'unknown'],
    ['not one', 'not one', 'unknown'],
  ] as const) {
    t.same([plainAddress(address), truncatedAddress(address)], [plain, truncated], address)
  }
})

t.test('names in paths', async (t) => {
  const prefix = '/api/v1/pipe'
  for (const [path, name] of [
    ['/api/v1/pipe/a/b', 'a/b'],
    ['/a', 'a'],
    ['/api/v1/pipe', ''],
    ['/api/v1/pipes', 'api/v1/pipes'],
    ['/caf%c3%a9', 'caf%C3%A9'],
    ['/café', 'caf%C3%A9'],
    ['/a\x7f\u202eb\ud800', 'a%7F%E2%80%AEb%EF%BF%BD'],
  ] as const) {
    t.equal(nameOf(path, prefix), name)
  }
  t.equal(nameOf(`/${'x'.repeat(5000)}`, '').length, 1203)
  t.equal(printable('a\x1b\x9b\u202e\nb'), 'a????b')
})

t.test('a file that is moved away is followed by a new one', async (t) => {
  const file = fileIn(t.testdir())
  const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => t.fail(JSON.stringify(fields)) }
  const output = new Output({ file }, log)
  await output.open()
  output.line({ at: 1 }, 'request')
  await lines(file, 1)
  output.check()
  output.line({ at: 2 }, 'request')
  await lines(file, 2)
  renameSync(file, `${file}.1`)
  await eventually(() => {
    output.check()
    return existsSync(file) || 'no new file'
  })
  output.line({ at: 3 }, 'request')
  t.same(
    (await lines(file, 1)).map(({ at }) => at),
    [3],
  )
  t.equal(linesOf(`${file}.1`).length, 2)
  await output.close()
})

t.test('a reader that has stopped holds nobody: lines wait, then are dropped and counted', async (t) => {
  const fifo = join(t.testdir(), 'fifo')
  execFileSync('mkfifo', [fifo])
  // Reading and writing: it opens at once, and nobody reads.
  const holder = openSync(fifo, 'r+')
  const dropped: number[] = []
  const log = { debug() {}, info() {}, error() {}, warn: (fields: object) => void dropped.push(Object(fields).lines) }
  const output = new Output({ file: fifo }, log)
  await output.open()
  const text = 'x'.repeat(1000)
  for (let i = 0; i < 10_000; i++) output.line({ text }, 'request')
  output.check()
  output.check()
  t.equal(dropped.length, 1, 'said once')
  t.ok(dropped[0]! > 1000 && dropped[0]! < 3000, `${dropped[0]} of 10 000 lines`)
  const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] })
  let read = ''
  reader.stdout.on('data', (chunk) => {
    read += chunk
  })
  await output.close()
  closeSync(holder)
  await once(reader, 'close')
  const kept = read.split('\n').slice(0, -1)
  for (const line of kept) JSON.parse(line)
  t.equal(kept.length + dropped[0]!, 10_000)
})

t.test('a reader that has gone holds neither a line nor the end', async (t) => {
  const fifo = join(t.testdir(), 'fifo')
  execFileSync('mkfifo', [fifo])
  const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] })
  let read = ''
  reader.stdout.on('data', (chunk) => {
    read += chunk
  })
  const failures: string[] = []
  const error = (fields: object) => void failures.push(String(Object(fields).err?.code))
  const output = new Output({ file: fifo }, { debug() {}, info() {}, warn() {}, error })
  await output.open()
  output.line({ text: 'read' }, 'request')
  await eventually(() => read.includes('read') || 'nothing is read')
  reader.kill()
  await once(reader, 'close')
  await eventually(() => {
    output.line({ text: 'x'.repeat(1000) }, 'request')
    output.check()
    return failures.length > 0 || 'nobody says so'
  })
  for (let i = 0; i < 20_000; i++) output.line({ text: 'x'.repeat(1000) }, 'request')
  output.check()
  t.same(failures, ['EPIPE'], 'said once')
  const before = performance.now()
  await output.close()
  t.ok(performance.now() - before < 4000, 'there is nothing to wait for')
  t.same(failures, ['EPIPE'])
})

t.test('standard output: whole lines, also between those of another log', async (t) => {
  const script = `
    import { givenTarget, LineWriter } from ${JSON.stringify(new URL('../../../gateway/host/plugin-api.js', import.meta.url).href)}
    import { Output } from ${JSON.stringify(new URL('../../../plugins/access-log/output.js', import.meta.url).href)}
    const output = new Output('stdout', console)
    await output.open()
    const own = new LineWriter('gateway', givenTarget(), () => undefined)
    for (let i = 0; i < 3000; i++) {
      output.line({ i, text: 'x'.repeat(i % 700) }, 'request')
      // As the gateway's own log writes.
      if (i % 10 === 0) {
        own.write(JSON.stringify({ msg: 'other', i, text: 'y'.repeat(300) }) + '\\n')
        await new Promise(setImmediate)
      }
    }
    await own.flush({ ms: 5000, silentMs: 5000 })
    await output.close()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let read = ''
  child.stdout.on('data', (chunk) => {
    read += chunk
  })
  const [code] = await once(child, 'close')
  t.equal(code, 0)
  const found = read
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)
  t.equal(found.filter(({ msg }) => msg === 'request').length, 3000)
  t.equal(found.filter(({ msg }) => msg === 'other').length, 300)
})

t.test('every line is on disk when the gateway has stopped', async (t) => {
  const file = fileIn(t.testdir())
  const gateway = await startGateway(t, {}, { plugins: [{ plugin, config: { output: { file } } }] })
  const clients = Array.from({ length: 20 }, (_, i) => curlDone([gateway.url(`waits-${i}`)]))
  await gateway.holds(20, 0)
  await gateway.gateway.stop(0)
  const all = linesOf(file)
  t.equal(all.filter(({ msg }) => msg === 'transfer').length, 20)
  t.equal(all.filter(({ msg }) => msg === 'request').length, 20)
  await Promise.all(clients)
})

t.test('a file that cannot be opened is one error, also when the process exits', async (t) => {
  const script = `
    import { Output } from ${JSON.stringify(new URL('../../../plugins/access-log/output.js', import.meta.url).href)}
    await new Output({ file: '/no/such/folder/access.log' }, console).open().catch(() => process.exit(3))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const [code] = await once(child, 'close')
  t.same([code, said], [3, ''])
})

t.test('what cannot be meant stops the start', async (t) => {
  const start = (config: unknown) =>
    startGateway({ teardown() {} }, {}, { plugins: [{ plugin, config }] }).then(
      () => 'it started',
      (error: Error) => error.message,
    )
  process.env.SHORT_SALT = 'pepper'
  t.teardown(() => delete process.env.SHORT_SALT)
  for (const [config, message] of [
    [{ names: 'secret' }, /config\.names/],
    [{ salt: 'short' }, /16 characters/],
    [{ salt: { env: 'NO_SUCH_VARIABLE' } }, /found nothing in the environment variable NO_SUCH_VARIABLE/],
    [{ salt: { env: 'SHORT_SALT' } }, /found 6 characters/],
    [{ output: { file: '/no/such/folder/access.log' } }, /access-log could not start: config\.output\.file: ENOENT/],
    [{ output: 'syslog' }, /config\.output/],
    [{ colour: true }, /colour/],
  ] as const) {
    const said = await start(config)
    t.match(said, message)
    t.notMatch(said, /pepper|"short"/)
  }
})
