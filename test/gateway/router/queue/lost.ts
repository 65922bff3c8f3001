/** Workers that are gone: no job is lost on one whose death could be seen. `vanished.ts` has those of which nothing is heard. */
import { curl } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { amount } from '../../../support/thorough.js'
import { counts, countsOf, lastLine, part, produce, Worker, work } from './rig.js'

const RETURNED = '[INFO] The receiver left; waiting for another.'

for (const way of ['destroy', 'reset'] as const) {
  part(`a worker that is gone the moment before a job comes (${way}): the next one gets it`, async (t) => {
    const gateway = await startGateway(t)
    const living = new Worker(await gateway.connect(), 'q?queue')
    const rounds = amount(100, 1000)
    for (let i = 0; i < rounds; i++) {
      const dead = await work(gateway)
      await counts(gateway, 0, 1)
      await living.ask()
      await counts(gateway, 0, 2)
      // Nothing lies between its death and the job.
      const producer = await gateway.connect()
      dead.client[way]()
      const body = `job ${i}`
      await producer.send(`PUT /q?queue HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      if ((await living.job()).body.toString() !== body) t.fail(`job ${i} is another one`)
      if ((await lastLine(producer)) !== '[INFO] Transfer complete.') t.fail(`job ${i}: ${producer.text}`)
      if (producer.text.includes(RETURNED)) t.fail(`job ${i} was given to a dead one`)
      producer.destroy()
    }
    t.pass(`${rounds} jobs`)
    await counts(gateway, 0, 0)
    living.client.destroy()
  })
}

part('a worker whose process is killed while it waits', async (t) => {
  const gateway = await startGateway(t)
  for (let i = 0; i < amount(5, 50); i++) {
    const dead = curl([`${gateway.origin}/q?queue`])
    await counts(gateway, 0, 1)
    const living = await work(gateway)
    await counts(gateway, 0, 2)
    // What its kernel has taken in its name before counts as arrived.
    dead.kill()
    t.equal((await dead.result).stdout.length, 0)
    const producer = await produce(gateway, `job ${i}`)
    t.equal((await living.job()).body.toString(), `job ${i}`)
    t.equal(await lastLine(producer), '[INFO] Transfer complete.')
    for (const client of [producer, living.client]) client.destroy()
  }
})

part('all that wait are dead: the sender waits for one that lives', async (t) => {
  const gateway = await startGateway(t)
  const dead = []
  for (let i = 0; i < 20; i++) dead.push(await work(gateway))
  await counts(gateway, 0, 20)
  const producer = await gateway.connect()
  for (const [i, worker] of dead.entries()) worker.client[i % 2 === 0 ? 'destroy' : 'reset']()
  await producer.send('PUT /q?queue HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\njob')
  await counts(gateway, 1, 0)
  t.notMatch(producer.text, RETURNED)
  const living = await work(gateway)
  t.equal((await living.job()).body.toString(), 'job')
  t.equal(await lastLine(producer), '[INFO] Transfer complete.')
  for (const client of [producer, living.client]) client.destroy()
})

part('a worker that closes its sending side and reads on is served', async (t) => {
  const gateway = await startGateway(t)
  const rounds = amount(30, 1000)
  for (let i = 0; i < rounds; i++) {
    const worker = await work(gateway)
    await counts(gateway, 0, 1)
    const producer = await gateway.connect()
    worker.client.halfClose()
    await producer.send('PUT /q?queue HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\njob')
    await worker.client.waitFor(/\r\n\r\njob$/)
    if ((await lastLine(producer)) !== '[INFO] Transfer complete.') t.fail(`job ${i}: ${producer.text}`)
    for (const client of [producer, worker.client]) client.destroy()
    await counts(gateway, 0, 0)
  }
  t.pass(`${rounds} jobs`)
})

part('senders that leave while they wait take their jobs along', async (t) => {
  const gateway = await startGateway(t)
  const gone = []
  for (let i = 0; i < 20; i++) gone.push(await produce(gateway, `gone ${i}`))
  await counts(gateway, 20, 0)
  const producer = await produce(gateway, 'the job')
  await counts(gateway, 21, 0)
  for (const [i, client] of gone.entries()) client[i % 2 === 0 ? 'destroy' : 'reset']()
  await eventually(() => countsOf(gateway)?.senders === 1 || `${countsOf(gateway)?.senders} wait`)
  const worker = await work(gateway)
  t.equal((await worker.job()).body.toString(), 'the job')
  for (const client of [producer, worker.client]) client.destroy()
})

part('nothing is left behind of any of them', async (t) => {
  const gateway = await startGateway(t)
  const { table, slabs } = gateway.gateway
  for (let round = 0; round < amount(10, 200); round++) {
    const workers = await Promise.all(Array.from({ length: 6 }, () => work(gateway)))
    const producers = await Promise.all(
      Array.from({ length: 6 }, (_, i) => produce(gateway, 'x'.repeat(1 + i * 5000), 'q?queue', i % 2 === 0)),
    )
    // Some are done by now, some are in the middle, and some wait.
    const all = [...workers.map(({ client }) => client), ...producers]
    for (const [i, client] of all.entries()) client[(i + round) % 3 === 0 ? 'reset' : 'destroy']()
    await eventually(() => table.get('q') === undefined || JSON.stringify(countsOf(gateway)))
  }
  t.same([table.waiting, table.streaming, table.queuedReceivers, slabs.heldBytes], [0, 0, 0, 0])
})
