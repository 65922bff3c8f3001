/**
 * Transfers that go well, with real curls: every arrival order for one, two and three receivers, both framings, and what
 * the sender reads meanwhile.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t, { type Test } from 'tap'
import { type CurlRun, curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, startGateway } from '../../support/gateway.js'
import { connect } from '../../support/raw.js'

type Framing = 'length' | 'chunked'

const MIB = 1024 * 1024

/** Starts a sender or a receiver, and resolves when the gateway has joined it. */
async function endpoint(gateway: Running, name: string, start: () => CurlRun): Promise<CurlRun> {
  const sides = () => {
    const pipe = gateway.gateway.table.get(name)
    return pipe === undefined ? 0 : pipe.receiversPresent + Number(pipe.hasSender)
  }
  const before = sides()
  const { lines } = gateway
  const run = start()
  // The last side starts the transfer, which may be over before anybody looks.
  await eventually(
    () =>
      sides() > before ||
      lines.some((line) => line.msg === 'transfer' && line.pipe === name) ||
      `nobody joined ${name} beside the ${before} that are there`,
  )
  return run
}

/** What a sender reads when it comes as number `position` of `n` receivers and itself. */
function expectedLines(n: number, position: number): string {
  return [
    `[INFO] Waiting for ${n} receiver(s) to connect...`,
    ...(position > 0 ? [`[INFO] ${position} receiver(s) already connected.`] : []),
    ...Array.from({ length: n - position }, (_, i) => `[INFO] A receiver connected, ${position + i + 1} of ${n}.`),
    `[INFO] Streaming to ${n} receiver(s)...`,
    '[INFO] Upload complete.',
    '[INFO] Transfer complete.',
    '',
  ].join('\n')
}

const HASHES = new Map<string, string>()

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function transfer(test: Test, gateway: Running, file: string, n: number, position: number, framing: Framing) {
  const name = `${framing}-${n}-${position}-${file.split('/').at(-1)}`
  const url = gateway.url(`${name}?n=${n}`)
  const outs = Array.from({ length: n }, (_, i) => join(file, '..', `${name}.${i}`))
  const starts = outs.map((out) => () => curl(['-o', out, url]))
  const send = () =>
    framing === 'length' ? curl(['-T', file, url]) : curl(['-T', '-', url], { input: createReadStream(file) })
  starts.splice(position, 0, send)
  const runs: CurlRun[] = []
  for (const start of starts) runs.push(await endpoint(gateway, name, start))
  const results = await Promise.all(runs.map((run) => run.result))
  test.same(
    results.map((result) => result.code),
    results.map(() => 0),
    `${name}: every curl exits 0 ${results.map((result) => result.stderr).join('')}`,
  )
  test.equal(results[position]!.stdout.toString(), expectedLines(n, position), `${name}: the sender's lines`)
  for (const out of outs) test.equal(await hashFile(out), HASHES.get(file), `${name}: the bytes of ${out.at(-1)}`)
}

t.test('every arrival order, both framings, n = 1, 2, 3', async (t) => {
  const gateway = await startGateway(t)
  const dir = t.testdir()
  for (const size of [0, 1, MIB]) {
    const file = join(dir, String(size))
    const bytes = randomBytes(size)
    await writeFile(file, bytes)
    HASHES.set(file, createHash('sha256').update(bytes).digest('hex'))
    for (const n of [1, 2, 3]) {
      for (let position = 0; position <= n; position++) {
        await Promise.all([
          transfer(t, gateway, file, n, position, 'length'),
          transfer(t, gateway, file, n, position, 'chunked'),
        ])
      }
    }
  }
})

t.test('200 MiB, byte for byte', async (t) => {
  const gateway = await startGateway(t)
  const dir = t.testdir()
  const file = join(dir, 'big')
  await pipeline(
    Readable.from(
      (function* () {
        for (let i = 0; i < 200; i++) yield randomBytes(MIB)
      })(),
    ),
    createWriteStream(file),
  )
  HASHES.set(file, await hashFile(file))
  await transfer(t, gateway, file, 1, 0, 'length')
  await transfer(t, gateway, file, 1, 1, 'chunked')
  await transfer(t, gateway, file, 2, 1, 'length')
  await transfer(t, gateway, file, 3, 3, 'chunked')
})

