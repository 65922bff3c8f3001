import { sha256, until } from '../call.js'
import { bad, type Check, ok } from '../check.js'
import { REMEDIES } from '../remedies.js'

const STALL_MS = 5000

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
      got['content-encoding'] === undefined && receiver.sha256 !== sha256(body) && 'its bytes are others',
      got['content-length'] !== String(body.length) && 'its length is gone',
      got['x-piping'] !== 'from the doctor' && 'X-Piping is gone',
      !/^text\/plain\b/.test(got['content-type'] ?? '') && 'its Content-Type is another one',
    ].filter((each) => each !== false)
    if (changed.length === 0) return ok('a body arrives with its length, its type and X-Piping, not compressed')
    const means = 'Receivers get something else than was sent; without a length there is no progress bar.'
    return bad('warn', `a body does not arrive as it was sent: ${changed.join(', ')}`, means, REMEDIES.metadata)
  },
}
