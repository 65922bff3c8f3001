/** Whether the other side, or the gateway, is told when a receiver leaves. */
import { until } from '../call.js'
import { bad, type Check, ok, time } from '../check.js'
import { flowingPair } from '../flowing-pair.js'
import { REMEDIES } from '../remedies.js'

const TOLD_MS = 8000
/** A request has come to the gateway by then, and a refusal back. */
const SETTLED_MS = 400

/** A receiver that dies in mid-body, of a sender that goes on. */
export const receiverLeft: Check = {
  name: 'receiver-left',
  async run(chain) {
    const { sender, receiver } = await flowingPair(chain, chain.name('left'), undefined)
    const from = performance.now()
    receiver.leave()
    // Some notice with the next bytes only.
    while (sender.end === undefined && performance.now() - from < TOLD_MS) {
      void sender.write('x'.repeat(1000))
      await until(() => sender.end !== undefined, 50)
    }
    const ms = Math.round((sender.endedAt ?? Number.NaN) - from)
    const { end, status, text } = sender
    sender.leave()
    if (end === undefined) {
      const seen = `a sender whose receiver has left is not told within ${time(TOLD_MS)}`
      return bad('fail', seen, 'It sends on for nobody.', REMEDIES.left, { ms: null })
    }
    if (end === 'complete' && status === 200 && !text.includes('[ERROR]')) {
      return bad('fail', 'a sender whose receiver has left is told that all went well', '', REMEDIES.truncation, { ms })
    }
    return ok(`a sender whose receiver has left is told after ${time(ms)}`, { ms })
  },
}

/** A receiver that leaves while it waits: its place is free again, or whoever comes next is one too many. */
export const waitingLeft: Check = {
  name: 'waiting-left',
  async run(chain) {
    const name = chain.name('waiting-left')
    const first = chain.receive(name)
    await until(() => first.end !== undefined, SETTLED_MS)
    if (first.end !== undefined)
      throw new Error(`a receiver cannot wait: ${first.status ?? first.why} ${first.lastLine}`)
    const from = performance.now()
    first.leave()
    while (performance.now() - from < TOLD_MS) {
      const ms = Math.round(performance.now() - from)
      const next = chain.receive(name)
      const isRefused = await until(() => next.end !== undefined, SETTLED_MS)
      next.leave()
      if (!isRefused) return ok(`the place of a receiver that leaves while it waits is free after ${time(ms)}`, { ms })
    }
    const seen = `the place of a receiver that left while it waited is not free after ${time(TOLD_MS)}`
    return bad('fail', seen, 'Who comes next is refused, and a sender sends to nobody.', REMEDIES.left, { ms: null })
  },
}