t.test('the two address forms meet', async (t) => {
  const gateway = await startGateway(t)
  const receiver = curl([`${gateway.origin}/some/name`])
  const sender = curl(['-T', '-', gateway.url('some/name')], { input: 'bare and not' })
  t.equal((await receiver.result).stdout.toString(), 'bare and not')
  t.equal((await sender.result).code, 0)
})

t.test('POST sends as PUT does', async (t) => {
  const gateway = await startGateway(t)
  const receiver = curl([gateway.url('post')])
  const sender = curl(['--data-binary', 'posted', gateway.url('post')])
  t.equal((await receiver.result).stdout.toString(), 'posted')
  t.match((await sender.result).stdout.toString(), /Transfer complete\.\n$/)
})

t.test('bytes arrive while the sender still sends', async (t) => {
  for (const framing of ['length', 'chunked'] as const) {
    const gateway = await startGateway(t)
    const receiver = curl(['-N', gateway.url('live')])
    const sender = await connect({ port: gateway.port })
    const head = framing === 'length' ? 'Content-Length: 4' : 'Transfer-Encoding: chunked'
    await sender.send(`PUT /live HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`)
    for (const letter of 'abcd') {
      await sender.send(framing === 'length' ? letter : `1\r\n${letter}\r\n`)
      await receiver.waitFor(letter)
    }
    if (framing === 'chunked') await sender.send('0\r\n\r\n')
    t.equal((await receiver.result).stdout.toString(), 'abcd', framing)
    await sender.waitFor('Transfer complete.')
  }
})

