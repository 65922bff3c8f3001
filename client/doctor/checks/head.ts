import { type Call, until } from '../call.js'
import { bad, type Check, ok } from '../check.js'
import { REMEDIES } from '../remedies.js'

const REACH_MS = 8000
const HEADS = [30_000, 16_000, 8000, 4000, 2000]
const LINES = [8000, 4000, 2000, 1000]

/** The largest head and the longest request line that come through. */
export const head: Check = {
  name: 'head',
  async run(chain) {
    const filler = (bytes: number) =>
      Object.fromEntries(Array.from({ length: bytes / 1000 }, (_, i) => [`x-doctor-${i}`, 'x'.repeat(980)]))
    const [headBytes, lineBytes] = await Promise.all([
      largest(HEADS, (bytes) => chain.receive('health', { headers: filler(bytes) })),
      largest(LINES, (bytes) => chain.receive('health', { query: `?${'x'.repeat(bytes)}` })),
    ])
    const measured = { headBytes, lineBytes }
    const seen = `a head of ${headBytes} bytes and an address of ${lineBytes} come through`
    if (headBytes === HEADS[0] && lineBytes === LINES[0]) return ok(seen, measured)
    const means = 'A gateway takes 32 KiB. Long tokens, cookies and X-Piping headers are refused before it sees them.'
    return bad('warn', seen, means, REMEDIES.head, measured)
  },
}

async function largest(sizes: readonly number[], open: (bytes: number) => Call): Promise<number> {
  for (const bytes of sizes) {
    const call = open(bytes)
    await until(() => call.end !== undefined, REACH_MS)
    if (call.status === 200 || call.status === 503) return bytes
    call.leave()
  }
  return 0
}
