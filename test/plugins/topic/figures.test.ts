/** What is told of a topic: snapshots, events, receipts, metrics, log and access log. */
import t from 'tap'
import type { Receipt, Snapshot } from '../../../plugins/transfer-status/snapshot.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { Exposition } from '../../support/exposition.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'
import { startLogged } from '../logged-gateway.js'

async function status(gateway: Running, name: string): Promise<Snapshot> {
  return JSON.parse((await curlDone([gateway.url(`${name}?status`)])).stdout.toString())
}

async function metrics(gateway: Running): Promise<Exposition> {
  return new Exposition((await curlDone([gateway.url('metrics')])).stdout.toString())
}

const subscribersAre = (gateway: Running, count: number) =>
  eventually(() => gateway.gateway.table.get('news')?.topic?.subscribers === count || 'not yet')

t.test('a topic from its first message to its receipt', async (t) => {
  const { gateway, accessLines } = await startLogged(t)

  const early = curl(['-d', 'first', gateway.url('news?topic&min=1')])
  await eventually(() => gateway.gateway.table.get('news')?.topic?.waiting === 1 || 'it does not wait')
  const waiting = await status(gateway, 'news')
  t.match(waiting, {
    state: 'waiting',
    kind: 'topic',
    topic: true,
    hasSender: true,
    subscribers: 0,
    waitingMessages: 1,
  })
  t.match(waiting.transferId, /^[\w-]{16,64}$/)
  const [one, two] = [curl(['-N', gateway.url('news?topic')]), curl(['-N', gateway.url('news?topic')])]
  await early.result
  await subscribersAre(gateway, 2)
  const spectator = curl(['-N', gateway.url('news?progress')])
  await spectator.waitFor('event: state')
  await curlDone(['-d', 'second!', gateway.url('news?topic')])
  t.match(await status(gateway, 'news'), {
    state: 'streaming',
    kind: 'topic',
    topic: true,
    subscribers: 2,
    peak: 2,
    publishers: 0,
    waitingMessages: 0,
    messages: 2,
    cuts: 0,
    receivers: 2,
    totalReceivers: null,
    bytes: 12,
    hasSender: false,
    receiverBytes: null,
  })
  await spectator.waitFor(/event: progress\ndata: \{.*"topic":true,"subscribers":2,.*"messages":2,/)
  const scraped = await metrics(gateway)
  for (const [name, value] of [
    ['pipegate_topics', 1],
    ['pipegate_topic_subscribers', 2],
    ['pipegate_topic_waiting_messages', 0],
    ['pipegate_topic_messages_total', 2],
    ['pipegate_topic_cuts_total', 0],
    ['pipegate_live_cuts_total', 0],
    ['pipegate_receivers', 2],
    ['pipegate_received_bytes_total', 12],
  ] as const) {
    t.equal(scraped.value(name), value, name)
  }
  t.notMatch((await curlDone([gateway.url('metrics')])).stdout.toString(), /news/, 'no label has a name in it')
  one.kill()
  await subscribersAre(gateway, 1)
  two.kill()
  await spectator.result
  const [, done] = /event: done\nid: .*\ndata: (.*)\n/.exec(spectator.stdoutText) ?? []
  const receipt: Receipt = JSON.parse(done ?? '{}')
  t.match(receipt, {
    state: 'complete',
    kind: 'topic',
    topic: true,
    transferId: waiting.transferId,
    bytes: 12,
    messages: 2,
    peak: 2,
    totalReceivers: null,
  })
  t.match(await status(gateway, 'news'), { state: 'complete', kind: 'topic', messages: 2, peak: 2, subscribers: 0 })
  t.match(
    gateway.lines.find(({ msg }) => msg === 'transfer'),
    { pipe: 'news', kind: 'topic', reason: 'complete', receivers: 2, messages: 2, cuts: 0, bytesIn: 12 },
  )
  await eventually(() => accessLines().some(({ msg }) => msg === 'transfer') || 'no line yet')
  t.match(
    accessLines().find(({ msg }) => msg === 'transfer'),
    { name: 'news', kind: 'topic', receivers: 2, messages: 2, cuts: 0, bytesIn: 12, bytesOut: 22 },
  )
  const after = await metrics(gateway)
  t.same(
    ['pipegate_topics', 'pipegate_topic_messages_total'].map((name) => after.value(name)),
    [0, 2],
  )
})

t.test('the page for people says what a topic does', async (t) => {
  const gateway = await startGateway(t, {}, { plugins: await defaultPlugins() })
  const reader = curl(['-N', gateway.url('news?topic')])
  await subscribersAre(gateway, 1)
  await curlDone(['-d', 'x', gateway.url('news?topic')])
  const page = await curlDone(['-H', 'Accept: text/html', gateway.url('news?progress')])
  t.match(page.stdout.toString(), /1\u00a0subscriber; 1\u00a0message so far\./)
  reader.kill()
})
