/**
 * Every way a transfer can end, provoked over real sockets: what the log calls it, what each side sees, and that nobody
 * takes it for complete.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { END_REASONS, type EndReason } from '../../../core/index.js'
import { definePlugin, type Host, PLUGIN_API, type Plugin, z } from '../../../gateway/host/plugin-api.js'
import { curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { type Running, speaksTls, startGateway } from '../../support/gateway.js'
import { parseResponse, type RawClient } from '../../support/raw.js'

const MIB = 1024 * 1024
const seen = new Set<EndReason>()

/** The reason that the log gives for the transfer of this name. */
async function reasonOf(gateway: Running, name: string): Promise<EndReason> {
  const reason = await gateway.ended(name)
  seen.add(reason)
  return reason
}

type Framing = 'length' | 'chunked'
const FRAMINGS: readonly Framing[] = ['length', 'chunked']

/** A sender that announces 1 MiB, or any length, and sends only what it is told to. */
async function openSender(gateway: Running, target: string, framing: Framing): Promise<RawClient> {
  const sender = await gateway.connect()
  const length = framing === 'length' ? `Content-Length: ${MIB}` : 'Transfer-Encoding: chunked'
  await sender.send(`PUT /${target} HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n`)
  return sender
}

async function sendPart(sender: RawClient, framing: Framing, bytes: string): Promise<void> {
  await sender.send(framing === 'length' ? bytes : `${bytes.length.toString(16)}\r\n${bytes}\r\n`)
}

