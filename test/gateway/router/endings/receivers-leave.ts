/** Endings by receivers, and by sides that leave while they wait. */

import { randomBytes } from 'node:crypto'
import { curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { MIB, openFrozenReceiver, openReceiver, part, pour, reasonOf } from './rig.js'

part('the only receiver goes away: the sender reads why and its curl fails', async (t) => {
  const gateway = await startGateway(t)
  // A client that only closes its side may go on reading.
  for (const way of ['reset', 'destroy'] as const) {
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

part('everybody who waited leaves', async (t) => {
  const gateway = await startGateway(t)
  for (const way of ['reset', 'destroy', 'halfClose'] as const) {
    const receiver = await openReceiver(gateway, `gone-${way}`)
    await gateway.holds(1, 0)
    receiver[way]()
    // A client that only closes its side may go on reading.
    if (way === 'halfClose') {
      await receiver.waitFor('102 Processing')
      t.equal(gateway.gateway.table.get(`gone-${way}`)?.receiversPresent, 1, 'it is still there')
      receiver.destroy()
    }
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
