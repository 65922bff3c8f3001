/** Both ways over plain HTTP: whole peers, and peers in parts. */
import { createHash, randomBytes } from 'node:crypto'
import { curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { amount } from '../../../support/thorough.js'
import { chunk, joins, nothingLeft, pair, part, peers } from './rig.js'

const MIB = 1024 * 1024

part('two peers: each hears the other, and the head leaves when both are there', async (t) => {
  const gateway = await startGateway(t)
  const one = await joins(gateway, 'd?duplex', 'Content-Type: text/x-one', 'X-Piping: 7')
  await peers(gateway, 1)
  await one.say('early ')
  t.equal(one.raw.text, '', 'no head')
  const another = await joins(gateway)
  await another.hears('early ')
  await eventually(() => one.raw.text.includes('\r\n\r\n') || 'no head yet')
  t.match(one.raw.text, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(one.raw.text, /\r\nTransfer-Encoding: chunked\r\n/)
  t.match(another.raw.text, /\r\nContent-Type: text\/x-one\r\n/)
  t.match(another.raw.text, /\r\nX-Piping: 7\r\n/)
  await one.say('and late')
  await another.hears('early and late')
  await another.say('yes')
  await one.hears('yes')
  await another.say('!')
  await one.hears('yes!')
  await one.end()
  await another.hearsTheEnd()
  await another.end()
  await one.hearsTheEnd()
  await nothingLeft(gateway)
  const lines = gateway.lines.filter(({ msg }) => msg === 'transfer')
  t.match(lines, [
    { pipe: 'd', kind: 'duplex', reason: 'complete', bytesIn: 14 },
    { pipe: 'd', kind: 'duplex', reason: 'complete', bytesIn: 4 },
  ])
  for (const { outcome } of gateway.lines.filter(({ msg }) => msg === 'request')) t.equal(outcome, 'complete')
})

part('an end is a half-close, before the first byte and after many', async (t) => {
  const gateway = await startGateway(t)
  for (const early of [true, false]) {
    const [one, another] = await pair(gateway)
    if (!early) await another.say('x'.repeat(1000))
    await another.end()
    await one.hearsTheEnd()
    t.notOk(one.raw.isClosed)
    for (let i = 0; i < 20; i++) {
      await one.say(`${i},`)
      await another.hears(Array.from({ length: i + 1 }, (_, j) => `${j},`).join(''))
    }
    await one.end()
    await another.hearsTheEnd()
    await nothingLeft(gateway)
    t.notOk(one.raw.isClosed)
  }
})

part('one that only listens, and one with a length', async (t) => {
  const gateway = await startGateway(t)
  const listens = curl(['-s', '-X', 'POST', '--data', '', gateway.url('d?duplex')])
  await peers(gateway, 1)
  const body = randomBytes(3 * MIB)
  const says = await gateway.connect()
  await says.send(`PUT /d?duplex HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`)
  await says.send(body)
  const heard = await says.waitForResponse()
  t.equal(heard.body.length, 0)
  t.equal(heard.headers.connection, undefined)
  t.ok((await listens.result).stdout.equals(body))
  await nothingLeft(gateway)
  t.notOk(says.isClosed)
  await says.send('GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal((await says.waitForResponse({ from: heard.end })).status, 200, 'its connection is kept')
})

part('a connection is kept for one pair after the other, and for more', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = [await gateway.connect(), await gateway.connect()]
  const from = [0, 0]
  const response = async (i: 0 | 1) => {
    const got = await [one, another][i]!.waitForResponse({ from: from[i]! })
    from[i]! += got.end
    return got.body.toString()
  }
  for (let round = 0; round < amount(30, 1000); round++) {
    for (const each of [one, another]) {
      await each.send('POST /d?duplex HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
      await each.send(chunk(`round ${round}`))
      if (each === one) await peers(gateway, 1)
    }
    const [first, second] = round % 2 === 0 ? [0, 1] : ([1, 0] as const)
    await [one, another][first]!.send('0\r\n\r\n')
    t.equal(await response(second as 0 | 1), `round ${round}`, 'all of it, while its own request goes on')
    await [one, another][second]!.send('0\r\n\r\nGET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n')
    t.equal(await response(first as 0 | 1), `round ${round}`)
    t.match(await response(second as 0 | 1), /"status"/, 'the request behind it')
  }
  await nothingLeft(gateway)
})

part('much, both ways at once, byte for byte', async (t) => {
  const gateway = await startGateway(t)
  const bytes = amount(32, 512) * MIB
  const hash = (body: Buffer) => createHash('sha256').update(body).digest('hex')
  const [a, b] = [randomBytes(bytes), randomBytes(bytes + 12_345)]
  const first = curl(['-s', '-N', '-T', '-', gateway.url('d?duplex')], { input: a })
  const [one, another] = [first, curl(['-s', '-N', '-T', '-', gateway.url('d?duplex')], { input: b })]
  const [heardByOne, heardByAnother] = await Promise.all([one.result, another.result])
  t.equal(heardByOne.code, 0)
  t.equal(heardByAnother.code, 0)
  t.equal(hash(heardByOne.stdout), hash(b))
  t.equal(hash(heardByAnother.stdout), hash(a))
  await nothingLeft(gateway)
})

part('a peer that does not read holds the other one, and the window is all that is held', async (t) => {
  const gateway = await startGateway(t, { window: '256KiB' })
  const [slow, fast] = await pair(gateway)
  slow.raw.pause()
  const piece = chunk(Buffer.alloc(64 * 1024, 'x'))
  let sent = 0
  let isStuck = false
  const pump = async () => {
    for (; !isStuck; sent++) await fast.raw.send(piece)
  }
  void pump().catch(() => {})
  let before = -1
  await eventually(
    () => {
      const isQuiet = sent === before
      before = sent
      return (isQuiet && sent > 0) || 'it is still sending'
    },
    { everyMs: 300 },
  )
  isStuck = true
  t.ok(gateway.gateway.slabs.heldBytes <= 1024 * 1024, `${gateway.gateway.slabs.heldBytes} bytes held`)
  await slow.say('the other way is free')
  await fast.hears('the other way is free')
  slow.raw.resume()
  await eventually(() => slow.heard.length >= sent * 64 * 1024 || `${slow.heard.length} of ${sent}`)
  slow.raw.destroy()
  await fast.isCut()
  await nothingLeft(gateway)
})

for (const how of ['disconnects', 'resets', 'breaks its body'] as const) {
  part(`one ${how}: the other is cut, whatever it heard before`, async (t) => {
    const gateway = await startGateway(t)
    const [one, another] = await pair(gateway)
    await one.say('a')
    await another.hears('a')
    if (how === 'disconnects') one.raw.destroy()
    else if (how === 'resets') one.raw.reset()
    else await one.raw.send('zz\r\n')
    await another.isCut()
    await nothingLeft(gateway)
    const reasons = gateway.lines.filter(({ msg }) => msg === 'transfer').map(({ reason }) => reason)
    t.same(
      reasons.sort(),
      how === 'breaks its body' ? ['broken_body', 'broken_body'] : ['receivers_left', 'sender_left'],
    )
  })
}

part('one that has heard everything is cut when the other one goes', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await pair(gateway)
  await another.end()
  await one.hearsTheEnd()
  await one.say('more')
  await another.hears('more')
  another.raw.destroy()
  await one.raw.waitForClose()
  await nothingLeft(gateway)
  t.equal(gateway.lines.filter(({ outcome }) => outcome === 'cut').length, 1)
})

part('nobody comes: a true status', async (t) => {
  const gateway = await startGateway(t)
  const alone = await curlDone(['-si', '-X', 'PUT', '--data', 'x', gateway.url('d?duplex&wait=1')])
  t.match(alone.stdout.toString(), /^HTTP\/1\.1 408 [\s\S]*\[ERROR\] Timed out waiting for the other peer\.\n$/)
  const now = await curlDone(['-si', '-X', 'PUT', '--data', 'x', gateway.url('d?duplex&now')])
  t.match(now.stdout.toString(), /^HTTP\/1\.1 503 [\s\S]*Nobody is waiting/)
  await nothingLeft(gateway)
})

part('a third peer, other kinds, and what makes no sense', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await pair(gateway)
  const status = async (...args: string[]) =>
    (await curlDone(['-s', '-o', '/dev/null', '-w', '%{http_code}', ...args])).stdout.toString()
  t.equal(await status('-T', '/dev/null', gateway.url('d?duplex')), '409')
  t.equal(await status('-T', '/dev/null', gateway.url('d?duplex=a')), '409')
  t.equal(await status(gateway.url('d?duplex=b')), '409')
  t.equal(await status('-T', '/dev/null', gateway.url('d')), '409')
  t.equal(await status(gateway.url('d')), '409')
  t.equal(await status(gateway.url('e?duplex')), '405')
  t.equal(await status('-T', '/dev/null', gateway.url('e?duplex=c')), '400')
  t.equal(await status('-T', '/dev/null', gateway.url('e?duplex&n=2')), '400')
  t.equal(await status('-T', '/dev/null', gateway.url('e?duplex&sha256')), '400')
  t.equal(await status('-T', '/dev/null', gateway.url('e?duplex&reply=end')), '400')
  t.equal(await status('-T', '/dev/null', gateway.url('e?duplex&queue')), '400')
  await one.say('undisturbed')
  await another.hears('undisturbed')
  await one.end()
  await another.end()
  await nothingLeft(gateway)
})

part('in parts: a PUT for what one says, a GET for what it hears', async (t) => {
  const gateway = await startGateway(t)
  const hearsA = curl(['-s', gateway.url('d?duplex=a')])
  await peers(gateway, 1)
  const saysB = curl(['-s', '-T', '-', gateway.url('d?duplex=b')], { input: 'from b' })
  t.equal((await hearsA.result).stdout.toString(), 'from b')
  const told = (await saysB.result).stdout.toString()
  t.match(told, /\[INFO\] Upload complete\.\n\[INFO\] Transfer complete\.\n$/)
  const hearsB = curl(['-s', gateway.url('d?duplex=b')])
  await peers(gateway, 1)
  const saysA = await curlDone(['-s', '-T', '-', gateway.url('d?duplex=a')], { input: 'from a' })
  t.match(saysA.stdout.toString(), /Transfer complete/)
  t.equal((await hearsB.result).stdout.toString(), 'from a')
  await nothingLeft(gateway)
})

part('in parts with a whole peer', async (t) => {
  const gateway = await startGateway(t)
  const one = await joins(gateway)
  await peers(gateway, 1)
  const hears = curl(['-s', '-N', gateway.url('d?duplex=a')])
  await eventually(() => one.raw.text === '' || 'a head, and nobody says anything')
  const says = curl(['-s', '-N', '-T', '-', gateway.url('d?duplex=a')])
  await one.say('ping')
  await eventually(() => hears.stdoutText === 'ping' || hears.stdoutText)
  says.stdin.write('pong')
  await one.hears('pong')
  says.stdin.end()
  await one.hearsTheEnd()
  t.match((await says.result).stdout.toString(), /Transfer complete/)
  await one.end()
  t.equal((await hears.result).code, 0)
  await nothingLeft(gateway)
})

part('in parts: one direction is cut, and so is the other', async (t) => {
  const gateway = await startGateway(t)
  const says = curl(['-s', '-N', '-T', '-', gateway.url('d?duplex=a')])
  const hears = curl(['-s', '-N', gateway.url('d?duplex=b')])
  const saysBack = curl(['-s', '-N', '-T', '-', gateway.url('d?duplex=b')])
  const hearsBack = curl(['-s', '-N', gateway.url('d?duplex=a')])
  says.stdin.write('x')
  saysBack.stdin.write('y')
  await eventually(() => (hears.stdoutText === 'x' && hearsBack.stdoutText === 'y') || 'not all of it yet')
  process.kill(says.pid!, 'SIGKILL')
  t.not((await hears.result).code, 0)
  t.not((await hearsBack.result).code, 0)
  // curl waits for its standard input before it looks.
  saysBack.stdin.end()
  t.match((await saysBack.result).stdout.toString(), /\[ERROR\] Transfer failed: the other peer disconnected/)
  await nothingLeft(gateway)
})

part('an end that comes while bytes are on their way', async (t) => {
  const gateway = await startGateway(t)
  for (let round = 0; round < amount(20, 500); round++) {
    const [one, another] = await pair(gateway)
    const said = randomBytes(1 + Math.floor(Math.random() * 3 * MIB)).toString('latin1')
    await Promise.all([
      one.raw.send(Buffer.concat([chunk(Buffer.from(said, 'latin1')), Buffer.from('0\r\n\r\n')])),
      another.end(),
      one.hearsTheEnd(),
      another.hearsTheEnd(),
    ])
    if (another.heard !== said) t.fail(`round ${round}: ${another.heard.length} of ${said.length}`)
    for (const each of [one, another]) each.raw.destroy()
  }
  await nothingLeft(gateway)
})

part('the operator shuts down: a pair goes on until it has ended', async (t) => {
  const gateway = await startGateway(t)
  const [one, another] = await pair(gateway)
  const stopped = gateway.gateway.stop(10_000)
  await one.say('last words')
  await another.hears('last words')
  await one.end()
  await another.hearsTheEnd()
  await another.end()
  await one.hearsTheEnd()
  await stopped
  t.pass('it has stopped')
})
