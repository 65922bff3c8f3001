/** What one upload has many of is published in turns: nobody else waits for all of it. */
import { startGateway } from '../../../support/gateway.js'
import { countsOf, part, post, subscribed } from './rig.js'

const LINES = 300_000

part('others have a turn while an upload of empty lines is published', async (t) => {
  const gateway = await startGateway(t)
  const client = await subscribed(gateway, 'a', 1)
  const publisher = await gateway.connect()
  let [messages, most, isOver] = [0, 0, false]
  const look = () => {
    const now = countsOf(gateway, 'a')?.messages ?? messages
    most = Math.max(most, now - messages)
    messages = now
    if (!isOver) setImmediate(look)
  }
  look()
  publisher.send(post('a?topic&lines', '\n'.repeat(LINES))).catch(() => {})
  const { body } = await publisher.waitForResponse({ timeoutMs: 60_000 })
  isOver = true
  t.equal(body.toString(), `[INFO] Delivered ${LINES} message(s), the last to 1 subscriber(s).\n`)
  t.ok(most <= 2048, `${most} messages at most in one turn of the event loop`)
  for (const each of [client, publisher]) each.destroy()
})
