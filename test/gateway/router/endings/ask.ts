/** The two endings that only questions have; test/gateway/router/ask has the others. Both end one that is still being asked. */
import { startGateway } from '../../../support/gateway.js'
import { parseResponse } from '../../../support/raw.js'
import { answerTo, serves } from '../ask/rig.js'
import { openSender, part, reasonOf } from './rig.js'

const HALF = 'half a question'

part('a worker that answers before it has the whole question: both have what there is', async (t) => {
  const gateway = await startGateway(t)
  const worker = await serves(gateway)
  await gateway.holds(1, 0)
  const asker = await openSender(gateway, 'q?ask', 'chunked')
  await asker.send(`${HALF.length.toString(16)}\r\n${HALF}\r\n`)
  await worker.raw.waitFor(HALF)
  const answer = await gateway.connect()
  await answer.send(`PUT /${answerTo(await worker.head())} HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nenough`)
  const response = await asker.waitForResponse()
  t.same([response.status, response.body.toString(), response.complete], [200, 'enough', true])
  t.equal(await reasonOf(gateway, 'q', 2), 'answered', 'the first line is that of the answer')
  await worker.raw.waitForClose()
  t.notOk(parseResponse(worker.raw.received).complete, 'the worker does not take it for a whole question')
})

part('a worker that does not answer in time, while it is still being asked', async (t) => {
  const gateway = await startGateway(t)
  const worker = await serves(gateway)
  await gateway.holds(1, 0)
  const asker = await openSender(gateway, 'q?ask&within=1', 'chunked')
  await asker.send(`${HALF.length.toString(16)}\r\n${HALF}\r\n`)
  await worker.raw.waitFor(HALF)
  t.equal(await reasonOf(gateway, 'q'), 'no_answer')
  t.equal((await asker.waitForResponse()).status, 504)
})
