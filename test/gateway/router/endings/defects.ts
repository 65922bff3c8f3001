/** Endings by a defect of the gateway. */

import { curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { MIB, openFrozenReceiver, openReceiver, openSender, part, pour, reasonOf, sendPart } from './rig.js'

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
  // Nothing of its response has left yet.
  t.match(joins.stdout.toString(), /^HTTP\/1\.1 500 /m)
  t.match(joins.stdout.toString(), /^X-Pipe-Code: INTERNAL\r$/m)
  t.equal(await reasonOf(gateway, 'join'), 'fault', 'in joining')
  t.match((await waits.waitForResponse()).status, 500)
  t.equal((await curl([`${gateway.url('health')}`]).result).code, 0, 'and the gateway lives on')
})
