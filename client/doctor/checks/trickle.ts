import { leave, until } from '../call.js'
import { bad, type Check, ok, skip, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 5000
const STALL_MS = 5000

/** A byte now and then. */
export const trickle: Check = {
  name: 'trickle',
  async run(chain, { silenceMs }) {
    const name = chain.name('trickle')
    const receiver = chain.receive(name)
    const sender = chain.send(name, undefined)
    const from = performance.now()
    const everyMs = Math.min(2000, silenceMs / 5)
    let [sent, worstMs] = [0, 0]
    while (performance.now() - from < silenceMs) {
      const at = performance.now()
      await sender.write('x')
      sent++
      const came = await until(() => receiver.bytes >= sent || receiver.end !== undefined, STALL_MS)
      if (!came || receiver.end !== undefined) {
        leave(sender, receiver)
        const seen = `a stream of a byte every ${time(everyMs)} ${came ? 'broke' : 'stood still'} after ${time(performance.now() - from)}`
        return bad('fail', seen, 'Slow streams do not live.', REMEDIES.silence, { bytes: receiver.bytes })
      }
      worstMs = Math.max(worstMs, performance.now() - at)
      await until(() => false, everyMs)
    }
    sender.finish()
    await until(() => receiver.end !== undefined, FLOW_MS)
    leave(sender, receiver)
    if (receiver.end !== 'complete') return skip('the end of a stream did not come')
    const seen = `a byte every ${time(everyMs)} for ${time(silenceMs)}, each there after ${time(worstMs)} at most`
    return ok(seen, { bytes: sent, worstMs: Math.round(worstMs) })
  },
}
