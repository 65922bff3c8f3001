/** How a live stream ends: cleanly, with time for the rest, or by the sender, the limits, the gateway. */
import { setTimeout as sleep } from 'node:timers/promises'
import { curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import {
  countsOf,
  exactly,
  hasGot,
  hasRead,
  joined,
  MIB,
  newBody,
  openLive,
  part,
  pipeOf,
  seenBy,
  viewersOf,
} from './rig.js'

part('a clean end: the name is free at once, and viewers that are behind get the rest', async (t) => {
  const gateway = await startGateway(t)
  const body = newBody(12 * MIB)
  const frozen = await joined(gateway, 'a?live', 1, 'frozen')
  const sender = await openLive(gateway, 'a?live&lag=67108864')
  await sender.send(body)
  await sender.end()
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 1 viewers).')
  t.equal(pipeOf(gateway, 'a'), undefined, 'nothing is on the name')
  t.equal(gateway.gateway.table.resting, 1, 'the rest is on its way')

  const next = curl([`${gateway.origin}/a?live`])
  await viewersOf(gateway, 'a', 1)
  t.equal((await curlDone(['-T', '-', `${gateway.origin}/a?live`], { input: 'the next' })).code, 0)
  t.equal((await next.result).stdout.toString(), 'the next', 'another stream has come and gone meanwhile')
  const pipe = curl([`${gateway.origin}/a`])
  await gateway.holds(1, 0)
  t.equal((await curlDone(['-T', '-', `${gateway.origin}/a`], { input: 'a pipe' })).code, 0)
  t.equal((await pipe.result).stdout.toString(), 'a pipe')

  frozen.resume()
  await hasGot(frozen, body.length)
  await frozen.waitForResponse()
  exactly(t, frozen, body, 0, 'clean')
  await eventually(() => gateway.gateway.table.resting === 0 || 'something still rests')
  t.equal(gateway.gateway.slabs.heldBytes, 0)
})

part('who does not take the rest in its time is cut, and nothing is kept for it any more', async (t) => {
  const gateway = await startGateway(t)
  // A minute otherwise.
  Object.assign(gateway.gateway.table.limits.live, { restMs: 1000 })
  const body = newBody(12 * MIB)
  const reads = await joined(gateway, 'k?live', 1)
  const frozen = await joined(gateway, 'k?live', 2, 'frozen')
  const sender = await openLive(gateway, 'k?live&lag=67108864')
  await sender.send(body)
  await sender.end()
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 2 viewers).')
  t.equal(gateway.gateway.table.resting, 1)
  await eventually(() => gateway.gateway.table.resting === 0 || 'it still rests')
  t.equal(gateway.gateway.slabs.heldBytes, 0)
  t.equal(gateway.gateway.table.viewers, 0)
  await hasGot(reads, body.length)
  await reads.waitForResponse()
  exactly(t, reads, body, 0, 'clean')
  frozen.resume()
  await frozen.waitForClose()
  exactly(t, frozen, body, 0, 'cut')
  t.ok(gateway.lines.some(({ msg, reason }) => msg === 'request' && reason === 'receivers_stalled'))
})

part('a viewer that leaves while the rest is on its way', async (t) => {
  const gateway = await startGateway(t)
  const frozen = await joined(gateway, 'b?live', 1, 'frozen')
  const sender = await openLive(gateway, 'b?live&lag=67108864')
  await sender.send(newBody(12 * MIB))
  await sender.end()
  await sender.lastLine()
  t.equal(gateway.gateway.table.resting, 1)
  frozen.reset()
  await eventually(() => gateway.gateway.table.resting === 0 || 'something still rests')
  t.equal(gateway.gateway.slabs.heldBytes, 0)
  t.equal(gateway.gateway.table.viewers, 0)
})

for (const way of ['destroy', 'reset', 'halfClose'] as const) {
  part(`the sender is gone (${way}): all viewers are cut, and the name is free at once`, async (t) => {
    const gateway = await startGateway(t)
    const name = `c-${way}`
    const raw = await joined(gateway, `${name}?live`, 1)
    const run = curl([`${gateway.origin}/${name}?live`])
    await viewersOf(gateway, name, 2)
    const frozen = await joined(gateway, `${name}?live`, 3, 'frozen')
    const sender = await openLive(gateway, `${name}?live`)
    const body = newBody(2 * MIB)
    await sender.send(body)
    await hasRead(gateway, name, body.length)
    sender.client[way]()
    t.equal(await gateway.ended(name), 'sender_left')
    t.equal(pipeOf(gateway, name), undefined)
    await raw.waitForClose()
    exactly(t, raw, body, 0, 'cut')
    const { code } = await run.result
    t.equal(code, 18, 'curl knows that it is partial')
    frozen.resume()
    await frozen.waitForClose()
    exactly(t, frozen, body, 0, 'cut')
    t.equal((await curlDone(['-T', '-', `${gateway.origin}/${name}?live`], { input: 'again' })).code, 0)
  })
}

