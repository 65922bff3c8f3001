/** What is refused because a name is live, or is not; test/gateway/router/live goes through every clash. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { eventually } from '../../../support/eventually.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import type { RawClient } from '../../../support/raw.js'
import { allRefused, answer, get, open, put } from './rig.js'

const LIVE_HEAD = { method: 'PUT', headers: ['Transfer-Encoding: chunked'] } as const

/** A broadcast that streams nothing yet. */
async function streaming(gw: Running, target: string): Promise<RawClient> {
  const sending = await open(gw, { ...LIVE_HEAD, target })
  await sending.waitFor('Live: streaming.')
  return sending
}

t.test('a name is a pipe or live, and a broadcast has one sender', async (t) => {
  const gw = await startGateway(t)
  const sending = await streaming(gw, '/p?live')
  const waiting = await open(gw, get('/pipe'))
  await gw.holds(1, 1)
  const isLive =
    /This name is a live stream now, and this request asks for a pipe\. Use another name, or come back when/
  const isPipe =
    /This name is a pipe now, and this request asks for a live stream\. Use another name, or come back when/
  await allRefused(t, gw, [
    { ...put('/p', 'x'), row: FAILURES.kindClash, says: isLive },
    { ...get('/p?live=0'), row: FAILURES.kindClash, says: isLive },
    { ...put('/pipe?live', 'x'), row: FAILURES.kindClash, says: isPipe },
    { ...get('/pipe?live'), row: FAILURES.kindClash, says: isPipe },
    {
      ...put('/p?live', 'x'),
      row: FAILURES.liveSenderExists,
      says: /This live stream already has its sender\. Use another name, or wait until that stream has ended\./,
    },
  ])
  t.equal(gw.gateway.table.get('p')?.live?.viewers, 0)
  for (const client of [sending, waiting]) client.destroy()
})

t.test('parameters that make no sense for a broadcast, and two kinds at once', async (t) => {
  const gw = await startGateway(t)
  const says = (found: string) =>
    new RegExp(`no known end, so ${found} makes no sense with it\\. Leave it out, or leave out \\?live\\.`)
  const row = FAILURES.notWithLive
  await allRefused(t, gw, [
    { ...put('/p?live&n=2', 'x'), row, says: says('\\?n=2') },
    { ...get('/p?live&n=0'), row, says: says('\\?n=0') },
    { ...get('/p?live&sha256'), row, says: says('\\?sha256') },
    { ...put('/p?live&size=3', 'x'), row, says: says('\\?size') },
    { ...put('/p?live', '--b--', 'Content-Type: multipart/form-data; boundary=b'), row, says: says('a form') },
    {
      ...get('/p?topic&live'),
      row: FAILURES.twoKinds,
      says: /This request asks for \?live and \?topic, and a name is one thing at a time\. Keep one of them\./,
    },
  ])
  t.equal(gw.gateway.table.get('p'), undefined)
})

t.test('the places for viewers and for live streams are taken', async (t) => {
  const gw = await startGateway(t, { maxViewers: '1' })
  const { table } = gw.gateway
  const sending = await streaming(gw, '/p?live')
  const viewer = await open(gw, get('/p?live'))
  await eventually(() => table.viewers === 1 || 'it is not there')
  const says = /All 1 places for viewers of this stream are taken\. Try again when somebody has left\./
  await allRefused(t, gw, [{ ...get('/p?live'), row: FAILURES.viewersFull, says }])
  // As many as that are not opened here.
  table.viewers += 4095
  const ofAll = /All 4096 places for viewers of this server are taken\. Try again when somebody has left\./
  await allRefused(t, gw, [{ ...get('/q?live'), row: FAILURES.allViewersFull, says: ofAll }])
  table.viewers -= 4095

  const others = await Promise.all(Array.from({ length: 99 }, (_, i) => streaming(gw, `/p${i}?live`)))
  const full = /All 100 places for live streams are taken\. Try again when one of them has ended\./
  await allRefused(t, gw, [
    { ...get('/q?live'), row: FAILURES.tooManyLive, says: full },
    { ...put('/q?live', 'x'), row: FAILURES.tooManyLive, says: full },
  ])
  const receiving = await open(gw, get('/a-pipe'))
  t.match((await answer(gw, put('/a-pipe', 'x'))).response.body.toString(), /Transfer complete\.\n$/)
  for (const client of [sending, viewer, receiving, ...others]) client.destroy()
})
