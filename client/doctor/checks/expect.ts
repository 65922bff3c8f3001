import { randomFillSync } from 'node:crypto'
import { leave, sha256, until } from '../call.js'
import { bad, type Check, ok, size, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 5000
const STALL_MS = 5000

/** An upload that asks first. */
export const expect: Check = {
  name: 'expect',
  async run(chain) {
    const name = chain.name('expect')
    const body = randomFillSync(Buffer.alloc(1024 ** 2))
    const receiver = chain.receive(name)
    const from = performance.now()
    const sender = chain.send(name, body.length, { headers: { expect: '100-continue' } })
    await until(() => sender.continuedAt !== undefined || sender.end !== undefined, FLOW_MS)
    const ms = sender.continuedAt === undefined ? null : Math.round(sender.continuedAt - from)
    void sender.write(body)
    sender.finish()
    await until(() => sender.end !== undefined && receiver.end !== undefined, STALL_MS)
    leave(sender, receiver)
    const whole = receiver.end === 'complete' && receiver.sha256 === sha256(body)
    if (sender.status !== 200 || !whole || !sender.lastLine.includes('Transfer complete')) {
      const seen = `an upload with "Expect: 100-continue" fails: ${sender.status ?? sender.why} ${sender.lastLine}, ${size(receiver.bytes)} of 1 MiB arrive`
      return bad('fail', seen, 'That is how curl uploads.', REMEDIES.expect, { ms })
    }
    if (ms !== null) return ok(`"100 Continue" comes after ${time(ms)}`, { ms })
    const seen = `no "100 Continue" within ${time(FLOW_MS)}; the upload itself works`
    return bad('warn', seen, 'curl waits a second before each upload.', REMEDIES.expect, { ms })
  },
}
