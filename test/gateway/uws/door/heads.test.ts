/** Heads as they come: forms of targets, versions, other protocols, and floods of heads that never end. */

import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../../../support/eventually.js'
import { defaultPlugins, startDefaultGateway, startGateway } from '../../../support/gateway.js'
import { connect, type RawClient } from '../../../support/raw.js'
import { answersOf, faultOfRefusal, get, HEALTH, put, refused, startBystander } from './rig.js'

t.test('targets with a scheme are taken by their path, and an asterisk asks about the server', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect()
  await receiver.send('GET http://elsewhere.example/target HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => gateway.gateway.table.get('target') !== undefined || 'no receiver waits on the name')
  const sender = await gateway.connect()
  await sender.send(put('http://x:80/api/v1/pipe/target', ['Content-Length: 2'], 'ok'))
  t.equal((await receiver.waitForResponse()).body.toString(), 'ok')
  const asked = await gateway.connect()
  await asked.send(`\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n${HEALTH}`)
  await eventually(() => answersOf(asked).length === 2 || asked.text)
  t.same(
    answersOf(asked).map(({ status }) => status),
    [204, 200],
  )
  for (const client of [receiver, sender, asked]) client.destroy()
})

t.test('100 fields and 64 KiB of head are served, and more is 431 or 414 in our words', async (t) => {
  const gateway = await startGateway(t)
  const fields = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: ${i}`)
  const ask = async (bytes: string) => {
    const client = await gateway.connect()
    await client.send(bytes)
    return client
  }
  for (const served of [
    get('/api/v1/pipe/health', ...fields(120)),
    get('/api/v1/pipe/health', `Cookie: ${'c'.repeat(65_400)}`),
  ]) {
    const client = await ask(served)
    t.equal((await client.waitForResponse()).status, 200)
    client.destroy()
  }
  await refused(t, await ask(get('/x', ...fields(300))), 'TOO_MANY_FIELDS')
  await refused(t, await ask(get('/x', `Cookie: ${'c'.repeat(70_000)}`)), 'HEAD_TOO_LARGE')
  await refused(t, await ask(get(`/${'x'.repeat(17_000)}`)), 'REQUEST_LINE_TOO_LONG')
})

const STRANGERS = [
  ['HTTP2_PREFACE', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64'],
  ['TLS_HANDSHAKE', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['PROXY_PROTOCOL', 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['PROXY_PROTOCOL', '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\x30\x39\x1f\x90GET / HTTP/1.1\r\n'],
  ['NO_HOST', 'GET /x HTTP/1.1\r\n\r\n'],
  ['REPEATED_HOST', 'GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['BAD_HOST', 'GET /x HTTP/1.1\r\nHost: a b\r\n\r\n'],
  ['BAD_HOST', 'GET /x HTTP/1.1\r\nHost: u@a\r\n\r\n'],
  ['BAD_HOST', 'GET /x HTTP/1.1\r\nHost: a,b\r\n\r\n'],
  ['UNSUPPORTED_VERSION', 'GET /x HTTP/0.9\r\n\r\n'],
  ['CONNECT_METHOD', 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n'],
] as const

t.test('who speaks something else is told so at once, and nobody is disturbed', async (t) => {
  const gateway = await startDefaultGateway(t)
  const bystander = await startBystander(t, gateway)
  for (const [code, bytes] of STRANGERS) {
    const client = await gateway.connect()
    await client.send(bytes)
    await refused(t, client, code, JSON.stringify(bytes))
    await bystander.goOn()
  }
  await bystander.end()
})

t.test('the address that redirects to HTTPS, and IPv6, have the same door', async (t) => {
  const redirecting = await startGateway(t, { redirectPort: '0' }, { tls: true })
  const line = () => redirecting.lines.find(({ msg }) => msg === 'redirecting to HTTPS')
  await eventually(() => line() !== undefined || 'it does not redirect')
  const port = line()!.from as number
  for (const [code, bytes] of STRANGERS) {
    const client = await connect({ port })
    await client.send(bytes)
    await refused(t, client, code, `redirecting: ${JSON.stringify(bytes)}`)
  }
  const slow = await connect({ port })
  for (const byte of get('/there')) await slow.send(byte)
  t.match(await slow.waitForResponse(), { status: 308 })
  slow.destroy()
  const six = await startGateway(t, { host: '::1' })
  const client = await six.connect({ host: '::1' })
  await client.send(`${get('/x?status').slice(0, 20)}`)
  await client.send(`${get('/x?status').slice(20)}GET /x HTTP/1.1\r\n\r\n`)
  await eventually(() => answersOf(client).length === 2 || client.text)
  t.equal(faultOfRefusal('NO_HOST', answersOf(client)[1]!), undefined, 'IPv6')
  t.match(six.lines.find(({ msg }) => msg === 'request')?.remoteAddress, /^(0000:){7}0001$/)
  client.destroy()
})

/** Half heads in all: sixteen MiB, of 66 KiB at most each. */
const FLOOD = 300

const descriptors = () => readdirSync('/proc/self/fd').length

t.test('a flood of heads that never end is refused beyond its budget, and others are served', async (t) => {
  t.setTimeout(120_000)
  const gateway = await startGateway(t, {}, { plugins: await defaultPlugins() })
  const bystander = await startBystander(t, gateway)
  const half = `GET /flood HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(60_000)}`
  const flood: RawClient[] = []
  const before = descriptors()
  for (let i = 0; i < FLOOD; i++) {
    const client = await gateway.connect()
    await client.send(half.slice(0, 30_000))
    await client.send(half.slice(30_000))
    flood.push(client)
  }
  await eventually(() => flood.some(({ text }) => text.length > 0) || 'nobody was refused')
  const answered = flood.filter(({ text }) => text.includes('\r\n\r\n'))
  t.ok(answered.length > 0 && answered.length < FLOOD / 2, `${answered.length} of ${FLOOD} were refused`)
  await refused(t, answered[0]!, 'TOO_MANY_HALF_HEADS')
  await bystander.goOn()
  const whole = await gateway.connect()
  await whole.send(HEALTH)
  t.equal((await whole.waitForResponse()).status, 200, 'a head that comes whole is served')
  for (const client of flood) client.destroy()
  whole.destroy()
  await eventually(() => descriptors() <= before || 'not all of them are closed')
  // What is remembered of a connection must not be so until another one has its descriptor's number.
  const taken = Array.from({ length: 2 * FLOOD }, () => openSync('/dev/null', 'r'))
  await eventually(() => gateway.lines.filter(({ code }) => code === 'TOO_MANY_HALF_HEADS').length >= 1 || 'not logged')
  // Whoever comes now finds the memory free again.
  const later: RawClient[] = []
  for (let i = 0; i < FLOOD / 2; i++) later.push(await gateway.connect())
  const head = get('/api/v1/pipe/health', `A: ${'a'.repeat(60_000)}`)
  await Promise.all(later.map((client) => client.send(head.slice(0, -1))))
  // So that none is read whole.
  await sleep(300)
  await Promise.all(later.map((client) => client.send(head.slice(-1))))
  const statuses = await Promise.all(later.map(async (client) => (await client.waitForResponse()).status))
  t.equal(statuses.filter((status) => status !== 200).length, 0, 'the memory is free again')
  for (const client of later) client.destroy()
  for (const descriptor of taken) closeSync(descriptor)
  await bystander.end()
})

/**
 * Node cannot send urgent data. A second urgent byte would make an unread first one an ordinary one. With a second argument the
 * rest goes through TLS, whose records the urgent bytes are no part of either.
 */
const URGENT = `
import socket, ssl, sys, time
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
isTls = len(sys.argv) > 2
if isTls:
    context = ssl._create_unverified_context()
    arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(arrived, leaving)
def flush():
    records = leaving.read()
    if records: s.sendall(records)
def through(step):
    while True:
        try: result = step()
        except ssl.SSLWantReadError: result = None
        flush()
        if result is not None: return result
        got = s.recv(65536)
        if got: arrived.write(got)
        else: arrived.write_eof()
def send(data):
    if isTls: through(lambda: tls.write(data))
    else: s.sendall(data)
def receive():
    if not isTls: return s.recv(65536)
    try: return through(lambda: tls.read(65536))
    except ssl.SSLZeroReturnError: return b''
if isTls: through(lambda: tls.do_handshake() or True)
send(b'GET /urg')
s.send(b'!', socket.MSG_OOB)
time.sleep(0.2)
send(b'ent HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
time.sleep(0.2)
s.send(b'!', socket.MSG_OOB)
if isTls:
    try: tls.unwrap()
    except ssl.SSLWantReadError: pass
    flush()
s.shutdown(socket.SHUT_WR)
while True:
    got = receive()
    if not got: break
    sys.stdout.write(got.decode('latin1')); sys.stdout.flush()
`

t.test('urgent data is no part of what is read, and does not keep the gateway busy', async (t) => {
  const gateway = await startGateway(t)
  const program = spawn('python3', ['-c', URGENT, `${gateway.port}`, ...(gateway.tls ? ['tls'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  program.stdout.on('data', (bytes) => (output += bytes))
  const ended = new Promise((resolve) => program.once('close', resolve))
  await eventually(() => gateway.gateway.table.get('urgent') !== undefined || 'no receiver waits on the name')
  const before = process.cpuUsage()
  await sleep(1000)
  const { user, system } = process.cpuUsage(before)
  t.ok(user + system < 500_000, `${user + system} microseconds of a second`)
  const sender = await gateway.connect()
  await sender.send(put('/urgent', ['Content-Length: 5'], 'hello'))
  await sender.waitFor('Transfer complete')
  await ended
  t.match(output, /\r\n\r\nhello$/, 'it has closed its side, and is answered')
  sender.destroy()
})
