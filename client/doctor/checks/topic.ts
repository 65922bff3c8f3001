import { type Call, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, ok, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 5000
const MESSAGES = 3
/** After so much silence a gateway says something in an event stream; it looks once in a while only. */
const HEARTBEAT_MS = 15_000
const LATE_MS = 3000
/** As a browser asks: what compresses for it may keep back what is small, in streams of this type and in no others. */
const EVENT_SOURCE = { accept: 'text/event-stream', 'accept-encoding': 'gzip, br, zstd' }

const LATE = 'Events come late, in lumps, or never. A page shows what is no longer true.'
const CUT = 'A page comes back again and again, and has missed what was published meanwhile.'

/** A page that listens for events: each is there before the next one is published, and so is what keeps it alive in silence. */
export const topic: Check = {
  name: 'topic',
  async run(chain, { silenceMs }) {
    const name = chain.name('topic')
    const subscriber = chain.receive(name, { query: '?topic', headers: EVENT_SOURCE })
    try {
      if (!(await until(() => subscriber.status !== undefined, FLOW_MS))) {
        return held(`an event stream has not begun after ${time(FLOW_MS)}`)
      }
      let worstMs = 0
      for (let i = 1; i <= MESSAGES; i++) {
        const ms = await event(chain, name, subscriber, i)
        if (ms === undefined) return held(`message ${i} of a topic was not there ${time(FLOW_MS)} later`)
        worstMs = Math.max(worstMs, Math.round(ms))
      }
      const seen = `each message of a topic is there after ${time(worstMs)} at most`
      if (silenceMs < HEARTBEAT_MS) {
        return ok(`${seen}; what keeps it alive in silence was not looked at`, { worstMs, heartbeatMs: null })
      }
      return await heartbeat(subscriber, seen, worstMs)
    } finally {
      subscriber.leave()
    }
  },
}

const held = (seen: string) => bad('fail', seen, LATE, REMEDIES.responseBuffering)

/** Publishes one. @returns milliseconds until the subscriber had it; undefined: it did not come */
async function event(chain: Chain, name: string, subscriber: Call, i: number): Promise<number | undefined> {
  const message = `message ${i}`
  const from = performance.now()
  const before = subscriber.bytes
  const isCompressed = subscriber.headers['content-encoding'] !== undefined
  const publisher = chain.send(name, message.length, { query: '?topic&min=1&wait=5' })
  void publisher.write(message)
  publisher.finish()
  const isThere = () => (isCompressed ? subscriber.bytes > before : subscriber.text.includes(`data: ${message}\n`))
  const isRefused = () => [publisher, subscriber].some(({ status = 200 }) => status !== 200)
  await until(() => isThere() || isRefused() || subscriber.end !== undefined, FLOW_MS)
  const ms = performance.now() - from
  publisher.leave()
  const refused = [subscriber, publisher].find(({ status = 200 }) => status !== 200)
  if (refused !== undefined) throw new Error(`no message gets through: ${refused.status} ${refused.lastLine}`)
  return isThere() ? ms : undefined
}

/** A comment, which comes when nothing else does. */
async function heartbeat(subscriber: Call, seen: string, worstMs: number) {
  const from = performance.now()
  const before = subscriber.bytes
  const isThere = () => subscriber.bytes > before
  await until(() => isThere() || subscriber.end !== undefined, HEARTBEAT_MS + LATE_MS)
  const ms = Math.round(performance.now() - from)
  if (isThere()) return ok(`${seen}, and so is a heartbeat after ${time(ms)} of silence`, { worstMs, heartbeatMs: ms })
  if (subscriber.end === undefined) return held(`no heartbeat comes in an event stream that is silent for ${time(ms)}`)
  const cut = `an event stream is cut after ${time(ms)} of silence, before its heartbeat`
  return bad('fail', cut, CUT, REMEDIES.silence, { worstMs, heartbeatMs: null, silentMs: ms })
}
