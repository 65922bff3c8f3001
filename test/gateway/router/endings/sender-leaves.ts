/** Endings by the sender, before, during and after its body. */

import { randomBytes } from 'node:crypto'
import { curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { FRAMINGS, MIB, openFrozenReceiver, openSender, part, reasonOf, sendPart } from './rig.js'

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