async function openReceiver(gateway: Running, target: string): Promise<RawClient> {
  const receiver = await gateway.connect()
  await receiver.send(`GET /${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return receiver
}

/** A receiver that has asked and never reads. */
async function openFrozenReceiver(gateway: Running, target: string): Promise<RawClient> {
  const receiver = await gateway.connect({ pauseOnConnect: true })
  await receiver.send(`GET /${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return receiver
}

/** A sender that sends zeros as fast as it may, until it is over. */
function pour(gateway: Running, target: string, bytes: number) {
  return curl(['-N', '-T', '-', `${gateway.origin}/${target}`], { input: Buffer.alloc(bytes) })
}

function endsBadly(t: Test, client: RawClient, line: string): void {
  const response = parseResponse(client.received)
  t.equal(response.status, 200)
  t.equal(response.body.toString().trimEnd().split('\n').at(-1), line)
  t.notOk(response.complete, 'the response has no clean end')
}

t.jobs = 4
const parts: Promise<unknown>[] = []
const part = (name: string, run: (t: Test) => Promise<void>) => parts.push(t.test(name, run))
/** The helper sees no decrypted bytes, so over TLS a chunked body is what uWebSockets takes it for. */
const plainPart = speaksTls() ? () => {} : part

part('the sender goes away in mid-body: reset, closed, half-closed', async (t) => {
  const gateway = await startGateway(t)
  for (const framing of FRAMINGS) {
    for (const way of ['reset', 'destroy', 'halfClose'] as const) {
      const name = `${framing}-${way}`
      const receiver = curl([`${gateway.origin}/${name}`])
      const sender = await openSender(gateway, name, framing)
      await sendPart(sender, framing, 'half of it')
      await eventually(() => gateway.gateway.table.get(name)?.bytesOut === 10 || 'not ten bytes out')
      sender[way]()
      t.equal(await reasonOf(gateway, name), 'sender_left', name)
      const { code, stdout } = await receiver.result
      t.equal(code, 18, `${name}: curl knows that the transfer is partial`)
      t.equal(stdout.toString(), 'half of it', `${name}: what came is right`)
      await gateway.holds(0, 0)
    }
  }
})

part('a sender that goes away before its first byte leaves a chunked receiver with a status', async (t) => {
  const gateway = await startGateway(t)
  const receiver = curl(['-i', `${gateway.origin}/early`])
  await gateway.holds(1, 0)
  const sender = await openSender(gateway, 'early', 'chunked')
  await gateway.holds(0, 1)
  sender.reset()
  t.equal(await reasonOf(gateway, 'early'), 'sender_left')
  const { code, stdout } = await receiver.result
  t.equal(code, 0)
  t.match(stdout.toString(), /^HTTP\/1.1 502 [\s\S]*\r\n\r\n\[ERROR\] Transfer failed: the sender disconnected/)
})

part('a sender that dies like a process, by SIGKILL', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect({ keep: false })
  await receiver.send('GET /killed HTTP/1.1\r\nHost: x\r\n\r\n')
  const sender = curl(['--limit-rate', '5M', '-T', '-', `${gateway.origin}/killed`], { input: randomBytes(20 * MIB) })
  await eventually(() => receiver.receivedBytes > MIB || `${receiver.receivedBytes} bytes have come`)
  sender.kill()
  t.equal(await reasonOf(gateway, 'killed'), 'sender_left')
  await receiver.waitForClose()
})

part('a sender that leaves after its last byte has done its part', async (t) => {
  const gateway = await startGateway(t)
  const body = randomBytes(6 * MIB)
  for (const way of ['destroy', 'halfClose', 'reset'] as const) {
    const receiver = await openFrozenReceiver(gateway, way)
    await gateway.holds(1, 0)
    const sender = await gateway.connect()
    await sender.send(`PUT /${way} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`)
    const sent = sender.send(body)
    receiver.resume()
    await sent
    await sender.waitFor('Upload complete.')
    sender[way]()
    const response = await receiver.waitForResponse()
    t.ok(response.body.equals(body), `${way}: the receiver has all of it`)
    t.equal(await reasonOf(gateway, way), 'complete', way)
    receiver.destroy()
  }
})

part('the only receiver goes away: the sender reads why and its curl fails', async (t) => {
  const gateway = await startGateway(t)
  for (const way of ['reset', 'destroy', 'halfClose'] as const) {
    const receiver = await openFrozenReceiver(gateway, way)
    const sender = pour(gateway, way, 32 * MIB)
    await gateway.holds(0, 1)
    receiver[way]()
    t.equal(await reasonOf(gateway, way), 'receivers_left', way)
    const { code, stdout } = await sender.result
    t.not(code, 0, `${way}: curl exits non-zero (${code})`)
    t.match(stdout.toString(), /\n\[ERROR\] All receivers disconnected before transfer completed\.\n$/, way)
    await gateway.holds(0, 0)
  }
})

part('one of three receivers goes away: the other two get every byte', async (t) => {
  const gateway = await startGateway(t)
  const body = randomBytes(24 * MIB)
  for (const way of ['reset', 'destroy', 'halfClose'] as const) {
    const name = `three-${way}`
    const stays = [1, 2].map(() => curl([`${gateway.origin}/${name}?n=3`]))
    const leaves = await openFrozenReceiver(gateway, `${name}?n=3`)
    const sender = curl(['-N', '-T', '-', `${gateway.origin}/${name}?n=3`], { input: body })
    await eventually(() => (gateway.gateway.table.get(name)?.bytesIn ?? 0) > MIB || 'nothing flows')
    leaves[way]()
    for (const run of stays) t.ok((await run.result).stdout.equals(body), `${way}: byte for byte`)
    const { code, stdout } = await sender.result
    t.equal(code, 0, way)
    t.match(stdout.toString(), /\n\[INFO\] A receiver disconnected\.\n[\s\S]*\n\[INFO\] Transfer complete\.\n$/, way)
    t.equal(await reasonOf(gateway, name), 'complete')
  }
})

part('nobody comes: the sender reads it, its curl fails, and its receivers keep waiting', async (t) => {
  const gateway = await startGateway(t)
  const receiver = curl([`${gateway.origin}/lonely?n=2&wait=60`])
  await gateway.holds(1, 0)
  const sender = curl(['-T', '-', `${gateway.origin}/lonely?n=2&wait=1`], { input: Buffer.alloc(8 * MIB) })
  const { code, stdout } = await sender.result
  t.not(code, 0, `curl exits non-zero (${code})`)
  t.match(stdout.toString(), /\n\[ERROR\] Timed out waiting for receivers\.\n$/)
  await gateway.holds(1, 0)
  const others = [
    curl([`${gateway.origin}/lonely?n=2`]),
    curl(['-T', '-', `${gateway.origin}/lonely?n=2`], { input: 'the next one' }),
  ]
  t.equal((await receiver.result).stdout.toString(), 'the next one')
  for (const run of others) t.equal((await run.result).code, 0)
  const alone = curl(['-T', '-', `${gateway.origin}/alone?wait=1`], { input: 'x' })
  const result = await alone.result
  // 18: the end is missing. 56: reset, because the last few bytes of the body were not read.
  t.ok([18, 56].includes(result.code ?? 0), `curl exits non-zero: ${result.code} ${result.stderr}`)
  t.equal(await reasonOf(gateway, 'alone'), 'no_receivers')
})

part('?reply=end tells the outcome by its status', async (t) => {
  const gateway = await startGateway(t, { idle: '1' })
  const status = async (target: string, more: () => Promise<unknown> = async () => {}) => {
    const args = ['-o', '/dev/null', '-w', '%{http_code}', '-T', '-', `${gateway.origin}/${target}`]
    const sender = curl(args, { input: Buffer.alloc(32 * MIB) })
    await more()
    return (await sender.result).stdout.toString()
  }
  t.equal(await status('nobody?reply=end&wait=1'), '408')
  const leaves = await openFrozenReceiver(gateway, 'left')
  t.equal(await status('left?reply=end', async () => gateway.holds(0, 1).then(() => leaves.reset())), '502')
  const frozen = await openFrozenReceiver(gateway, 'frozen')
  t.equal(await status('frozen?reply=end'), '504')
  frozen.destroy()
  t.equal(
    await status('late?reply=end', async () => gateway.holds(1, 0).then(() => void gateway.gateway.stop(0))),
    '503',
  )
})

part('no sender comes: the receiver gets a 408', async (t) => {
  const gateway = await startGateway(t)
  const receiver = curl(['-i', `${gateway.origin}/empty?wait=1`])
  t.match(
    (await receiver.result).stdout.toString(),
    /^HTTP\/1.1 408 [\s\S]*\n\[ERROR\] Timed out waiting for sender\.\n$/,
  )
  t.equal(await reasonOf(gateway, 'empty'), 'no_sender')
  const sender = curl(['-T', '-', `${gateway.origin}/half?n=2`], { input: 'x' })
  await gateway.holds(1, 0)
  const early = curl(['-i', `${gateway.origin}/half?n=2&wait=1`])
  t.match(
    (await early.result).stdout.toString(),
    /^HTTP\/1.1 408 [\s\S]*\n\[ERROR\] Timed out waiting for receivers\.\n$/,
  )
  t.equal(gateway.gateway.table.get('half')?.hasSender, true, 'the sender waits on')
  sender.kill()
  await gateway.holds(0, 0)
})

part('everybody who waited leaves', async (t) => {
  const gateway = await startGateway(t)
  for (const way of ['reset', 'destroy', 'halfClose'] as const) {
    const receiver = await openReceiver(gateway, `gone-${way}`)
    await gateway.holds(1, 0)
    receiver[way]()
    t.equal(await reasonOf(gateway, `gone-${way}`), 'abandoned', way)
  }
  const sender = await gateway.connect()
  await sender.send('PUT /gone HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody')
  await sender.waitFor('Waiting for 1')
  sender.destroy()
  t.equal(await reasonOf(gateway, 'gone'), 'abandoned', 'a sender whose body has been read is noticed at once')
})

part('a slot of a waiting side that left is free again', async (t) => {
  const gateway = await startGateway(t)
  const first = await openReceiver(gateway, 'slot?n=2')
  const second = curl([`${gateway.origin}/slot?n=2`])
  await eventually(() => gateway.gateway.table.get('slot')?.receiversPresent === 2 || 'not both there')
  first.reset()
  await eventually(() => gateway.gateway.table.get('slot')?.receiversPresent === 1 || 'still both there')
  const third = curl([`${gateway.origin}/slot?n=2`])
  const sender = curl(['-T', '-', `${gateway.origin}/slot?n=2`], { input: 'for two' })
  for (const run of [second, third]) t.equal((await run.result).stdout.toString(), 'for two')
  t.equal((await sender.result).code, 0)
})

part('nothing moves for the idle limit', async (t) => {
  const gateway = await startGateway(t, { idle: '1' })
  for (const framing of FRAMINGS) {
    const name = `idle-${framing}`
    const receiver = curl([`${gateway.origin}/${name}`])
    const sender = await openSender(gateway, name, framing)
    await sendPart(sender, framing, 'then nothing')
    t.equal(await reasonOf(gateway, name), 'idle')
    t.equal((await receiver.result).code, 18)
    await sender.waitForClose()
    endsBadly(t, sender, '[ERROR] Transfer idle for too long.')
  }
})

part('a transfer that is slower than the server allows', async (t) => {
  const gateway = await startGateway(t, { minRate: '100kB', minRatePeriod: '2' })
  const reader = curl([`${gateway.origin}/fast-enough`])
  const fast = curl(['--limit-rate', '1M', '-T', '-', `${gateway.origin}/fast-enough`], { input: randomBytes(5 * MIB) })
  for (const framing of FRAMINGS) {
    const name = `trickle-${framing}`
    const receiver = curl([`${gateway.origin}/${name}`])
    const sender = await openSender(gateway, name, framing)
    const trickle = setInterval(() => void sendPart(sender, framing, 'drop'), 100)
    t.equal(await reasonOf(gateway, name), 'too_slow')
    clearInterval(trickle)
    t.equal((await receiver.result).code, 18)
    await sender.waitForClose()
    endsBadly(t, sender, '[ERROR] Transfer failed: it was slower than the server allows.')
  }
  t.equal((await reader.result).code, 0)
  t.equal((await fast.result).code, 0, 'one that is fast enough is left alone')
})

part('?stall cuts the receiver that takes nothing, and only that one', async (t) => {
  const gateway = await startGateway(t)
  const body = randomBytes(24 * MIB)
  const frozen = await openFrozenReceiver(gateway, 'stall?n=2')
  const takes = curl([`${gateway.origin}/stall?n=2`])
  const sender = curl(['-N', '-T', '-', `${gateway.origin}/stall?n=2&stall=1`], { input: body })
  t.ok((await takes.result).stdout.equals(body))
  t.match((await sender.result).stdout.toString(), /A receiver disconnected\.\n[\s\S]*Transfer complete\.\n$/)
  frozen.resume()
  await frozen.waitForClose()
  t.notOk(parseResponse(frozen.received).complete, 'the frozen one sees that it has not got all')
  const alone = await openFrozenReceiver(gateway, 'stalled')
  const unheard = pour(gateway, 'stalled?stall=1', 32 * MIB)
  t.equal(await reasonOf(gateway, 'stalled'), 'receivers_stalled')
  t.match((await unheard.result).stdout.toString(), /\[ERROR\] Transfer failed: no receiver took any data/)
  alone.destroy()
})

part('as many transfers stream as may', async (t) => {
  const gateway = await startGateway(t, { maxActive: '1' })
  const busy = await openSender(gateway, 'busy', 'chunked')
  const listener = await openReceiver(gateway, 'busy')
  await gateway.holds(0, 1)
  const receiver = curl(['-i', `${gateway.origin}/crowded`])
  await gateway.holds(1, 1)
  const sender = curl(['-T', '-', `${gateway.origin}/crowded`], { input: 'x' })
  t.match(
    (await receiver.result).stdout.toString(),
    /^HTTP\/1.1 429 [\s\S]*\r\nRetry-After: 5\r\n[\s\S]*\[ERROR\] Server at max/,
  )
  t.match((await sender.result).stdout.toString(), /\[ERROR\] Server at maximum active transfer capacity\.\n$/)
  t.equal(await reasonOf(gateway, 'crowded'), 'too_many_active')
  await sendPart(busy, 'chunked', 'undisturbed')
  await listener.waitFor('undisturbed')
  busy.destroy()
})

part('the memory for bytes that nobody has taken is used up', async (t) => {
  const gateway = await startGateway(t, { memory: '1MiB', window: '64KiB' })
  // Each transfer with one receiver that reads and one that does not holds what came since; twenty cannot.
  const targets = Array.from({ length: 20 }, (_, i) => `held-${i}?n=2`)
  const frozen = await Promise.all(targets.map((target) => openFrozenReceiver(gateway, target)))
  const readers = targets.map((target) => curl(['-o', '/dev/null', `${gateway.origin}/${target}`]))
  const { table } = gateway.gateway
  const isReady = (target: string) => table.get(target.replace('?n=2', ''))?.receiversPresent === 2
  await eventually(() => targets.every(isReady) || 'not all receivers are there')
  const senders = targets.map((target) => pour(gateway, target, 32 * MIB))
  await eventually(() => {
    return gateway.lines.some((line) => line.reason === 'overflow') || 'every transfer found room'
  })
  seen.add('overflow')
  const failed = gateway.lines.find((line) => line.reason === 'overflow')!
  const { code, stdout } = await senders[Number(String(failed.pipe).slice(5))]!.result
  t.not(code, 0)
  t.match(stdout.toString(), /\[ERROR\] Transfer failed: the server has no memory left for bytes in flight\.\n$/)
  for (const receiver of frozen) receiver.destroy()
  for (const run of [...senders, ...readers]) await run.result
})

part('an upload that is refused while the gateway goes down is given time to read why', async (t) => {
  const gateway = await startGateway(t)
  const streams = await openSender(gateway, 'last-transfer', 'chunked')
  const listens = curl([`${gateway.origin}/last-transfer`])
  await gateway.holds(0, 1)
  const uploads = await gateway.connect()
  const health = 'GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n'
  await uploads.send(health)
  await uploads.waitForResponse()
  const stopped = gateway.gateway.stop(60_000)
  const from = uploads.receivedBytes
  await uploads.send('PUT /late HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nx')
  const { status } = await uploads.waitForResponse({ from })
  t.equal(status, 503)
  // Nothing else keeps the gateway any more.
  streams.destroy()
  await stopped
  const refused = gateway.lines.find((line) => line.code === 'SHUTTING_DOWN')!
  const ms = Date.now() - Number(refused.time)
  t.ok(ms >= 450, `it had ${ms} ms`)
  await uploads.waitForClose()
  await listens.result
})

part('the gateway goes down', async (t) => {
  const gateway = await startGateway(t)
  const waits = curl(['-i', `${gateway.origin}/down-waits`])
  const sends = curl(['-N', '-T', '-', `${gateway.origin}/down-sends`], { input: 'x' })
  const streams = await openSender(gateway, 'down-streams', 'chunked')
  const listens = curl([`${gateway.origin}/down-streams`])
  await gateway.holds(2, 1)
  await sendPart(streams, 'chunked', 'part')
  await eventually(() => gateway.gateway.table.get('down-streams')?.bytesOut === 4 || 'the part is on its way')
  await gateway.gateway.stop(0)
  t.match(
    (await waits.result).stdout.toString(),
    /^HTTP\/1.1 503 [\s\S]*Retry-After: 5[\s\S]*\[ERROR\] Server shutting down\.\n$/,
  )
  const { code, stdout } = await sends.result
  t.not(code, 0)
  t.match(stdout.toString(), /\[ERROR\] Server shutting down\.\n$/)
  t.not((await listens.result).code, 0)
  await streams.waitForClose()
  endsBadly(t, streams, '[ERROR] Server shutting down.')
  for (const name of ['down-waits', 'down-sends', 'down-streams']) {
    t.equal(await reasonOf(gateway, name), 'shutting_down', name)
  }
})

part('a defect of ours ends that transfer and touches no other', async (t) => {
  const gateway = await startGateway(t)
  const other = curl([`${gateway.origin}/other`])
  const receiver = await openFrozenReceiver(gateway, 'defect')
  await gateway.holds(2, 0)
  const { slabs } = gateway.gateway
  const take = slabs.acquire.bind(slabs)
  slabs.acquire = () => {
    throw new Error('planted')
  }
  const sender = pour(gateway, 'defect', 32 * MIB)
  t.equal(await reasonOf(gateway, 'defect'), 'fault')
  slabs.acquire = take
  t.match((await sender.result).stdout.toString(), /\[ERROR\] Transfer failed: internal error\.\n$/)
  t.ok(
    gateway.lines.some((line) => line.msg.includes('defect') && line.level === 50),
    'the log has it',
  )
  t.equal((await curl(['-T', '-', `${gateway.origin}/other`], { input: 'fine' }).result).code, 0)
  t.equal((await other.result).stdout.toString(), 'fine')
  receiver.destroy()
})

part('a defect of ours at the end of a turn, in a callback of the receiver, or in joining', async (t) => {
  const gateway = await startGateway(t)
  const { table } = gateway.gateway
  const plant = (name: string) => {
    // The pipe itself stands behind the view that the table shows.
    const pipe = table.get(name) as unknown as { sender: { fanOut: { drained(): void } } }
    pipe.sender.fanOut.drained = () => {
      throw new Error('planted')
    }
  }
  const listener = await openReceiver(gateway, 'turn')
  const sender = await openSender(gateway, 'turn', 'chunked')
  await sendPart(sender, 'chunked', 'sound')
  await listener.waitFor('sound')
  plant('turn')
  await sendPart(sender, 'chunked', 'broken')
  t.equal(await reasonOf(gateway, 'turn'), 'fault', 'at the end of a turn')
  await listener.waitForClose()
  t.notOk(parseResponse(listener.received).complete)

  const frozen = await openFrozenReceiver(gateway, 'writable')
  const pours = pour(gateway, 'writable', 32 * MIB)
  await eventually(() => gateway.gateway.slabs.heldBytes > 0 || 'nothing is held')
  plant('writable')
  frozen.resume()
  t.equal(await reasonOf(gateway, 'writable'), 'fault', 'when the receiver can take bytes again')
  await pours.result

  const waits = await openReceiver(gateway, 'join')
  await gateway.holds(1, 0)
  const { clock } = table
  const expect = clock.after.bind(clock)
  clock.after = () => {
    throw new Error('planted')
  }
  const joins = await curl(['-i', '-T', '-', `${gateway.origin}/join`], { input: 'x' }).result
  clock.after = expect
  t.match(joins.stdout.toString(), /\n\[ERROR\] Transfer failed: internal error\.\n$/)
  t.not(joins.code, 0)
  t.equal(await reasonOf(gateway, 'join'), 'fault', 'in joining')
  t.match((await waits.waitForResponse()).status, 500)
  t.equal((await curl([`${gateway.url('health')}`]).result).code, 0, 'and the gateway lives on')
})

part('clients that need it get a clean end of a failed transfer', async (t) => {
  const gateway = await startGateway(t, { failedEnd: 'clean' })
  const sender = curl(['-T', '-', `${gateway.origin}/clean?wait=1`], { input: 'x' })
  const { code, stdout } = await sender.result
  t.equal(code, 0)
  t.match(stdout.toString(), /\n\[ERROR\] Timed out waiting for receivers\.\n$/)
})

part('what a receiver says while it downloads never ends up in its download', async (t) => {
  const gateway = await startGateway(t)
  for (const junk of ['\r\n\r\n', 'GET / HTTP/1.0\r\n\r\n', `GET /${'x'.repeat(40_000)} HTTP/1.1\r\n`, '\x00\xff']) {
    const rude = await openReceiver(gateway, 'rude-length')
    const sender = await gateway.connect()
    // Less is missing than an error page of uWebSockets is long.
    await sender.send('PUT /rude-length HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n')
    await sender.send('a'.repeat(40))
    await rude.waitFor('a'.repeat(40))
    await rude.send(junk)
    await rude.waitForClose()
    const { body, complete } = parseResponse(rude.received)
    t.equal(body.toString(), 'a'.repeat(40), 'nothing but the stream')
    t.notOk(complete)
    await sender.waitFor('All receivers disconnected')
    sender.destroy()
    await gateway.holds(0, 0)
  }
  const withBody = await gateway.connect()
  await withBody.send('GET /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  t.equal((await withBody.waitForResponse()).status, 400)
  withBody.destroy()
})

part('a connection takes its next request after it was received on, and talked to nobody', async (t) => {
  const gateway = await startGateway(t)
  const receiver = await gateway.connect()
  await receiver.send('GET /polite?wait=1 HTTP/1.1\r\nHost: x\r\n\r\n')
  const first = await receiver.waitForResponse()
  t.equal(first.status, 408)
  await receiver.send('GET /polite HTTP/1.1\r\nHost: x\r\n\r\n')
  await gateway.holds(1, 0)
  const sender = await openSender(gateway, 'polite', 'chunked')
  await gateway.holds(0, 1)
  sender.destroy()
  const second = await receiver.waitForResponse({ from: first.end })
  t.equal(second.status, 502, 'it had begun, but nothing had been sent')
  await receiver.send('GET /api/v1/pipe/health HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal((await receiver.waitForResponse({ from: first.end + second.end })).status, 200)
  receiver.destroy()
})

/** Receives `name`, sends these packets as a request to it, each in a read of its own, and says what both sides saw. */
async function sendPackets(gateway: Running, name: string, packets: readonly string[]) {
  const receiver = await openReceiver(gateway, name)
  await eventually(() => gateway.gateway.table.get(name) !== undefined || 'the receiver is not there')
  const sender = await gateway.connect()
  for (const packet of packets) {
    await sender.send(packet)
    // Long enough for the packet to be read alone: how the bytes are cut into reads is what is varied here.
    await sleep(3)
  }
  return { receiver, sender }
}

const CHUNKED_HEAD = (name: string) => `PUT /${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`

plainPart('a body whose chunks are not what their sizes say never looks complete', async (t) => {
  const gateway = await startGateway(t)
  const broken: Record<string, string> = {
    'a chunk longer than its size': '3\r\nabcde\r\n0\r\n\r\n',
    'two bytes instead of a line break': '3\r\nabcXX0\r\n\r\n',
    'a chunk shorter than its size': '9\r\nabc\r\n0\r\n\r\n0\r\n\r\n',
    'an extension': '3;a=b\r\nabc\r\n0\r\n\r\n',
    'a size that is none': '3\r\nabc\r\ng\r\n0123456789abcdef\r\n0\r\n\r\n',
    'an empty size': '3\r\nabc\r\n\r\n\r\n',
    'a space before the size': '3\r\nabc\r\n 3\r\nabc\r\n0\r\n\r\n',
    'an empty size at first': '\r\nabc\r\n0\r\n\r\n',
    'a space before the first size': ' 3\r\nabc\r\n0\r\n\r\n',
    'a wrong end': '3\r\nabc\r\n0\r\nXX',
    'a wrong end of an empty body': '0\r\nXX',
  }
  let i = 0
  for (const [what, body] of Object.entries(broken)) {
    for (const packets of [
      [CHUNKED_HEAD(`broken-${i}`) + body],
      [CHUNKED_HEAD(`broken-${i + 1}`), body],
      [CHUNKED_HEAD(`broken-${i + 2}`), body.slice(0, 5), body.slice(5)],
    ]) {
      const name = `broken-${i++}`
      const { receiver, sender } = await sendPackets(gateway, name, packets)
      sender.halfClose()
      const reason = await reasonOf(gateway, name)
      t.ok(['broken_body', 'sender_left'].includes(reason), `${what}: ${reason}`)
      await sender.waitForClose()
      t.notMatch(sender.text, /Transfer complete/, what)
      await eventually(() => receiver.receivedBytes > 0 || receiver.isClosed || 'the receiver hears nothing')
      const response = receiver.received.length > 0 ? parseResponse(receiver.received) : undefined
      t.notOk(response?.status === 200 && response.complete, `${what}: the receiver does not take it for complete`)
      receiver.destroy()
    }
  }
})

part('a sound chunked body is never taken for a broken one, however it is cut into reads', async (t) => {
  const gateway = await startGateway(t)
  const body = '5\r\nhello\r\n00a\r\n0123456789\r\nB\r\nabcdefghijk\r\n0\r\n\r\n'
  const check = async (name: string, cuts: number[]) => {
    const bytes = CHUNKED_HEAD(name) + body
    const ends = [...cuts, bytes.length]
    const { receiver, sender } = await sendPackets(
      gateway,
      name,
      ends.map((end, k) => bytes.slice(ends[k - 1] ?? 0, end)),
    )
    const response = await receiver.waitForResponse()
    if (response.body.toString() !== 'hello0123456789abcdefghijk') t.fail(`cut at ${cuts}: ${response.body}`)
    await sender.waitFor('Transfer complete.')
    sender.destroy()
    receiver.destroy()
  }
  const length = CHUNKED_HEAD('cut-00').length + body.length
  const cutsOf = Array.from({ length: body.length + 8 }, (_, k) => [length - k - 1])
  for (let k = 2; k < body.length; k += 3) cutsOf.push([length - k - 1, length - k, length - k + 1])
  await Promise.all(cutsOf.map((cuts, i) => check(`cut-${String(i).padStart(2, '0')}`, cuts)))
  t.pass(`${cutsOf.length} ways to cut`)
})

part('a receiver that talks while it downloads harms only itself', async (t) => {
  const gateway = await startGateway(t)
  const rude = await openReceiver(gateway, 'rude?n=2')
  const polite = await openReceiver(gateway, 'rude?n=2')
  const sender = await openSender(gateway, 'rude?n=2', 'chunked')
  await sendPart(sender, 'chunked', 'before')
  await rude.waitFor('before')
  await rude.send('GET /rude HTTP/1.1\r\nHost: x\r\n\r\n')
  await rude.waitForClose()
  t.notOk(parseResponse(rude.received).complete)
  await sendPart(sender, 'chunked', 'after')
  await sender.send('0\r\n\r\n')
  t.equal((await polite.waitForResponse()).body.toString(), 'beforeafter')
  polite.destroy()
  sender.destroy()
})

/** A plugin as an operator may write one: what a side may do stands in its query, and somebody can end a pipe. */
function keeper(): { readonly plugin: Plugin; end(key: string): void } {
  let host: Host | undefined
  const plugin = definePlugin({
    name: 'keeper',
    api: PLUGIN_API,
    config: z.strictObject({}),
    setup(its) {
      host = its
      return {
        hooks: {
          onAdmit(request, join) {
            const query = new URLSearchParams(request.query)
            if (query.has('most')) join.tighten('maxBytes', Number(query.get('most')))
            if (query.has('ms')) join.tighten('totalMs', Number(query.get('ms')))
          },
        },
      }
    },
  })
  return { plugin, end: (key) => host?.end(key, { status: 409, message: 'Enough of it.', hint: 'Ask the keeper.' }) }
}

part('a transfer with more bytes than one of its sides may have', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [keeper()] })
  for (const [name, of, to] of [
    ['by-sender', '?most=8', ''],
    ['by-receiver', '', '?most=8'],
  ] as const) {
    const receiver = curl(['-N', `${gateway.origin}/${name}${to}`])
    await gateway.holds(1, 0)
    const sender = await openSender(gateway, `${name}${of}`, 'chunked')
    await sendPart(sender, 'chunked', '12345678')
    await receiver.waitFor('12345678')
    await sendPart(sender, 'chunked', '9')
    t.equal(await reasonOf(gateway, name), 'too_large')
    const { code, stdout } = await receiver.result
    t.equal(code, 18, 'curl knows that the transfer is partial')
    t.equal(stdout.toString(), '12345678', 'no byte too many')
    await sender.waitForClose()
    endsBadly(t, sender, '[ERROR] Transfer failed: it has more bytes than it may have.')
  }
  const announced = await openSender(gateway, 'announced', 'length')
  await gateway.holds(1, 0)
  const receiver = curl(['-i', `${gateway.origin}/announced?most=8`])
  t.match((await receiver.result).stdout.toString(), /^HTTP\/1.1 413 /, 'nothing begins that cannot be finished')
  t.equal(await reasonOf(gateway, 'announced'), 'too_large')
  announced.destroy()
})

