/** What is told of a live stream: snapshots, events, receipts, metrics, log and access log; and that pipes are told of as before. */
import t from 'tap'
import type { Receipt, Snapshot } from '../../../plugins/transfer-status/snapshot.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { Exposition } from '../../support/exposition.js'
import type { Running } from '../../support/gateway.js'
import { startLogged } from '../logged-gateway.js'
import { broadcast } from './rig.js'

const MIB = 1024 * 1024

async function status(gateway: Running, name: string): Promise<Snapshot> {
  return JSON.parse((await curlDone([gateway.url(`${name}?status`)])).stdout.toString())
}

async function metrics(gateway: Running): Promise<Exposition> {
  return new Exposition((await curlDone([gateway.url('metrics')])).stdout.toString())
}

t.test('a live stream from its first viewer to its receipt', async (t) => {
  const { gateway, accessLines } = await startLogged(t)
  const early = curl(['-N', gateway.url('tv?live')])
  await eventually(() => gateway.gateway.table.viewers === 1 || 'nobody waits')
  const waiting = await status(gateway, 'tv')
  t.match(waiting, { state: 'waiting', kind: 'live', live: true, viewers: 1, hasSender: false, totalReceivers: null })
  const live = await broadcast(gateway, 'tv', 'tv?live')
  const spectator = curl(['-N', gateway.url('tv?progress')])
  await spectator.waitFor('event: state')
  const late = await live.view('tv')
  await live.send('0123456789')
  const running = await status(gateway, 'tv')
  t.match(running, {
    state: 'streaming',
    kind: 'live',
    live: true,
    viewers: 2,
    activeReceivers: 2,
    receivers: 2,
    totalReceivers: null,
    peak: 2,
    skips: 0,
    cuts: 0,
    bytes: 10,
    totalBytes: null,
    eta: null,
  })
  const scraped = await metrics(gateway)
  for (const [name, value] of [
    ['pipegate_live_streams', 1],
    ['pipegate_live_viewers', 2],
    ['pipegate_receivers', 2],
    ['pipegate_live_skips_total', 0],
    ['pipegate_live_cuts_total', 0],
    ['pipegate_sent_bytes_total', 20],
  ] as const) {
    t.equal(scraped.value(name), value, name)
  }
  early.kill()
  await spectator.waitFor(/event: progress\ndata: \{.*"live":true,"viewers":1,"peak":2,/)
  live.sender.stdin.end()
  t.equal((await late.result).stdout.toString(), '0123456789')
  await spectator.result
  const [, done] = /event: done\nid: .*\ndata: (.*)\n/.exec(spectator.stdoutText) ?? []
  const receipt: Receipt = JSON.parse(done ?? '{}')
  const wanted = {
    kind: 'live',
    live: true,
    viewers: 1,
    peak: 2,
    skips: 0,
    cuts: 0,
    totalReceivers: null,
    receivers: 1,
  }
  t.match(receipt, { state: 'complete', bytes: 10, ...wanted })
  const after = await status(gateway, 'tv')
  t.match(after, { state: 'complete', kind: 'live', live: true, peak: 2, totalReceivers: null })
  // They are counted from another reading of the clock.
  const untimed = (each: Receipt) => ({ ...each, startedAt: 0, endedAt: 0 })
  t.same(untimed(after.last!), untimed(receipt))

  const logged = gateway.lines.find(({ msg }) => msg === 'transfer')
  t.match(logged, { pipe: 'tv', kind: 'live', receivers: 2, skips: 0, cuts: 0, bytesIn: 10, bytesOut: 10 })
  await eventually(() => accessLines().some(({ msg }) => msg === 'transfer') || 'no line yet')
  const line = accessLines().find(({ msg }) => msg === 'transfer')
  t.match(line, { name: 'tv', kind: 'live', receivers: 2, skips: 0, cuts: 0, bytesIn: 10, bytesOut: 20 })
  t.equal((await metrics(gateway)).value('pipegate_live_streams'), 0)
})

t.test('viewers that are cut are counted, while it runs and afterwards', async (t) => {
  const { gateway } = await startLogged(t)
  const live = await broadcast(gateway, 'tv', 'tv?live&lag=1048576')
  const frozen = await gateway.connect({ pauseOnConnect: true })
  await frozen.send('GET /tv?live HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => gateway.gateway.table.viewers === 1 || 'nobody is there')
  for (let i = 0; i < 24; i++) await live.send('x'.repeat(MIB))
  await eventually(() => gateway.gateway.table.viewers === 0 || 'it is still there')
  t.match(await status(gateway, 'tv'), { viewers: 0, peak: 1, cuts: 1 })
  t.equal((await metrics(gateway)).value('pipegate_live_cuts_total'), 1)
  live.sender.stdin.end()
  await live.sender.result
  t.match((await status(gateway, 'tv')).last, { cuts: 1, peak: 1, receivers: 0 })
  t.equal((await metrics(gateway)).value('pipegate_live_cuts_total'), 1, 'and once only')
  frozen.destroy()
})

t.test('of a pipe everything is told as it always was', async (t) => {
  const { gateway, accessLines } = await startLogged(t)
  const receiver = curl([gateway.url('a')])
  await gateway.holds(1, 0)
  const before = await status(gateway, 'a')
  await curlDone(['-d', 'hello', gateway.url('a')])
  await receiver.result
  const after = await status(gateway, 'a')
  await eventually(() => accessLines().some(({ msg }) => msg === 'transfer') || 'no line yet')
  const told = [before, after, after.last, accessLines().find(({ msg }) => msg === 'transfer')] as readonly object[]
  for (const each of told) {
    for (const field of ['live', 'viewers', 'peak', 'skips', 'cuts']) t.notOk(field in each, field)
  }
  t.notOk('kind' in after.last! || 'kind' in told[3]!)
  t.match(before, { kind: 'pipe', totalReceivers: 1 })
  t.match(after, { kind: 'pipe', totalReceivers: 1, last: { totalReceivers: 1 } })
})
