import { until } from '../call.js'
import { bad, type Check, ok, time } from '../check.js'
import { flowingPair } from '../flowing-pair.js'
import { REMEDIES } from '../remedies.js'

const TOLD_MS = 8000

/** A sender that dies in mid-body. */
function truncation(framing: 'chunked' | 'length'): Check {
  return {
    name: `truncation-${framing}`,
    async run(chain) {
      const length = framing === 'length' ? 100_000 : undefined
      const { sender, receiver } = await flowingPair(chain, chain.name(`cut-${framing}`), length)
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