part('a form that is broken, and one with nothing in it', async (t) => {
  const gateway = await startGateway(t)
  for (const [reason, body] of [
    ['broken_form', '--b\r\n'],
    ['empty_form', '--b--\r\n'],
  ] as const) {
    const sender = curl(['-H', 'Content-Type: multipart/form-data; boundary=b', '-d', body, gateway.url(reason)])
    t.equal(await reasonOf(gateway, reason), reason)
    t.not((await sender.result).code, 0)
  }
})

part('a transfer that takes longer than one of its sides may', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: [keeper()] })
  const receiver = curl([`${gateway.origin}/long?ms=300`])
  const sender = await openSender(gateway, 'long', 'chunked')
  await sendPart(sender, 'chunked', 'half')
  t.equal(await reasonOf(gateway, 'long'), 'too_long')
  t.equal((await receiver.result).code, 18)
  await sender.waitForClose()
  endsBadly(t, sender, '[ERROR] Transfer failed: it took longer than it may.')
})

part('a plugin that ends a pipe: both sides are told why', async (t) => {
  const its = keeper()
  const gateway = await startGateway(t, {}, { plugins: [its] })
  const waiting = curl(['-i', `${gateway.origin}/lone`])
  await gateway.holds(1, 0)
  its.end('lone')
  t.equal(await reasonOf(gateway, 'lone'), 'stopped')
  const answer = (await waiting.result).stdout.toString()
  t.match(answer, /^HTTP\/1.1 409 /)
  t.match(answer, '[ERROR] Transfer failed: Enough of it.\n')
  const receiver = curl(['-N', `${gateway.origin}/both`])
  const sender = await openSender(gateway, 'both', 'chunked')
  await sendPart(sender, 'chunked', 'half')
  await receiver.waitFor('half')
  its.end('both')
  t.equal(await reasonOf(gateway, 'both'), 'stopped')
  t.equal((await receiver.result).code, 18)
  await sender.waitForClose()
  endsBadly(t, sender, '[ERROR] Transfer failed: Enough of it.')
})

