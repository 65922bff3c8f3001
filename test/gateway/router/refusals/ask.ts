/** What is refused because a name takes questions; test/gateway/router/ask goes through every end. */
import t from 'tap'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { startGateway } from '../../../support/gateway.js'
import { allRefused, get, open, put } from './rig.js'

t.test('what askers, workers and answers do not know, and answers that nobody waits for', async (t) => {
  const gw = await startGateway(t, { maxQueued: '1' })
  const says = (found: string) =>
    new RegExp(`its answer to who asked, so ${found} makes no sense with it here\\. Leave it`)
  const row = FAILURES.notWithAsk
  await allRefused(t, gw, [
    { ...put('/p?ask&n=2', 'x'), row, says: says('\\?n=2') },
    { ...get('/p?ask&sha256'), row, says: says('\\?sha256') },
    { ...get('/p?serve&within=3'), row, says: says('\\?within') },
    { ...put('/p?answer=x&take=3', 'x'), row, says: says('\\?take') },
    {
      ...put('/p?answer=0123456789abcdef', 'x'),
      row: FAILURES.noSuchAnswer,
      says: /No question on this name has ever been answered by 0123456789abcdef\. Send the answer to the address in/,
    },
  ])
  const asking = await open(gw, put('/p?ask&within=1', 'why'))
  await gw.holds(1, 0)
  const isAsk = /This name is a name for questions now, and this request asks for a pipe\. Use another name, or come/
  await allRefused(t, gw, [
    { ...get('/p'), row: FAILURES.kindClash, says: isAsk },
    { ...put('/p?ask', 'x'), row: FAILURES.queueFull, says: /All 1 places for askers that wait .*\. Try again when/ },
  ])
  const serving = await open(gw, get('/p?serve'))
  const { headers } = await serving.waitForResponse()
  await asking.waitForResponse()
  const { pathname, search } = new URL(headers['x-pipe-answer']![0]!)
  await allRefused(t, gw, [
    {
      ...put(`${pathname}${search}`, 'late'),
      row: FAILURES.answerGone,
      says: /Nobody waits for this answer: it has been given, comes too late, .*\. Take the next question\./,
    },
  ])
  for (const client of [asking, serving]) client.destroy()
})
