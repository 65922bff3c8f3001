/** What a client may send over TLS to be a burden to others, and what becomes of it. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { connect as tcpConnect } from 'node:net'
import t from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Program, startProgram } from '../../support/program.js'
import { argsFor, first } from './certificates.js'
import { ALERT, DATA, ForgedClient, HANDSHAKE } from './forged-client.js'

const KIB = 1024
const health = async (program: Program) => (await curlDone(['-k', '-m', '10', program.url('health')])).code
const cpu = ({ pid }: Program) => {
  const [user, system] = readStat(pid)
  return (user + system) / 100
}

function readStat(pid: number): [number, number] {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return [Number(fields[11]), Number(fields[12])]
}

const resident = ({ pid }: Program) =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1])
const descriptors = ({ pid }: Program) => readdirSync(`/proc/${pid}/fd`).length

/** Waits for what a gateway says of itself. */
async function waits(program: Program, count: number): Promise<true | string> {
  const { waiting } = JSON.parse((await curlDone(['-k', program.url('health')])).stdout.toString())
  return waiting === count || `${waiting} wait`
}

t.test('what nobody sends: each kind ends its own connection, at once, and costs next to nothing', async (t) => {
  const program = await startProgram(t, argsFor(first))
  await health(program)
  const before = descriptors(program)
  const hello = Buffer.concat([
    Buffer.from([1, 0, 0, 45, 3, 3]),
    randomBytes(32),
    Buffer.from([0, 0, 2, 192, 43, 1, 0, 0, 0]),
  ])
  const floods = {
    'empty records': { version: 'TLSv1.3', next: (client: ForgedClient) => client.record(DATA, '') },
    'empty records of TLS 1.2': { version: 'TLSv1.2', next: (client: ForgedClient) => client.record(DATA, '') },
    'new keys, and asking for the same': { version: 'TLSv1.3', next: (client: ForgedClient) => client.keyUpdate(true) },
    'new keys': { version: 'TLSv1.3', next: (client: ForgedClient) => client.keyUpdate(false) },
    'a handshake anew': { version: 'TLSv1.2', next: (client: ForgedClient) => client.record(HANDSHAKE, hello) },
    'warnings of TLS 1.2': {
      version: 'TLSv1.2',
      next: (client: ForgedClient) => client.record(ALERT, Buffer.from([1, 90])),
    },
    warnings: { version: 'TLSv1.3', next: (client: ForgedClient) => client.record(ALERT, Buffer.from([1, 90])) },
  } as const
  for (const [what, { version, next }] of Object.entries(floods)) {
    const client = await ForgedClient.connect(t, program.port, version)
    // It reads nothing of what is answered.
    client.pause()
    const from = cpu(program)
    const memory = resident(program)
    await client.send(client.record(DATA, 'GET /flooded HTTP/1.1\r\nHost: localhost\r\n\r\n'))
    await eventually(() => waits(program, 1))
    for (let i = 0; i < 20 && !client.isClosed; i++) {
      await client.send(...Array.from({ length: 500 }, () => next(client)))
    }
    await eventually(() => client.isClosed || `${what}: it is still open`)
    t.equal(await health(program), 0, `${what}: others are served`)
    t.ok(cpu(program) - from < 0.5, `${what}: ${cpu(program) - from} s of CPU`)
    t.ok(resident(program) - memory < 8 * KIB, `${what}: ${resident(program) - memory} kB`)
    t.notMatch(client.received, /200 OK/)
  }
  await eventually(() => descriptors(program) <= before || `${descriptors(program)} descriptors, were ${before}`)
})

t.test('some of that is no attack: new keys now and then, an empty record, a warning', async (t) => {
  const program = await startProgram(t, argsFor(first))
  const client = await ForgedClient.connect(t, program.port)
  const receiver = curlDone(['-k', program.url('kept')])
  const body = randomBytes(60 * KIB).toString('latin1')
  await client.send(
    client.record(DATA, `PUT /api/v1/pipe/kept HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`),
  )
  for (let at = 0; at < body.length; at += 4 * KIB) {
    await client.send(
      client.keyUpdate(at % 8192 === 0),
      client.record(DATA, ''),
      client.record(DATA, body.slice(at, at + 4 * KIB)),
    )
  }
  t.equal((await receiver).stdout.toString('latin1'), body)
  await eventually(() => client.received.includes('Transfer complete.') || client.received)
})

