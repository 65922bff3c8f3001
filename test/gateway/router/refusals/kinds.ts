/** Kinds of names and pages that are not built, and sides that do not wait: none of them takes a place. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { type Ask, allRefused, answer, type Case, get, open, put } from './rig.js'

const PAGES = ['video', 'share']
function unavailable(ask: Ask, name: string): Case {
  return { ...ask, row: FAILURES.notAvailable, says: new RegExp(`does not offer \\?${name}\\. Leave it out\\.`) }
}

const uploads = (target: string): Ask[] => [put(target, 'no'), { ...put(target, 'no'), method: 'POST' }]

t.test('a kind or page that is not built is refused, whether somebody waits there or not', async (t) => {
  const gw = await startGateway(t)
  const cases = [
    ...PAGES.flatMap((name) => [unavailable(get(`/p?${name}`), name), unavailable(get(`/p?${name}=1&n=2`), name)]),
    ...[get('/p?ws'), ...uploads('/p?ws')].map((ask) => ({
      ...ask,
      row: FAILURES.upgradeRequired,
      says: /Only a WebSocket can take \?ws, .*\. Connect with a WebSocket client, or leave it out\./,
    })),
  ]
  await allRefused(t, gw, cases)
  t.equal(gw.gateway.table.get('p'), undefined, 'no place is taken on a free name')

  const sending = await open(gw, put('/p?n=2', 'hello'))
  await gw.holds(1, 0)
  await allRefused(t, gw, cases)
  t.equal(gw.gateway.table.get('p')?.receiversPresent, 0, 'nor where a sender waits')
  t.equal((await answer(gw, get('/p?ws'))).response.headers.upgrade?.[0], 'websocket')
  const receiving = [await open(gw, get('/p?n=2')), await open(gw, get('/p?n=2'))]
  for (const client of receiving) t.equal((await client.waitForResponse()).body.toString(), 'hello')
  for (const client of [sending, ...receiving]) client.destroy()
})

t.test('what is off, misspelt or meant for others is a pipe', async (t) => {
  const gw = await startGateway(t)
  const pairs: [Ask, Ask][] = [
    [put('/a?live=0', 'a'), get('/a?live=0&ws=no&video=false')],
    [put('/b?video&share', 'b'), get('/b?Live&queues&lag=5')],
    [put('/c?now=0', 'c'), get('/c?now=no')],
  ]
  for (const [send, receive] of pairs) {
    const sending = await open(gw, send)
    const { response } = await answer(gw, receive)
    t.same([response.status, response.body.toString()], [200, send.body])
    await sending.waitFor('Transfer complete.')
    sending.destroy()
  }
})

t.test('?now joins whoever waits, and else nobody', async (t) => {
  const gw = await startGateway(t)
  const says =
    /^\[ERROR\] Nobody is waiting for this name\. Come again later, or leave out \?now to wait for somebody\./
  const alone: Case[] = [get('/p?now'), ...uploads('/p?now')].map((ask) => ({
    ...ask,
    row: FAILURES.nobodyWaiting,
    says,
  }))
  await allRefused(t, gw, alone)
  t.equal(gw.gateway.table.get('p'), undefined)

  const receiving = await open(gw, get('/p'))
  await gw.holds(1, 0)
  await allRefused(t, gw, [{ ...get('/q?now'), row: FAILURES.nobodyWaiting, says }])
  const sending = await open(gw, put('/p?now', 'hello'))
  t.equal((await receiving.waitForResponse()).body.toString(), 'hello')
  await sending.waitFor('Transfer complete.')

  const waiting = await open(gw, put('/p', 'again'))
  await eventually(() => gw.gateway.table.waiting === 1 || 'the sender does not wait')
  t.equal((await answer(gw, get('/p?now'))).response.body.toString(), 'again')
  for (const client of [receiving, sending, waiting]) client.destroy()
})

t.test('who only looks ahead takes nothing', async (t) => {
  const gw = await startGateway(t)
  const says =
    /only looks ahead \(.+\), and a stream is there once\. Open the address itself, or send a request without that\./
  const looks = ['Sec-Purpose: prefetch', 'User-Agent: Twitterbot/1.0']
  await allRefused(
    t,
    gw,
    looks.map((header) => ({ ...get('/p'), headers: [header], row: FAILURES.onlyLooks, says })),
  )
  t.equal(gw.gateway.table.get('p'), undefined)
})
