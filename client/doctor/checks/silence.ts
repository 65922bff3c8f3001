import { type Call, until } from '../call.js'
import { bad, type Check, ok, time } from '../check.js'
import { flowingPair } from '../flowing-pair.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 8000

/** Who waits, and a stream that rests. */
export const silence: Check = {
  name: 'silence',
  async run(chain, { silenceMs }) {
    const wait = `wait=${Math.min(3600, Math.ceil(silenceMs / 1000) + 60)}`
    const waiting = chain.receive(chain.name('waiting'), { query: `?${wait}` })
    const patient = chain.send(chain.name('patient'), 5, { query: `?reply=end&${wait}` })
    await patient.write('hello')
    patient.finish()
    const { sender, receiver } = await flowingPair(chain, chain.name('resting'), undefined)
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
