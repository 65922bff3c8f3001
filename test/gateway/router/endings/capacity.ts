/** Endings because the gateway has no room, or goes down. */

import { curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import {
  endsBadly,
  MIB,
  openFrozenReceiver,
  openReceiver,
  openSender,
  part,
  pour,
  reasonOf,
  seen,
  sendPart,
} from './rig.js'

part('the limit of active transfers', async (t) => {
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

part('the memory for bytes in flight is used up', async (t) => {
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
