/** Whether each side is told of an end, and whether silence is taken for one. */
import { type Call, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, ok, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 8000
const TOLD_MS = 8000
/** A request has come to the gateway by then, and a refusal back. */
const SETTLED_MS = 400

interface Pair {
  readonly sender: Call
  readonly receiver: Call
}

/** Two sides between which the first bytes have flowed. @throws Error when they do not */
async function flowing(chain: Chain, name: string, length: number | undefined): Promise<Pair> {
  const receiver = chain.receive(name)
  const sender = chain.send(name, length)
  await sender.write('x'.repeat(1000))
  if (await until(() => receiver.bytes > 0 || receiver.end !== undefined, FLOW_MS)) return { sender, receiver }
  throw new Error(`no bytes flow: ${sender.status ?? 'no answer'} ${sender.lastLine}`)
}

/** A sender that dies in mid-body. */
function truncation(framing: 'chunked' | 'length'): Check {
  return {
    name: `truncation-${framing}`,
    async run(chain) {
      const length = framing === 'length' ? 100_000 : undefined
      const { sender, receiver } = await flowing(chain, chain.name(`cut-${framing}`), length)
      const from = performance.now()
      sender.leave()
      await until(() => receiver.end !== undefined, TOLD_MS)
      const ms = Math.round((receiver.endedAt ?? Number.NaN) - from)
      const what = framing === 'length' ? 'of known length' : 'of unknown length'
      const end = receiver.end
      receiver.leave()
      if (end === 'cut' || end === 'failed') {
        return ok(`the receiver of a body ${what} whose sender dies sees a break after ${time(ms)}`, { ms })
      }
      const means = 'Half a file looks like a whole one.'
      if (end === 'complete') {
        const seen = `the receiver of a body ${what} whose sender dies gets a part as if it were all`
        return bad('fail', seen, means, REMEDIES.truncation, { ms })
      }
      const seen = `the receiver of a body ${what} whose sender dies is not told within ${time(TOLD_MS)}`
      return bad('fail', seen, 'It waits for nothing.', REMEDIES.left, { ms: null })
    },
  }
}

export const truncationChunked = truncation('chunked')
export const truncationLength = truncation('length')

/** A receiver that dies in mid-body, of a sender that goes on. */
export const receiverLeft: Check = {
  name: 'receiver-left',
  async run(chain) {
    const { sender, receiver } = await flowing(chain, chain.name('left'), undefined)
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

/** Who waits, and a stream that rests. */
export const silence: Check = {
  name: 'silence',
  async run(chain, { silenceMs }) {
    const wait = `wait=${Math.min(3600, Math.ceil(silenceMs / 1000) + 60)}`
    const waiting = chain.receive(chain.name('waiting'), { query: `?${wait}` })
    const patient = chain.send(chain.name('patient'), 5, { query: `?reply=end&${wait}` })
    await patient.write('hello')
    patient.finish()
    const { sender, receiver } = await flowing(chain, chain.name('resting'), undefined)
    const from = performance.now()
    const calls: readonly (readonly [string, Call])[] = [
      ['a receiver that waits', waiting],
      ['a sender that waits (?reply=end)', patient],
      ['a stream that rests', receiver],
      ['the sender of a stream that rests', sender],
    ]
    await until(() => calls.some(([, call]) => call.end !== undefined), silenceMs)
    const silentMs = Math.round(performance.now() - from)
    const ended = calls.find(([, call]) => call.end !== undefined)
    if (ended !== undefined) {
      const [who, call] = ended
      const how = call.status === undefined || call.end === 'cut' ? 'is cut' : `is answered with ${call.status}`
      const means =
        'Proxies take silence for death. A gateway lets a side wait for up to an hour, and a stream rest as long.'
      return bad('fail', `${who} ${how} after ${time(silentMs)}`, means, REMEDIES.silence, { silentMs })
    }
    // They may have been forgotten without a word.
    sender.finish()
    const late = chain.receive(chain.name('patient'))
    const other = chain.send(chain.name('waiting'), 5)
    await other.write('hello')
    other.finish()
    const ends: readonly (readonly [string, Call])[] = [
      ['a receiver that waited', waiting],
      ['a sender that waited (?reply=end)', late],
      ['a stream that rested', receiver],
    ]
    await until(() => ends.every(([, call]) => call.end !== undefined), FLOW_MS)
    const lost = ends.find(([, call]) => call.end !== 'complete' || call.status !== 200)
    if (lost !== undefined) {
      const seen = `${lost[0]} was lost without a word within ${time(silentMs)}`
      return bad('fail', seen, 'Something on the way forgets connections that are silent.', REMEDIES.silence, {
        silentMs,
      })
    }
    const seen = `who waits and what rests is still there after ${time(silentMs)}; longer silence was not measured`
    return ok(seen, { silentMs })
  },
}
