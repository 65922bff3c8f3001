/** What is refused because a name is a topic, or is not. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { allRefused, get, open, put, refused } from './rig.js'

t.test('a name is a topic, or something else', async (t) => {
  const gw = await startGateway(t)
  const { table } = gw.gateway
  const subscriber = await open(gw, get('/p?topic'))
  const waiting = await open(gw, get('/pipe'))
  await gw.holds(1, 0)
  await eventually(() => table.topics.size === 1 || 'no topic')
  const isTopic = (wanted: string) =>
    new RegExp(`This name is a topic now, and this request asks for ${wanted}\\. Use another name, or come back when`)
  const isPipe = /This name is a pipe now, and this request asks for a topic\. Use another name, or come back when/
  const row = FAILURES.kindClash
  await allRefused(t, gw, [
    { ...put('/p', 'x'), row, says: isTopic('a pipe') },
    { ...get('/p'), row, says: isTopic('a pipe') },
    { ...put('/p?live', 'x'), row, says: isTopic('a live stream') },
    { ...get('/p?live'), row, says: isTopic('a live stream') },
    { ...put('/pipe?topic', 'x'), row, says: isPipe },
    { ...put('/pipe?topic&lines', 'x'), row, says: isPipe },
    { ...put('/pipe?topic&min=1', 'x'), row, says: isPipe },
    { ...get('/pipe?topic'), row, says: isPipe },
  ])
  t.equal(table.get('p')?.topic?.subscribers, 1)
  for (const client of [subscriber, waiting]) client.destroy()
})

t.test('what makes no sense with a topic', async (t) => {
  const gw = await startGateway(t)
  const says = (found: string) =>
    new RegExp(`whoever is there, so ${found} makes no sense with it\\. Leave it out, or leave out \\?topic\\.`)
  const row = FAILURES.notWithTopic
  await allRefused(t, gw, [
    { ...put('/p?topic&n=2', 'x'), row, says: says('\\?n=2') },
    { ...get('/p?topic&n=0'), row, says: says('\\?n=0') },
    { ...get('/p?topic&sha256'), row, says: says('\\?sha256') },
    { ...get('/p?topic&slow=cut'), row, says: says('\\?slow') },
    { ...get('/p?topic&min=1'), row, says: says('\\?min') },
    ...['size=3', 'lag=9', 'join=byte', 'stall=3', 'transfer=0123456789abcdef'].map((query) => ({
      ...put(`/p?topic&${query}`, 'x'),
      row,
      says: says(`\\?${query.replace(/=.*/, '')}`),
    })),
    { ...put('/p?topic', '--b--', 'Content-Type: multipart/form-data; boundary=b'), row, says: says('a form') },
    { ...put('/p?topic&slow=skip', 'x'), row: FAILURES.badParameter, says: /slow is "skip"\. It takes hold or cut\./ },
    {
      ...put('/p?topic&min=9999', 'x'),
      row: FAILURES.badParameter,
      says: /min is "9999"\. It takes a whole number, 0 to 4096\./,
    },
    {
      ...put('/p?topic&lines=maybe', 'x'),
      row: FAILURES.badParameter,
      says: /lines is "maybe"\. It takes nothing, 1, true/,
    },
    {
      ...put('/p?topic&queue', 'x'),
      row: FAILURES.twoKinds,
      says: /This request asks for \?topic and \?queue, and a name is one thing at a time\. Keep one of them\./,
    },
  ])
  t.equal(gw.gateway.table.get('p'), undefined)
})

t.test('no place is left, and no room', async (t) => {
  const gw = await startGateway(t, { maxSubscribers: '1', maxWaiting: '1' })
  const { table } = gw.gateway
  const subscriber = await gw.connect({ pauseOnConnect: true })
  await subscriber.send('GET /p?topic HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => table.get('p')?.topic?.subscribers === 1 || 'it is not there')
  const places = /All 1 places for subscribers of this topic are taken\. Try again when somebody has left\./
  const topics = /All 1 places for topics are taken\. Try again when one of them has ended\./
  await allRefused(t, gw, [
    { ...get('/p?topic'), row: FAILURES.subscribersFull, says: places },
    { ...get('/q?topic'), row: FAILURES.tooManyTopics, says: topics },
    { ...put('/q?topic&min=1', 'x'), row: FAILURES.tooManyTopics, says: topics },
  ])
  const publisher = await gw.connect()
  for (let i = 0; table.get('p')?.topic?.waiting === 0 && i < 64; i++) {
    const body = 'x'.repeat(1024 * 1024)
    await publisher.send(`PUT /p?topic HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    await eventually(() => {
      const counts = table.get('p')?.topic
      return counts?.messages === i + 1 || counts?.waiting === 1 || JSON.stringify(counts)
    })
  }
  const says =
    /A subscriber has not taken what came before, and nobody has got this message\. Send it again, or with slow=cut/
  await refused(t, gw, { ...put('/p?topic&wait=1', 'x'), row: FAILURES.heldTooLong, says })
  for (const client of [subscriber, publisher]) client.destroy()
})
