/** Viewers that are slow, stand still or never read: what becomes of them, and that it costs nobody else a byte. */
import { curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import {
  countsOf,
  exactly,
  hasGot,
  hasRead,
  joined,
  KIB,
  MIB,
  newBody,
  openLive,
  part,
  pipeOf,
  seenBy,
  viewersOf,
} from './rig.js'

/** More than the kernel takes for a viewer that does not read, and the most that it may be behind. */
const LONG = 32 * MIB

part('a viewer that never reads is cut when it is further behind than lag; the others get every byte', async (t) => {
  const gateway = await startGateway(t)
  for (const lag of ['', '&lag=1048576']) {
    const name = `a${lag.length}`
    const body = newBody(LONG)
    const reads = await joined(gateway, `${name}?live`, 1)
    const frozen = await joined(gateway, `${name}?live`, 2, 'frozen')
    const sender = await openLive(gateway, `${name}?live${lag}`)
    for (let at = 0; at < body.length; at += MIB / 4) {
      await sender.send(body.subarray(at, at + MIB / 4))
      await hasGot(reads, at + MIB / 4)
    }
    await viewersOf(gateway, name, 1)
    t.match(countsOf(gateway, name), { viewers: 1, peak: 2, skips: 0, cuts: 1 })
    await sender.end()
    await hasGot(reads, body.length)
    await reads.waitForResponse()
    exactly(t, reads, body, 0, 'clean')
    frozen.resume()
    await frozen.waitForClose()
    exactly(t, frozen, body, 0, 'cut')
    t.ok(seenBy(frozen).body.length < body.length)
    t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 2 viewers).')
    t.equal(await gateway.ended(name), 'complete', 'a viewer that is cut is not the end of it')
    const line = gateway.lines.find(
      (each) => each.msg === 'request' && each.path === `/${name}` && each.reason === 'fell_behind',
    )
    t.match(line, { outcome: 'cut' }, 'its request says why')
  }
})

part('lag decides: with the default of 8 MiB nobody is cut who is 4 MiB behind', async (t) => {
  const gateway = await startGateway(t)
  const behindOf = () => {
    const { bytesIn = 0, fanOut } = pipeOf(gateway, 'b') ?? {}
    return { bytesIn, held: fanOut === undefined ? 0 : gateway.gateway.slabs.heldBytes }
  }
  const frozen = await joined(gateway, 'b?live', 1, 'frozen')
  const sender = await openLive(gateway, 'b?live')
  const body = newBody(LONG)
  let at = 0
  while (behindOf().held < 4 * MIB) {
    await sender.send(body.subarray(at, at + MIB / 4))
    at += MIB / 4
    await hasRead(gateway, 'b', at)
  }
  t.equal(countsOf(gateway, 'b')?.cuts, 0)
  t.ok(behindOf().held <= 6 * MIB, `${behindOf().held} bytes are kept for it`)
  frozen.resume()
  await sender.end()
  await hasGot(frozen, at)
  await frozen.waitForResponse()
  exactly(t, frozen, body.subarray(0, at), 0, 'clean')
})

part('hold: the slowest within the window paces the sender, and nobody misses a byte', async (t) => {
  const gateway = await startGateway(t, { window: '1MiB' })
  const body = newBody(LONG)
  const reads = await joined(gateway, 'c?live', 1)
  const frozen = await joined(gateway, 'c?live', 2, 'frozen')
  const sender = await openLive(gateway, 'c?live&slow=hold')
  const sent = sender.send(body)
  await eventually(() => (pipeOf(gateway, 'c')?.heldBackMs ?? 0) > 0 || 'the sender is not held back')
  await eventually(async () => {
    const before = pipeOf(gateway, 'c')?.bytesIn
    await new Promise((resolve) => setTimeout(resolve, 200))
    return pipeOf(gateway, 'c')?.bytesIn === before || 'it is still read'
  })
  t.ok((pipeOf(gateway, 'c')?.bytesIn ?? 0) < body.length, 'the sender waits for the one that does not read')
  frozen.resume()
  await sent
  await sender.end()
  for (const viewer of [reads, frozen]) {
    await hasGot(viewer, body.length)
    await viewer.waitForResponse()
    exactly(t, viewer, body, 0, 'clean')
  }
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 2 viewers).')
})

