/** Whether bytes leave when they come, in both directions. */
import { type Call, leave, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, ok, size, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

/** What flows at all is here by then, from a machine that has much else to do as well. */
const FLOW_MS = 5000
/** The most that is sent to find out how much is held back. */
const MAX_FILL_BYTES = 1024 ** 2
const STEP_MS = 400

/**
 * A sender whose small body is all there reads two lines while it waits, each when there is something to say. And the first bytes
 * of a download of known length, if uploads flow: some hold back what does not fill a buffer of theirs.
 */
export const responseBuffering: Check = {
  name: 'response-buffering',
  async run(chain) {
    const [lineMs, held] = await Promise.all([secondLine(chain), chain.uploadsFlow ? heldOfLength(chain) : 0])
    const measured = { lineMs: lineMs ?? null, heldBytes: held ?? null }
    const means = 'Responses are held back. Lines, events and slow streams come late, or all at the end.'
    const fail = (seen: string) => bad('fail', seen, means, REMEDIES.responseBuffering, measured)
    if (lineMs === undefined) return fail(`a sender that waits has not read a new line after ${time(FLOW_MS)}`)
    if (held === undefined)
      return fail(`of a download that goes on, less than ${size(MAX_FILL_BYTES)} does not come through`)
    if (held > 0) return fail(`a download of known length comes through only after ${size(held)}`)
    const more = chain.uploadsFlow ? ', and a download comes as it flows' : '; downloads were not looked at'
    return ok(`a sender that waits reads a line ${time(lineMs)} after it was written${more}`, measured)
  },
}

/** @returns milliseconds until it was there; undefined: it was not */
async function secondLine(chain: Chain): Promise<number | undefined> {
  const name = chain.name('response')
  const sender = chain.send(name, 5, { query: '?reply=stream&n=2&wait=20' })
  void sender.write('hello')
  sender.finish()
  // The first one may come along with the head.
  const first = await until(() => sender.bytes > 0 || sender.end !== undefined, FLOW_MS)
  if (sender.status !== undefined && sender.status !== 200) throw new Error(`${sender.status} ${sender.lastLine}`)
  const { bytes } = sender
  const from = performance.now()
  const receiver = chain.receive(name, { query: '?n=2' })
  const second = first && (await until(() => sender.bytes > bytes || sender.end !== undefined, FLOW_MS))
  leave(sender, receiver)
  return second ? Math.round(performance.now() - from) : undefined
}

/** @returns after how many bytes the first one came, 0 when it came by itself; undefined: it did not */
async function heldOfLength(chain: Chain): Promise<number | undefined> {
  const name = chain.name('length')
  const receiver = chain.receive(name)
  const sender = chain.send(name, 2 * MAX_FILL_BYTES)
  void sender.write('x'.repeat(100))
  const held = (await until(() => receiver.bytes > 0, FLOW_MS)) ? 0 : await fill(sender, receiver)
  leave(sender, receiver)
  return held
}

/** The first bytes of an upload that goes on. */
export const requestBuffering: Check = {
  name: 'request-buffering',
  async run(chain) {
    const name = chain.name('request')
    const receiver = chain.receive(name)
    const sender = chain.send(name, undefined)
    const from = performance.now()
    await sender.write('x'.repeat(100))
    if (await until(() => receiver.bytes > 0, FLOW_MS)) {
      const ms = performance.now() - from
      leave(sender, receiver)
      return ok(`the first 100 bytes of an upload are there after ${time(ms)}, while it goes on`, {
        ms: Math.round(ms),
      })
    }
    if (sender.status !== undefined && sender.status !== 200) throw new Error(`${sender.status} ${sender.lastLine}`)
    // Who comes second is refused, if the first one is known.
    const second = chain.send(name, 0, { query: '?reply=end&wait=1' })
    second.finish()
    await until(() => second.end !== undefined, FLOW_MS)
    const isThere = second.status === 400
    const held = isThere ? await fill(sender, receiver) : undefined
    leave(sender, receiver)
    if (held === undefined) {
      const seen = isThere
        ? `of an upload that goes on, less than ${size(MAX_FILL_BYTES)} does not come through`
        : 'nothing of an upload reaches the gateway before its end'
      const means = 'A receiver gets nothing until the sender is done, and a body that never ends never arrives.'
      return bad('fail', seen, means, REMEDIES.requestBuffering, { heldBytes: null })
    }
    const means = 'Slow streams, logs and events arrive in lumps, late.'
    const mend = { ...REMEDIES.requestBuffering, ...REMEDIES.responseBuffering }
    return bad('fail', `an upload comes through only after ${size(held)}`, means, mend, { heldBytes: held })
  },
}

/** After how many bytes the first one came; undefined: it did not. */
async function fill(sender: Call, receiver: Call): Promise<number | undefined> {
  for (let sent = 100; sent < MAX_FILL_BYTES; ) {
    const more = sent < 1024 ? 1024 - sent : sent
    void sender.write(Buffer.alloc(more, 'x'))
    sent += more
    if (await until(() => receiver.bytes > 0, STEP_MS)) return sent
  }
  return undefined
}