t.test('a name is free, and both connections stay usable, after the transfer', async (t) => {
  const gateway = await startGateway(t)
  const sender = await connect({ port: gateway.port })
  const receiver = await connect({ port: gateway.port })
  let from = 0
  let sentFrom = 0
  for (const body of ['first', 'second', 'third']) {
    await receiver.send('GET /again HTTP/1.1\r\nHost: x\r\n\r\n')
    await gateway.holds(1, 0)
    await sender.send(`PUT /again HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    const response = await receiver.waitForResponse({ from })
    t.equal(response.body.toString(), body)
    from += response.end
    const answer = await sender.waitForResponse({ from: sentFrom })
    t.match(answer.body.toString(), /Transfer complete\.\n$/)
    t.ok(answer.complete, 'the sender gets a clean end')
    sentFrom += answer.end
  }
  sender.destroy()
  receiver.destroy()
})

t.test('?reply=end answers once, with the lines as its body', async (t) => {
  const gateway = await startGateway(t)
  const receiver = curl([gateway.url('late')])
  const sender = curl(['-i', '--fail', '-T', '-', gateway.url('late?reply=end')], { input: 'x' })
  const { code, stdout } = await sender.result
  t.equal(code, 0)
  t.match(stdout.toString(), /^HTTP\/1.1 200 OK\r\n/m)
  t.match(stdout.toString(), /\[INFO\] Upload complete\.\n\[INFO\] Transfer complete\.\n$/)
  t.equal((await receiver.result).stdout.toString(), 'x')
})

t.test('the configuration may make the answer at the end the default, and a sender may differ', async (t) => {
  const gateway = await startGateway(t, { reply: 'end' })
  for (const [name, wanted] of [
    ['a', /^HTTP\/1.1 408 /m],
    ['b?reply=stream', /^HTTP\/1.1 200 /m],
  ] as const) {
    const sender = curl(['-i', '-T', '-', `${gateway.url(name)}${name.includes('?') ? '&' : '?'}wait=1`], {
      input: 'x',
    })
    t.match((await sender.result).stdout.toString(), wanted)
  }
})

t.test('a waiting sender hears who is missing, and a body read while waiting is not lost', async (t) => {
  const gateway = await startGateway(t)
  const body = randomBytes(3 * MIB)
  const sender = curl(['-N', '-T', '-', gateway.url('patient?n=2')], { input: body })
  await sender.waitFor('Waiting for 2 receiver(s) to connect...')
  const one = curl(['-o', '-', gateway.url('patient?n=2')])
  await sender.waitFor('A receiver connected, 1 of 2.')
  t.ok(gateway.gateway.slabs.inUse <= 24, 'a waiting sender holds no more than its window and one read')
  const two = curl([gateway.url('patient?n=2')])
  for (const run of [one, two]) t.ok((await run.result).stdout.equals(body))
  t.equal((await sender.result).code, 0)
})

t.test('the head keeps its distance from 100 Continue, if a proxy is in between', async (t) => {
  const gateway = await startGateway(t)
  const sender = await connect({ port: gateway.port })
  const reads: string[] = []
  sender.onRead = (bytes) => reads.push(bytes.toString('latin1'))
  await sender.send('PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nVia: 1.1 a\r\n\r\n')
  await sender.waitFor('[INFO] Waiting for 1 receiver(s) to connect...\n')
  t.equal(reads[0], 'HTTP/1.1 100 Continue\r\n\r\n')
  t.match(reads[1], /^HTTP\/1\.1 200 OK\r\n/)
  const receiver = curl([gateway.url('a')])
  await sender.waitFor('[INFO] Streaming to 1 receiver(s)...\n')
  await sender.send('hi')
  t.equal((await receiver.result).stdout.toString(), 'hi')
  await sender.waitFor('[INFO] Transfer complete.\n')
  sender.destroy()
})

t.test('an unread file keeps its length and a stream has none', async (t) => {
  const gateway = await startGateway(t)
  const file = join(t.testdir({ f: 'twelve bytes' }), 'f')
  for (const [args, wanted] of [
    [['-T', file], /^Content-Length: 12\r$/m],
    [['-T', '-'], /^Transfer-Encoding: chunked\r$/m],
  ] as const) {
    const receiver = curl(['-i', gateway.url('framing')])
    const sender = curl([...args, gateway.url('framing')], { input: await readFile(file) })
    t.match((await receiver.result).stdout.toString(), wanted)
    await sender.result
    await gateway.holds(0, 0)
  }
})

t.test('pieces of every size reach receivers that read in fits and starts, byte for byte', async (t) => {
  const gateway = await startGateway(t, { window: '128KiB' })
  const total = 96 * MIB
  const source = randomBytes(MIB)
  for (const framing of ['chunked', 'length'] as const) {
    const name = `/fits-${framing}?n=2`
    const receivers = await Promise.all([1, 2].map(() => connect({ port: gateway.port })))
    for (const receiver of receivers) await receiver.send(`GET ${name} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await gateway.holds(1, 0)
    const fits = receivers.map((receiver, i) =>
      setInterval(() => {
        receiver.pause()
        setTimeout(() => receiver.resume(), 2)
      }, 4 + i),
    )
    const sender = await connect({ port: gateway.port })
    const head = framing === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${total}`
    await sender.send(`PUT ${name} HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`)
    const expected = createHash('sha256')
    for (let sent = 0, i = 0; sent < total; i++) {
      // From one byte to 96 KiB, small ones and large ones mixed: they take different ways through the gateway.
      const size = Math.min(total - sent, 1 + ((i * 7919) % (i % 3 === 0 ? 98_304 : 16_384)))
      const piece = source.subarray(i % 4096, (i % 4096) + size)
      expected.update(piece)
      const frame =
        framing === 'chunked' ? [Buffer.from(`${size.toString(16)}\r\n`), piece, Buffer.from('\r\n')] : [piece]
      await sender.send(Buffer.concat(frame))
      sent += size
    }
    if (framing === 'chunked') await sender.send('0\r\n\r\n')
    const digest = expected.digest('hex')
    for (const receiver of receivers) {
      await eventually(() => receiver.receivedBytes > total || receiver.isClosed || 'still coming', {
        timeoutMs: 30_000,
      })
      const { body } = await receiver.waitForResponse()
      t.equal(createHash('sha256').update(body).digest('hex'), digest, framing)
      receiver.destroy()
    }
    for (const each of fits) clearInterval(each)
    await sender.waitFor('Transfer complete.')
    sender.destroy()
  }
})
