/** One pipe with very many receivers: what one turn of the event loop does for it, and that it loses nothing. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { startGateway } from '../../support/gateway.js'

const MIB = 1024 * 1024
const RECEIVERS = 128
/** About what the kernel takes for a receiver that does not read. */
const BODY = randomBytes(3 * MIB)
/** Twice what crowds may do in one turn, before and after its end, and an offer that went beyond it. Unbounded: 56 MiB. */
const MOST_PER_TURN = 33 * MIB

for (const [what, framing, tls] of [
  ['with a length', 'length', false],
  ['chunked', 'chunked', false],
  ['over TLS', 'length', true],
] as const) {
  t.test(`${what}: ${RECEIVERS} receivers that do not read, and then do`, async (t) => {
    const gw = await startGateway(t, { maxReceivers: `${RECEIVERS}` }, { tls })
    const { table } = gw.gateway
    const receivers = await Promise.all(
      Array.from({ length: RECEIVERS }, (_, i) => gw.connect({ pauseOnConnect: true, keep: i % 21 === 0 })),
    )
    for (const each of receivers) await each.send(`GET /crowd?n=${RECEIVERS} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await eventually(() => table.get('crowd')?.receiversPresent === RECEIVERS || 'they are not there yet')
    let [most, sent, turns, isOver] = [0, 0, 0, false]
    const look = () => {
      const now = table.get('crowd')?.bytesSent ?? sent
      most = Math.max(most, now - sent)
      if (now > sent) turns++
      sent = now
      if (!isOver) setImmediate(look)
    }
    look()
    const sender = await gw.connect()
    const head = framing === 'length' ? `Content-Length: ${BODY.length}` : 'Transfer-Encoding: chunked'
    await sender.send(`PUT /crowd?n=${RECEIVERS} HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`)
    const size = `${BODY.length.toString(16)}\r\n`
    const sending = sender.send(
      framing === 'length' ? BODY : Buffer.concat([Buffer.from(size), BODY, Buffer.from('\r\n0\r\n\r\n')]),
    )
    await eventually(() => sent >= RECEIVERS * 64 * 1024 || `${sent} bytes have been sent`, { timeoutMs: 30_000 })
    for (const each of receivers) each.resume()
    await sending
    await sender.waitFor('Transfer complete.', 60_000)
    isOver = true
    t.ok(most <= MOST_PER_TURN, `${most} bytes at most in one of ${turns} turns`)
    await eventually(() => {
      const missing = receivers.filter((each) => each.receivedBytes < BODY.length)
      return missing.length === 0 || `${missing.length} have not got everything`
    })
    for (let i = 0; i < RECEIVERS; i += 21) {
      const { body, complete } = await receivers[i]!.waitForResponse()
      t.ok(complete && body.equals(BODY), `every byte, and in order: receiver ${i}`)
    }
    for (const each of [...receivers, sender]) each.destroy()
  })
}