part('a sender that dies while hold keeps it back for a first viewer is noticed', async (t) => {
  const gateway = await startGateway(t)
  const sender = await openLive(gateway, 'd?live&slow=hold')
  void sender.send(newBody(32 * MIB))
  await eventually(() => (pipeOf(gateway, 'd')?.heldBackMs ?? 0) > 0 || 'it is not held back')
  sender.client.reset()
  t.equal(await gateway.ended('d'), 'sender_left')
  t.equal(gateway.gateway.slabs.heldBytes, 0)
})

part('a sender of nothing is idle: it is told, its viewers get a status, and the name is free', async (t) => {
  const gateway = await startGateway(t, { idle: '1' })
  const watching = curl(['-i', `${gateway.origin}/e?live`])
  await viewersOf(gateway, 'e', 1)
  const sender = await openLive(gateway, 'e?live')
  t.equal(await gateway.ended('e'), 'idle')
  await sender.client.waitForClose()
  t.equal(sender.lines, '[INFO] Live: streaming. Viewers can join at any time.\n[ERROR] Transfer idle for too long.\n')
  t.notOk(parseResponse(sender.client.received).complete, 'without a clean end')
  t.match((await watching.result).stdout.toString(), /^HTTP\/1\.1 504 [\s\S]*\[ERROR\] Transfer idle for too long\.\n$/)
  t.equal((await curlDone(['-T', '-', `${gateway.origin}/e?live`], { input: 'again' })).code, 0)
})

part('a broadcast that streams to nobody is not idle', async (t) => {
  const gateway = await startGateway(t, { idle: '3' })
  const sender = await openLive(gateway, 'f?live')
  for (let i = 0; i < 20; i++) {
    await sender.send('still here')
    await sleep(250)
  }
  t.equal(pipeOf(gateway, 'f')?.state, 'streaming')
  await sender.end()
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 0 viewers).')
})

part('a body that is shorter than announced: viewers are cut', async (t) => {
  const gateway = await startGateway(t)
  const viewer = await joined(gateway, 'g?live', 1)
  const client = await gateway.connect()
  await client.send('PUT /g?live HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345')
  await viewer.waitFor('12345')
  client.destroy()
  await viewer.waitForClose()
  exactly(t, viewer, Buffer.from('1234567890'), 0, 'cut')
  t.equal(await gateway.ended('g'), 'sender_left')
})

part('shutdown: a live stream gets the seconds of the drain, then it is cut', async (t) => {
  const gateway = await startGateway(t)
  const viewer = await joined(gateway, 'h?live', 1)
  const sender = await openLive(gateway, 'h?live')
  await sender.send('before ')
  await viewer.waitFor('before ')
  const waiting = curl(['-i', `${gateway.origin}/h-waits?live`])
  await gateway.holds(1, 1)
  const stopped = gateway.gateway.stop(1500)
  t.match((await waiting.result).stdout.toString(), /^HTTP\/1\.1 503 [\s\S]*\[ERROR\] Server shutting down\.\n$/)
  await sender.send('meanwhile')
  await viewer.waitFor('meanwhile')
  t.equal(await gateway.ended('h'), 'shutting_down')
  await viewer.waitForClose()
  exactly(t, viewer, Buffer.from('before meanwhile'), 0, 'cut')
  await sender.client.waitForClose()
  t.ok(sender.lines.endsWith('\n[ERROR] Server shutting down.\n'))
  t.notOk(parseResponse(sender.client.received).complete)
  await stopped
})

part('shutdown while the rest is on its way: it is waited for, and cut at the end', async (t) => {
  for (const end of ['clean', 'cut'] as const) {
    const gateway = await startGateway(t)
    const body = newBody(12 * MIB)
    const frozen = await joined(gateway, 'i?live', 1, 'frozen')
    const sender = await openLive(gateway, 'i?live&lag=67108864')
    await sender.send(body)
    await sender.end()
    await sender.lastLine()
    t.equal(gateway.gateway.table.resting, 1)
    const stopped = gateway.gateway.stop(end === 'clean' ? 20_000 : 300)
    if (end === 'cut') await stopped
    frozen.resume()
    if (end === 'clean') await hasGot(frozen, body.length)
    await frozen.waitForClose()
    exactly(t, frozen, body, 0, end)
    await stopped
  }
})

part('a sender that leaves after its last byte has done its part', async (t) => {
  const gateway = await startGateway(t)
  const viewer = await joined(gateway, 'j?live', 1)
  const sender = await openLive(gateway, 'j?live')
  await sender.send('all of it')
  await sender.end()
  sender.client.destroy()
  await viewer.waitForResponse()
  exactly(t, viewer, Buffer.from('all of it'), 0, 'clean')
  t.equal(countsOf(gateway, 'j'), undefined)
  t.equal(seenBy(viewer).offset, 0)
})
