/** What is told of a duplex pipe and of its directions: snapshots, events, receipts, metrics, logs, the page. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import type { Snapshot } from '../../../plugins/transfer-status/snapshot.js'
import { type CurlRun, curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { Exposition } from '../../support/exposition.js'
import type { Running } from '../../support/gateway.js'
import { Program } from '../../support/program.js'
import { startLogged } from '../logged-gateway.js'

/** A program has to start first. */
const PATIENCE_MS = 30_000

async function status(gateway: Running, query = 'status'): Promise<Snapshot> {
  return JSON.parse((await curlDone([gateway.url(`talk?${query}`)])).stdout.toString())
}

async function metrics(gateway: Running): Promise<Exposition> {
  return new Exposition((await curlDone([gateway.url('metrics')])).stdout.toString())
}

const joins = (gateway: Running, query = 'duplex'): CurlRun =>
  curl(['-sN', '-X', 'PUT', '-T', '.', gateway.url(`talk?${query}`)])

const peers = (gateway: Running, wanted: number) =>
  eventually(() => {
    const found = gateway.gateway.table.get('talk')?.duplex?.peers ?? 0
    return found === wanted || `${found} peers`
  })

async function opens(t: Test, gateway: Running, ...protocols: string[]): Promise<WebSocket> {
  const ws = new WebSocket(gateway.url('talk?ws').replace(/^http/, 'ws'), protocols)
  t.teardown(() => ws.terminate())
  await once(ws, 'open')
  return ws
}

