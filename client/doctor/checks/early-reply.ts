import { createHash, randomFillSync } from 'node:crypto'
import { type Call, leave, sha256, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, ok, size } from '../check.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 5000
const STALL_MS = 5000
/** The most that is sent to fill all buffers on the way; the kernels' may hold some MiB each. */
const LARGEST_BYTES = 64 * 1024 ** 2
const FILL_MS = 8000
const PIECE_BYTES = 256 * 1024
/** A write that has waited for so long waits for the receiver, and not for a machine that has other things to do. */
const BLOCKED_MS = 1200
/** Sent after that. */
const AFTER_PIECES = 16

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
  const write = (roomMs: number) => {
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
  while (!isFull() && (await write(BLOCKED_MS)));
  const early = sender.status !== undefined
  receiver.resume()
  let stalls = false
  for (let more = 0; more < AFTER_PIECES && sender.end === undefined && !stalls; more++)
    stalls = !(await write(STALL_MS))
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
  return verdictOf(sender, receiver!, 64_000, sha256(Buffer.concat(pieces)), early)
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
