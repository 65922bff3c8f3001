/** Whether bytes leave when they come, both ways, and arrive as they were sent. */
import { createHash, randomFillSync } from 'node:crypto'
import { type Call, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, type Finding, ok, size, skip, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

/** What flows at all is here by then, from a machine that has much else to do as well. */
const FLOW_MS = 5000
/** The most that is poured in to find out how much is held back. */
const POUR_BYTES = 1024 ** 2
const STEP_MS = 400
const STALL_MS = 5000
/** The most that is sent to fill all buffers on the way; the kernels' may hold some MiB each. */
const LARGEST_BYTES = 64 * 1024 ** 2
const FILL_MS = 4000
const PIECE_BYTES = 256 * 1024
/** A write that has waited for so long waits for the receiver. */
const BLOCKED_MS = 400
/** Sent after that. */
const AFTER_PIECES = 16

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
      return fail(`of a download that goes on, less than ${size(POUR_BYTES)} does not come through`)
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
  const sender = chain.send(name, 2 * POUR_BYTES)
  void sender.write('x'.repeat(100))
  const held = (await until(() => receiver.bytes > 0, FLOW_MS)) ? 0 : await pour(sender, receiver)
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
    const held = isThere ? await pour(sender, receiver) : undefined
    leave(sender, receiver)
    if (held === undefined) {
      const seen = isThere
        ? `of an upload that goes on, less than ${size(POUR_BYTES)} does not come through`
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
async function pour(sender: Call, receiver: Call): Promise<number | undefined> {
  for (let sent = 100; sent < POUR_BYTES; ) {
    const more = sent < 1024 ? 1024 - sent : sent
    void sender.write(Buffer.alloc(more, 'x'))
    sent += more
    if (await until(() => receiver.bytes > 0, STEP_MS)) return sent
  }
  return undefined
}

/** A body and its metadata, as a receiver that would take a compressed one gets it. */
export const untouched: Check = {
  name: 'untouched',
  async run(chain) {
    const name = chain.name('untouched')
    const body = 'All that flows, flows as it came.\n'.repeat(200)
    const receiver = chain.receive(name, { headers: { 'accept-encoding': 'gzip, br, zstd' } })
    const headers = { 'content-type': 'text/plain', 'x-piping': 'from the doctor' }
    const sender = chain.send(name, body.length, { headers })
    void sender.write(body)
    sender.finish()
    await until(() => receiver.end !== undefined, STALL_MS)
    if (receiver.status !== 200) throw new Error(`${receiver.status ?? 'no answer'} ${receiver.lastLine}`)
    const got = receiver.headers
    const changed = [
      got['content-encoding'] !== undefined && `it is compressed (${got['content-encoding']})`,
      got['content-encoding'] === undefined && receiver.sha256 !== digest(body) && 'its bytes are others',
      got['content-length'] !== String(body.length) && 'its length is gone',
      got['x-piping'] !== 'from the doctor' && 'X-Piping is gone',
      !/^text\/plain\b/.test(got['content-type'] ?? '') && 'its Content-Type is another one',
    ].filter((each) => each !== false)
    if (changed.length === 0) return ok('a body arrives with its length, its type and X-Piping, not compressed')
    const means = 'Receivers get something else than was sent; without a length there is no progress bar.'
    return bad('warn', `a body does not arrive as it was sent: ${changed.join(', ')}`, means, REMEDIES.metadata)
  },
}

/** Senders that are answered while they upload. */
export const earlyReply: Check = {
  name: 'early-reply',
  async run(chain) {
    const trial = (query: string) => Promise.all([large(chain, query), slow(chain, query)])
    const plain = await trial('')
    const broken = plain.find(({ problem }) => problem !== undefined)
    const measured = { bytes: plain[0].bytes, linesWhileUploading: plain[0].early }
    if (broken === undefined) {
      const when = plain[0].early ? 'read their lines while they upload' : 'are answered at the end'
      return ok(`senders ${when}, and ${size(plain[0].bytes)} arrive as they were sent`, measured)
    }
    const seen = broken.problem!
    if (broken.status === 413) {
      return bad('fail', seen, 'The proxy has a limit for the size of a body.', REMEDIES.tooLarge, measured)
    }
    const atEnd = await trial('?reply=end')
    if (atEnd.every(({ problem }) => problem === undefined)) {
      const means = 'The proxy stops reading an upload once it has been answered. With ?reply=end it works.'
      return bad('fail', seen, means, REMEDIES.earlyReply, { ...measured, replyEndWorks: true })
    }
    const means = `Uploads break on the way. With ?reply=end too: ${atEnd.find(({ problem }) => problem)?.problem}.`
    return bad(
      'fail',
      seen,
      means,
      { ...REMEDIES.requestBuffering, ...REMEDIES.tooLarge },
      { ...measured, replyEndWorks: false },
    )
  },
}

interface Trial {
  readonly bytes: number
  readonly problem: string | undefined
  readonly status: number | undefined
  /** The answer began before the upload was over. */
  readonly early: boolean
}

/** More than all buffers on the way can hold, to a receiver that is slow at first. */
async function large(chain: Chain, query: string): Promise<Trial> {
  const name = chain.name(`large${query.length}`)
  const piece = randomFillSync(Buffer.alloc(PIECE_BYTES))
  const hash = createHash('sha256')
  const receiver = chain.receive(name)
  receiver.pause()
  const sender = chain.send(name, undefined, { query })
  await until(() => sender.status !== undefined, 300)
  let bytes = 0
  /** Whether there was room within this time. */
  const pour = (roomMs: number) => {
    piece.writeUInt32LE(bytes)
    hash.update(piece)
    bytes += piece.length
    let isWritten = false
    void sender.write(Buffer.from(piece)).then(() => {
      isWritten = true
    })
    return until(() => isWritten || sender.end !== undefined, roomMs)
  }
  const full = performance.now() + FILL_MS
  const isFull = () => bytes >= LARGEST_BYTES || performance.now() > full || sender.end !== undefined
  while (!isFull() && (await pour(BLOCKED_MS)));
  const early = sender.status !== undefined
  receiver.resume()
  let stalls = false
  for (let more = 0; more < AFTER_PIECES && sender.end === undefined && !stalls; more++)
    stalls = !(await pour(STALL_MS))
  sender.finish()
  if (!stalls) await progress(receiver)
  return verdictOf(sender, receiver, bytes, hash.digest('hex'), early)
}

/** Chunked, small, and in pieces that come between the lines of the answer. */
async function slow(chain: Chain, query: string): Promise<Trial> {
  const name = chain.name(`slow${query.length}`)
  const pieces = Array.from({ length: 8 }, () => randomFillSync(Buffer.alloc(8000)))
  const sender = chain.send(name, undefined, { query })
  await until(() => sender.bytes > 0, 300)
  let receiver: Call | undefined
  let early = false
  for (const [i, piece] of pieces.entries()) {
    if (i === 3) receiver = chain.receive(name)
    await sender.write(piece)
    await until(() => false, 50)
    early ||= sender.status !== undefined
  }
  sender.finish()
  await progress(receiver!)
  return verdictOf(sender, receiver!, 64_000, digest(Buffer.concat(pieces)), early)
}

/** Until it is over, or no byte came for a while. */
async function progress(receiver: Call): Promise<void> {
  for (let [last, since] = [-1, 0]; receiver.end === undefined; ) {
    if (receiver.bytes !== last) [last, since] = [receiver.bytes, performance.now()]
    if (performance.now() - since > STALL_MS) return
    await until(() => receiver.end !== undefined || receiver.bytes !== last, 500)
  }
}

async function verdictOf(sender: Call, receiver: Call, bytes: number, sha256: string, early: boolean): Promise<Trial> {
  await until(() => sender.end !== undefined, receiver.end === undefined ? 0 : FLOW_MS)
  const { status } = sender
  const result = (problem: string | undefined) => {
    leave(sender, receiver)
    return { bytes, problem, status, early }
  }
  if (status !== undefined && status !== 200) return result(`an upload of ${size(bytes)} is answered with ${status}`)
  if (receiver.end === undefined) return result(`an upload stops at ${size(receiver.bytes)} of ${size(bytes)}`)
  if (receiver.end !== 'complete') return result(`an upload breaks at ${size(receiver.bytes)} of ${size(bytes)}`)
  if (receiver.bytes !== bytes)
    return result(`of an upload of ${bytes} bytes ${receiver.bytes} arrive, as if they were all`)
  if (receiver.sha256 !== sha256) return result(`an upload of ${size(bytes)} arrives with other bytes`)
  if (sender.end !== 'complete') return result('the answer to a sender does not end')
  return result(undefined)
}

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
    const whole = receiver.end === 'complete' && receiver.sha256 === digest(body)
    if (sender.status !== 200 || !whole || !sender.lastLine.includes('Transfer complete')) {
      const seen = `an upload with "Expect: 100-continue" fails: ${sender.status ?? sender.why} ${sender.lastLine}, ${size(receiver.bytes)} of 1 MiB arrive`
      return bad('fail', seen, 'That is how curl uploads.', REMEDIES.expect, { ms })
    }
    if (ms !== null) return ok(`"100 Continue" comes after ${time(ms)}`, { ms })
    const seen = `no "100 Continue" within ${time(FLOW_MS)}; the upload itself works`
    return bad('warn', seen, 'curl waits a second before each upload.', REMEDIES.expect, { ms })
  },
}

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

function leave(...calls: readonly Call[]): void {
  for (const call of calls) call.leave()
}

function digest(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}

export type { Finding }