t.test('records of one octet: the right bytes, and others are served meanwhile', async (t) => {
  const program = await startProgram(t, argsFor(first))
  const client = await ForgedClient.connect(t, program.port)
  const receiver = curlDone(['-k', program.url('octets')])
  const body = randomBytes(100_000).toString('latin1')
  const octets = (text: string) => Buffer.concat(Array.from(text, (octet) => client.record(DATA, octet)))
  const records = octets(
    `PUT /api/v1/pipe/octets HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  const from = cpu(program)
  const sent = client.send(records)
  t.equal(await health(program), 0)
  await sent
  t.ok((await receiver).stdout.equals(Buffer.from(body, 'latin1')), 'the right ones')
  // Some 3 µs for each.
  t.ok(cpu(program) - from < 1.5, `${cpu(program) - from} s of CPU for 100 000 records`)
})

t.test('a ClientHello in single octets is one all the same', async (t) => {
  const { port } = await startProgram(t, argsFor(first))
  const { createServer } = await import('node:net')
  const { listenOnLoopback } = await import('../../support/loopback.js')
  const relay = createServer((client) => {
    const onward = tcpConnect({ port, host: '127.0.0.1', noDelay: true })
    for (const each of [client, onward]) each.on('error', () => {})
    onward.pipe(client)
    client.on('data', async (data) => {
      client.pause()
      for (const octet of data) await new Promise((resolve) => onward.write(Buffer.from([octet]), resolve))
      client.resume()
    })
    client.on('close', () => onward.destroy())
  })
  t.teardown(() => void relay.close())
  const { code } = await curlDone([
    '-k',
    '-m',
    '20',
    `https://127.0.0.1:${await listenOnLoopback(relay)}/api/v1/pipe/health`,
  ])
  t.equal(code, 0)
})

t.test('alerts and what is behind an end', async (t) => {
  const program = await startProgram(t, argsFor(first))
  const CLOSE_NOTIFY = Buffer.from([1, 0])
  const put = (name: string, length: number) =>
    `PUT /api/v1/pipe/${name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`
  for (const [name, records, rest] of [
    ['fatal', (client: ForgedClient) => [client.record(ALERT, Buffer.from([2, 80]))], 'a fatal alert in the middle'],
    ['notified', (client: ForgedClient) => [client.record(ALERT, CLOSE_NOTIFY)], 'the end announced in the middle'],
    [
      'behind',
      (client: ForgedClient) => [client.record(ALERT, CLOSE_NOTIFY), client.record(DATA, 'x'.repeat(50))],
      'the rest behind the end',
    ],
    [
      'garbage',
      (client: ForgedClient) => [client.record(ALERT, CLOSE_NOTIFY), randomBytes(500)],
      'garbage behind the end',
    ],
    [
      'broken',
      (client: ForgedClient) => [client.record(DATA, 'x'.repeat(50)).fill(0, 20)],
      'a record that was changed',
    ],
    [
      'replayed',
      (client: ForgedClient) => {
        const once = client.record(DATA, 'x'.repeat(25))
        return [once, once]
      },
      'a record twice',
    ],
  ] as const) {
    const client = await ForgedClient.connect(t, program.port)
    const receiver = curl(['-kN', '-m', '20', program.url(name)])
    await eventually(() => waits(program, 1))
    await client.send(client.record(DATA, put(name, 100)), client.record(DATA, 'x'.repeat(50)))
    await receiver.waitFor('x'.repeat(50))
    await client.send(...records(client))
    const { code, stdout } = await receiver.result
    t.ok([18, 56].includes(code!), `${rest}: curl says ${code}, ${stdout.length} bytes`)
    t.notMatch(client.received, 'Transfer complete', rest)
    const from = cpu(program)
    t.equal(await health(program), 0)
    t.ok(cpu(program) - from < 0.3, `${rest}: nothing turns in circles`)
  }
  t.equal(program.logged('transfer').filter(({ reason }) => reason === 'complete').length, 0)
})

t.test("TCP's end without TLS's is a cut: a receiver that waits so is gone", async (t) => {
  const program = await startProgram(t, argsFor(first))
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const announced = await ForgedClient.connect(t, program.port, version)
    const cut = await ForgedClient.connect(t, program.port, version)
    const ask = (name: string) => `GET /api/v1/pipe/${name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
    await announced.send(announced.record(DATA, ask('announced')), announced.record(ALERT, Buffer.from([1, 0])))
    announced.endWire()
    await cut.send(cut.record(DATA, ask('cut')))
    await eventually(() => waits(program, 2))
    cut.endWire()
    await eventually(() => waits(program, 1))
    t.equal(program.logged('transfer').at(-1)!.pipe, 'cut', `${version}: the one that was cut`)
    // The other one has said that it sends no more, and reads on.
    await curlDone(['-k', '-T', '-', program.url('announced')], { input: 'for it' })
    await eventually(() => announced.received.endsWith('for it\r\n0\r\n\r\n') || announced.received)
  }
})