t.test('a pair, from the wait of the first peer to the receipts of both directions', async (t) => {
  const { gateway, accessLines } = await startLogged(t)
  const spectator = curl(['-N', gateway.url('talk?progress')])
  await spectator.waitFor('event: state')
  const one = joins(gateway, 'duplex&transfer=said-by-the-first-one')
  await peers(gateway, 1)
  t.match(await status(gateway), {
    state: 'waiting',
    kind: 'duplex',
    duplex: true,
    peers: 1,
    webSockets: 0,
    saidBytes: [0, 0],
    protocol: null,
    transferId: null,
    totalReceivers: null,
  })
  await spectator.waitFor(/event: state\ndata: \{"state":"waiting","kind":"duplex".*"peers":1,"webSockets":0/)
  const before = await metrics(gateway)
  t.equal(before.value('pipegate_duplex_names'), 1)
  t.equal(before.value('pipegate_duplex_peers', { protocol: 'http' }), 1)
  t.equal(before.value('pipegate_duplex_peers', { protocol: 'websocket' }), 0)

  const another = joins(gateway, 'duplex&transfer=said-by-the-other-one')
  one.stdin.write('0123456789')
  another.stdin.write('four')
  await Promise.all([another.waitFor('0123456789'), one.waitFor('four')])
  await eventually(async () => {
    const found = await status(gateway)
    return found.bytes === 14 || `${found.bytes} bytes`
  })
  t.match(await status(gateway), { state: 'streaming', kind: 'duplex', peers: 2, saidBytes: [10, 4], bytes: 14 })
  t.match(await status(gateway, 'status&transfer=said-by-the-first-one'), {
    state: 'streaming',
    kind: 'duplex',
    transferId: 'said-by-the-first-one',
    bytes: 10,
    totalReceivers: 1,
  })
  t.notOk('duplex' in (await status(gateway, 'status&transfer=said-by-the-first-one')), 'it is one of two')
  await spectator.waitFor(/event: state\ndata: \{"state":"streaming","kind":"duplex".*"peers":2/)
  await spectator.waitFor(/event: progress\ndata: \{"bytes":14,.*"saidBytes":\[10,4\]/)
  one.stdin.end()
  await eventually(async () => {
    const found = await status(gateway, 'status&transfer=said-by-the-first-one')
    return found.state === 'complete' || found.state
  })
  t.match(await status(gateway), { state: 'streaming', peers: 2, saidBytes: [10, 4] }, 'half of it goes on')
  another.stdin.end('more')
  t.equal((await one.result).stdout.toString(), 'fourmore')
  t.equal((await another.result).code, 0)
  t.match(await status(gateway), { state: 'idle', last: { state: 'complete', kind: 'duplex', bytes: 8 } })
  await spectator.waitFor(/event: state\ndata: \{"state":"idle".*"transferId":"said-by-the-other-one"/)
  t.notMatch(spectator.stdoutText, 'event: done', 'others may meet here')
  spectator.kill()

  const after = await metrics(gateway)
  t.same([after.value('pipegate_duplex_names'), after.value('pipegate_duplex_peers', { protocol: 'http' })], [0, 0])
  t.equal(after.value('pipegate_sent_bytes_total'), 18)
  t.equal(after.value('pipegate_transfers_total', { reason: 'complete' }), 2)
  const transfers = () => accessLines().filter(({ msg }) => msg === 'transfer')
  await eventually(() => transfers().length === 2 || JSON.stringify(accessLines()))
  t.match(transfers(), [
    { name: 'talk', kind: 'duplex', bytesIn: 10, bytesOut: 10, reason: 'complete' },
    { name: 'talk', kind: 'duplex', bytesIn: 8, bytesOut: 8, reason: 'complete' },
  ])
})

t.test('a peer that vanishes: both directions have failed, and say of whom', async (t) => {
  const { gateway } = await startLogged(t)
  const one = joins(gateway, 'duplex&transfer=said-by-the-first-one')
  await peers(gateway, 1)
  const another = joins(gateway, 'duplex&transfer=said-by-the-other-one')
  one.stdin.write('half')
  await another.waitFor('half')
  one.kill()
  await peers(gateway, 0)
  // It would wait for more to send.
  another.kill()
  const [first, other] = [
    await status(gateway, 'status&transfer=said-by-the-first-one'),
    await status(gateway, 'status&transfer=said-by-the-other-one'),
  ]
  t.match(first, { reason: 'sender_left', message: 'The other peer disconnected before its last byte.' })
  t.match(other, { reason: 'receivers_left', message: 'The other peer disconnected before it had everything.' })
  t.equal((await metrics(gateway)).value('pipegate_transfers_total', { reason: 'sender_left' }), 1)
})

t.test('names with WebSockets: the kind is ws while there are no others', async (t) => {
  const { gateway } = await startLogged(t)
  const one = await opens(t, gateway, 'chat', 'other')
  await peers(gateway, 1)
  t.match(await status(gateway), {
    state: 'waiting',
    kind: 'ws',
    duplex: true,
    peers: 1,
    webSockets: 1,
    protocol: 'chat',
  })
  const another = await opens(t, gateway, 'chat')
  await peers(gateway, 2)
  t.match(await status(gateway), { state: 'streaming', kind: 'ws', peers: 2, webSockets: 2 })
  const page = await pageOf(gateway)
  t.match(page, />Talking</)
  t.match(page, 'Both ways: 2 peers, both WebSockets: 0 B from the first, 0 B from the other.')
  t.match(page, /data-field="receivers"[^>]*>2 here<[\s\S]*both WebSockets</)
  const watcher = new Program(t, ['watch', gateway.url('talk')], {})
  const line = 'talk: streaming, 2 peers, both WebSockets: 0 B from the first, 0 B from the other\n'
  await eventually(() => watcher.stdout.includes(line) || watcher.stdout, { timeoutMs: PATIENCE_MS })
  t.equal((await metrics(gateway)).value('pipegate_duplex_peers', { protocol: 'websocket' }), 2)
  one.close()
  await once(another, 'close')
  await eventually(() => gateway.gateway.table.get('talk') === undefined || 'somebody is there')
  t.match(await status(gateway), { state: 'idle', kind: 'pipe', last: { kind: 'duplex', state: 'complete' } })

  const mixed = await opens(t, gateway)
  await peers(gateway, 1)
  const http = joins(gateway)
  await peers(gateway, 2)
  t.match(await status(gateway), { kind: 'duplex', peers: 2, webSockets: 1 })
  t.match(await pageOf(gateway), '2 peers, one a WebSocket: ')
  mixed.send('by message')
  await http.waitFor('by message')
  mixed.close(1000)
  await peers(gateway, 0)
  http.stdin.end()
  t.equal((await http.result).stdout.toString(), 'by message')
})

t.test('who waits in vain: the page says so, and the last transfer has failed', async (t) => {
  const { gateway } = await startLogged(t)
  const one = joins(gateway, 'duplex&wait=1')
  await peers(gateway, 1)
  const page = await pageOf(gateway)
  t.match(page, 'Both ways: 1 peer: waiting for the other.')
  t.match(page, />Waiting</)
  t.match((await one.result).stdout.toString(), /Timed out waiting for the other peer/)
  t.match(await status(gateway), {
    state: 'idle',
    last: { state: 'failed', kind: 'duplex', message: 'Timed out waiting for the other peer.' },
  })
})

async function pageOf(gateway: Running): Promise<string> {
  const page = await curlDone(['-H', 'Accept: text/html', gateway.url('talk?progress')])
  return page.stdout.toString().replaceAll('\u00a0', ' ')
}
