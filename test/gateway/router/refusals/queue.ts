/** What is refused because a name is a queue; test/gateway/router/queue goes through every clash. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { startGateway } from '../../../support/gateway.js'
import { allRefused, get, open, put } from './rig.js'

t.test('what a queue does not know, and when its places are taken', async (t) => {
  const gw = await startGateway(t, { maxQueued: '1' })
  const says = (found: string) =>
    new RegExp(
      `gives each stream to one receiver, so ${found} makes no sense .*\\. Leave it out, or leave out \\?queue\\.`,
    )
  const row = FAILURES.notWithQueue
  await allRefused(t, gw, [
    { ...put('/p?queue&n=2', 'x'), row, says: says('\\?n=2') },
    { ...put('/p?queue&min=1', 'x'), row, says: says('\\?min') },
    { ...get('/p?queue&take=3'), row, says: says('\\?take') },
    { ...get('/p?queue&slow=cut'), row, says: says('\\?slow') },
  ])
  t.equal(gw.gateway.table.get('p'), undefined)
  const receiving = await open(gw, get('/p?queue'))
  await gw.holds(1, 0)
  const isQueue = /This name is a queue now, and this request asks for a pipe\. Use another name, or come back when/
  await allRefused(t, gw, [
    { ...get('/p'), row: FAILURES.kindClash, says: isQueue },
    { ...put('/p', 'x'), row: FAILURES.kindClash, says: isQueue },
    {
      ...get('/p?queue'),
      row: FAILURES.queueFull,
      says: /All 1 places for receivers that wait on this queue are taken\. Try again when the other side has taken some/,
    },
  ])
  receiving.destroy()
  await gw.holds(0, 0)
  const sending = await open(gw, put('/p?queue', 'x'))
  await gw.holds(1, 0)
  await allRefused(t, gw, [
    {
      ...put('/p?queue', 'x'),
      row: FAILURES.queueFull,
      says: /All 1 places for senders that wait on this queue .*\. Try/,
    },
  ])
  sending.destroy()
})