await Promise.all(parts)
// Alone: the others make this process stall, and with it the gateway that the test is about.
await t.test('many slow transfers share the memory, and none of them fails for it', async (t) => {
  const gateway = await startGateway(t, { memory: '8MiB', window: '1MiB' })
  // A whole window for each would be more than there is. The kernel takes some MiB for those who do not read.
  const names = Array.from({ length: 12 }, (_, i) => `share-${i}?n=2`)
  const body = randomBytes(16 * MIB)
  const readers = names.map((name) => curl(['-o', '/dev/null', `${gateway.origin}/${name}`]))
  const receivers = await Promise.all(names.map((name) => openFrozenReceiver(gateway, name)))
  const senders = names.map((name) => curl(['-T', '-', `${gateway.origin}/${name}`], { input: body }))
  await gateway.holds(0, names.length)
  await eventually(() => gateway.gateway.slabs.inUse > 64 || `${gateway.gateway.slabs.inUse} slabs are in use`)
  t.same(
    gateway.lines.filter((line) => line.msg === 'transfer'),
    [],
    'all of them go on',
  )
  for (const receiver of receivers) receiver.resume()
  // Looking into a response reads all of it again, every few milliseconds.
  const arrived = () => receivers.every(({ receivedBytes }) => receivedBytes > body.length)
  await eventually(() => arrived() || 'bytes are missing', { timeoutMs: 60_000 })
  for (const receiver of receivers) t.ok((await receiver.waitForResponse()).body.equals(body))
  for (const run of [...senders, ...readers]) t.equal((await run.result).code, 0)
  for (const receiver of receivers) receiver.destroy()
})

t.test('every reason that the wire can bring about has been seen here', async (t) => {
  // uWebSockets itself never delivers more or fewer bytes than announced; test/core provokes this one.
  const elsewhere = ['wrong_length', ...(speaksTls() ? ['broken_body'] : [])]
  const missing = END_REASONS.filter((reason) => !seen.has(reason) && !elsewhere.includes(reason))
  t.same(missing, [])
})
