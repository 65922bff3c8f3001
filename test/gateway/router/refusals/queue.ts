/** What is refused because a name is a queue; test/gateway/router/queue goes through every clash. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { startGateway } from '../../../support/gateway.js'
import { connect } from '../../../support/raw.js'
import { allRefused, get, open, put, refused } from './rig.js'

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

t.test('what many jobs in one request do not know, a line that is too long, and jobs that were lost', async (t) => {
  const gw = await startGateway(t)
  const row = FAILURES.notWithQueueLines
  const says = (found: string) =>
    new RegExp(
      `each line is a job of its own, so ${found} makes no sense with it here\\. Leave it out, or leave out \\?lines\\.`,
    )
  await allRefused(t, gw, [
    { ...put('/p?queue&lines&sha256', 'x'), row, says: says('\\?sha256') },
    { ...put('/p?queue&lines&size=3', 'x'), row, says: says('\\?size') },
    { ...put('/p?queue&lines&reply=end', 'x'), row, says: says('\\?reply') },
    { ...put('/p?queue&lines&transfer=0123456789abcdef', 'x'), row, says: says('\\?transfer') },
    { ...put('/p?queue&lines', 'x', 'Content-Encoding: gzip'), row, says: says('a Content-Encoding') },
    { ...put('/p?queue&lines', 'x', 'Content-Type: multipart/form-data; boundary=b'), row, says: says('a form') },
    { ...get('/p?queue&lines&stall=3'), row, says: says('\\?stall') },
    { ...get('/p?queue&lines&take=3'), row: FAILURES.notWithQueue, says: /so \?take makes no sense/ },
    { ...get('/p?queue&lines=perhaps'), row: FAILURES.badParameter, says: /lines/ },
    {
      ...put('/p?queue&lines', 'x'.repeat(1024 * 1024 + 1)),
      row: FAILURES.lineTooLong,
      says: /has \d+ bytes or more, and may have 1048576\. Send shorter lines/,
    },
  ])
  t.equal(gw.gateway.table.get('p'), undefined)
  // One for each of the two requests.
  const frozen = await Promise.all([1, 2].map(() => connect({ port: gw.port, pauseOnConnect: true })))
  for (const client of frozen) await client.send('GET /p?queue&lines HTTP/1.1\r\nHost: pipe.test\r\n\r\n')
  await gw.holds(2, 0)
  // More than a kernel takes: it has a part when it is cut.
  await refused(t, gw, {
    ...put('/p?queue&lines&stall=1', `${'x'.repeat(1024 * 1024)}\n`),
    row: FAILURES.jobsLost,
    says: /0 job\(s\) were delivered, and 1 lost: their workers left.* Nobody else has got those\./,
  })
  for (const client of frozen) client.destroy()
})
