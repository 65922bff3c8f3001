/** What is told of a queue and of its transfers: snapshots, events, receipts, metrics, logs. */
import t from 'tap'
import type { Snapshot } from '../../../plugins/transfer-status/snapshot.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { Exposition } from '../../support/exposition.js'
import type { Running } from '../../support/gateway.js'
import { startLogged } from '../logged-gateway.js'

async function status(gateway: Running, query: string): Promise<Snapshot> {
  return JSON.parse((await curlDone([gateway.url(`jobs?${query}`)])).stdout.toString())
}

async function metrics(gateway: Running): Promise<Exposition> {
  return new Exposition((await curlDone([gateway.url('metrics')])).stdout.toString())
}

const counts = (gateway: Running, senders: number, receivers: number, running: number) =>
  eventually(() => {
    const found = gateway.gateway.table.get('jobs')?.queue
    const isSo = found?.senders === senders && found.receivers === receivers && found.running === running
    return isSo || JSON.stringify(found)
  })

t.test('a queue from its first receiver to its last receipt', async (t) => {
  const { gateway, accessLines } = await startLogged(t)
  const url = gateway.url('jobs?queue')
  const spectator = curl(['-N', gateway.url('jobs?progress')])
  await spectator.waitFor('event: state')
  const workers = [curl(['-N', url])]
  await counts(gateway, 0, 1, 0)
  workers.push(curl(['-N', url]))
  await counts(gateway, 0, 2, 0)
  await spectator.waitFor(/event: state\ndata: \{"state":"waiting","kind":"queue".*"waitingReceivers":2,"running":0/)
  t.match(await status(gateway, 'status'), {
    state: 'waiting',
    kind: 'queue',
    queue: true,
    waitingSenders: 0,
    waitingReceivers: 2,
    running: 0,
    transferId: null,
    hasSender: false,
    receivers: 2,
    totalReceivers: null,
    startedAt: null,
  })
  const before = await metrics(gateway)
  const waiting = [before.value('pipegate_queue_waiting', { side: 'receiver' }), before.value('pipegate_receivers')]
  t.same([...waiting, before.value('pipegate_queues')], [2, 2, 1])

  const sender = curl(['-N', '-T', '.', `${url}&transfer=the-first-transfer`])
  sender.stdin.write('0123456789')
  await workers[0]!.waitFor('0123456789')
  await counts(gateway, 0, 1, 1)
  await spectator.waitFor(/event: progress\ndata: \{"bytes":10,.*"queue":true/)
  t.match(await status(gateway, 'status'), { state: 'streaming', bytes: 10, running: 1, waitingReceivers: 1 })
  t.match(await status(gateway, 'status&transfer=the-first-transfer'), {
    state: 'streaming',
    kind: 'queue',
    transferId: 'the-first-transfer',
    bytes: 10,
    totalReceivers: 1,
  })
  t.notOk('queue' in (await status(gateway, 'status&transfer=the-first-transfer')), 'it is one of many')
  t.equal((await metrics(gateway)).value('pipegate_queue_transfers'), 1)
  sender.stdin.end()
  t.equal((await sender.result).code, 0)
  await counts(gateway, 0, 1, 0)
  t.match(await status(gateway, 'status&transfer=the-first-transfer'), { state: 'complete', kind: 'queue', bytes: 10 })
  t.match(await status(gateway, 'status'), {
    state: 'waiting',
    last: { transferId: 'the-first-transfer', kind: 'queue' },
  })

  workers[1]!.kill()
  await spectator.waitFor(
    /event: state\ndata: \{"state":"idle".*"last":\{"state":"complete","transferId":"the-first-tr/,
  )
  t.notMatch(spectator.stdoutText, 'event: done', 'a queue goes on')
  spectator.kill()
  const after = await metrics(gateway)
  t.same([after.value('pipegate_queues'), after.value('pipegate_queue_waiting', { side: 'receiver' })], [0, 0])
  t.equal(after.value('pipegate_sent_bytes_total'), 10)
  t.equal(after.value('pipegate_transfers_total', { reason: 'complete' }), 1)

  const transfers = gateway.lines.filter(({ msg }) => msg === 'transfer')
  t.equal(transfers.length, 1, 'a receiver that only waited is no transfer')
  t.match(transfers[0], { pipe: 'jobs', kind: 'queue', receivers: 1, bytesIn: 10, bytesOut: 10, reason: 'complete' })
  await eventually(() => accessLines().some(({ msg }) => msg === 'transfer') || 'no line yet')
  const line = accessLines().find(({ msg }) => msg === 'transfer')
  t.match(line, { name: 'jobs', kind: 'queue', receivers: 1, bytesIn: 10, bytesOut: 10 })
})

t.test('senders that wait are counted, and told of', async (t) => {
  const { gateway } = await startLogged(t)
  const senders = [1, 2, 3].map(() => curl(['-T', '-', gateway.url('jobs?queue')], { input: 'x' }))
  await counts(gateway, 3, 0, 0)
  t.match(await status(gateway, 'status'), { state: 'waiting', hasSender: true, waitingSenders: 3, receivers: 0 })
  const scraped = await metrics(gateway)
  t.equal(scraped.value('pipegate_queue_waiting', { side: 'sender' }), 3)
  t.equal(scraped.value('pipegate_pipes', { state: 'waiting' }), 3)
  t.equal(scraped.value('pipegate_queue_returns_total'), 0)
  for (const sender of senders) sender.kill()
})

t.test('the page of a queue says what it counts', async (t) => {
  const { gateway } = await startLogged(t)
  const sender = curl(['-T', '-', gateway.url('jobs?queue')], { input: 'x' })
  await counts(gateway, 1, 0, 0)
  const page = await curlDone(['-H', 'Accept: text/html', gateway.url('jobs?progress')])
  t.match(
    page.stdout.toString().replaceAll('\u00a0', ' '),
    'A queue: 1 sender and no receivers waiting, no transfers running.',
  )
  sender.kill()
})