part('hold with stall: who takes nothing is cut, and the sender goes on', async (t) => {
  const gateway = await startGateway(t, { window: '1MiB' })
  const body = newBody(LONG)
  const reads = await joined(gateway, 'd?live', 1)
  const frozen = await joined(gateway, 'd?live', 2, 'frozen')
  const sender = await openLive(gateway, 'd?live&slow=hold&stall=1')
  const sent = sender.send(body)
  await viewersOf(gateway, 'd', 1)
  await sent
  await sender.end()
  await hasGot(reads, body.length)
  await reads.waitForResponse()
  exactly(t, reads, body, 0, 'clean')
  frozen.resume()
  await frozen.waitForClose()
  exactly(t, frozen, body, 0, 'cut')
  t.equal(await gateway.ended('d'), 'complete')
})

part('nothing taken for as long as stall says: cut, however little it is behind', async (t) => {
  const gateway = await startGateway(t)
  const frozen = await joined(gateway, 'e?live', 1, 'frozen')
  const reads = await joined(gateway, 'e?live', 2)
  const sender = await openLive(gateway, 'e?live&stall=1&lag=67108864')
  const body = newBody(12 * MIB)
  await sender.send(body)
  await viewersOf(gateway, 'e', 1)
  await sender.send('still here')
  await sender.end()
  await hasGot(reads, body.length)
  await reads.waitForResponse()
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 2 viewers).')
  frozen.resume()
  await frozen.waitForClose()
  exactly(t, frozen, body, 0, 'cut')
})

part('nothing taken for a minute is enough, whether the sender asks for it or not', async (t) => {
  const gateway = await startGateway(t)
  Object.assign(gateway.gateway.table.limits.live, { stallMs: 1000 })
  for (const stall of ['', '&stall=600']) {
    const name = `h${stall.length}`
    const frozen = await joined(gateway, `${name}?live`, 1, 'frozen')
    const sender = await openLive(gateway, `${name}?live&lag=67108864${stall}`)
    await sender.send(newBody(12 * MIB))
    await viewersOf(gateway, name, 0)
    t.equal(countsOf(gateway, name)?.cuts, 1)
    await sender.end()
    frozen.destroy()
  }
})

part('a viewer whose curl is slow is cut with a message that curl understands', async (t) => {
  const gateway = await startGateway(t)
  const slow = curl(['--limit-rate', '20k', '-o', '/dev/null', `${gateway.origin}/f?live`])
  await viewersOf(gateway, 'f', 1)
  const sender = await openLive(gateway, 'f?live&lag=1')
  await sender.send(newBody(LONG))
  await viewersOf(gateway, 'f', 0)
  // It reads at its own speed what the kernel has for it.
  slow.kill('SIGCONT')
  t.equal(countsOf(gateway, 'f')?.cuts, 1)
  slow.kill()
  await slow.result
  await sender.end()
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 1 viewers).')
})

part('the budget of a stream is never more than that, however many stand still', async (t) => {
  const gateway = await startGateway(t, { memory: '16MiB', window: '1MiB' })
  const frozen = await Promise.all(Array.from({ length: 6 }, () => gateway.connect({ pauseOnConnect: true })))
  for (const viewer of frozen) await viewer.send('GET /g?live HTTP/1.1\r\nHost: x\r\n\r\n')
  await viewersOf(gateway, 'g', 6)
  const reads = await joined(gateway, 'g?live', 7)
  const sender = await openLive(gateway, 'g?live&lag=67108864')
  const body = newBody(2 * LONG)
  let most = 0
  let isOver = false
  const look = () => {
    most = Math.max(most, gateway.gateway.slabs.heldBytes)
    if (!isOver) setImmediate(look)
  }
  look()
  for (let at = 0; at < body.length; at += MIB) {
    await sender.send(body.subarray(at, at + MIB))
    await hasGot(reads, at + MIB)
  }
  await sender.end()
  await hasGot(reads, body.length)
  await reads.waitForResponse()
  isOver = true
  exactly(t, reads, body, 0, 'clean')
  t.ok(most <= 16 * MIB, `${Math.round(most / KIB)} KiB were held at most`)
  t.equal(await sender.lastLine(), '[INFO] Live stream ended (peak 7 viewers).')
  t.ok(
    gateway.lines.some((line) => line.reason === 'fell_behind'),
    'those furthest behind were cut',
  )
  for (const viewer of frozen) viewer.destroy()
})
