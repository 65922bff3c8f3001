import { type Call, leave, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, ok, skip, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 5000
const PIECES = 5
const PAUSE_MS = 100
const MEANS = 'Who watches a live stream sees it late or in lumps, or cannot join while it runs.'

/** Whichever direction it is that is held back. */
const MEND = Object.fromEntries(
  Object.entries(REMEDIES.requestBuffering).map(([where, setting]) => {
    const more: Readonly<Record<string, string>> = REMEDIES.responseBuffering
    return [where, where in more ? `${setting}  ${more[where]}` : setting]
  }),
)

/** A broadcast in pieces: each has to be with its viewers before the next one is sent, also with one that came in its midst. */
export const live: Check = {
  name: 'live',
  async run(chain) {
    const name = chain.name('live')
    const viewer = chain.receive(name, { query: '?live' })
    // Where early replies break, they would do so here. And what is sent while nobody is there is dropped.
    const query = `${chain.sendQuery === '' ? '?' : `${chain.sendQuery}&`}live&min=1`
    const sender = chain.send(name, undefined, { query })
    try {
      return await broadcast(chain, name, sender, viewer)
    } finally {
      leave(sender, viewer)
    }
  },
}

async function broadcast(chain: Chain, name: string, sender: Call, viewer: Call) {
  const fail = (seen: string) => bad('fail', seen, MEANS, MEND)
  let worstMs = 0
  for (let sent = 1; sent <= PIECES; sent++) {
    const took = await piece(sender, viewer)
    if (viewer.status === 501 || (took !== undefined && viewer.headers['x-pipe-live'] === undefined)) {
      return skip('this gateway does not offer live streams')
    }
    if (took === undefined)
      return fail(`piece ${sent} of a live stream was not there ${time(FLOW_MS)} later: ${why(sender, viewer)}`)
    worstMs = Math.max(worstMs, took)
    await until(() => false, PAUSE_MS)
  }
  const late = chain.receive(name, { query: '?live' })
  const from = performance.now()
  // Nothing tells when it has joined, but what it reads does.
  while (late.bytes === 0 && late.end === undefined && performance.now() - from < FLOW_MS) {
    await sender.write('x')
    await until(() => late.bytes > 0, PAUSE_MS)
  }
  const joinMs = Math.round(performance.now() - from)
  const offset = Number(late.headers['x-pipe-offset'] ?? 0)
  if (late.bytes === 0 || offset < PIECES) {
    leave(late)
    return fail(`a viewer that came while it ran got nothing: ${why(sender, late)}`)
  }
  sender.finish()
  await until(() => viewer.end !== undefined && late.end !== undefined, FLOW_MS)
  const isWhole = viewer.end === 'complete' && late.end === 'complete' && late.bytes === viewer.bytes - offset
  leave(late)
  const measured = { worstMs: Math.round(worstMs), joinMs }
  if (!isWhole) return fail('the end of a live stream did not come to its viewers')
  const seen = `each piece of a live stream is there before the next, after ${time(worstMs)} at most; a late viewer joins within ${time(joinMs)}`
  return ok(seen, measured)
}

/** Sends one byte. @returns milliseconds until the viewer had it; undefined: it did not come */
async function piece(sender: Call, viewer: Call): Promise<number | undefined> {
  const from = performance.now()
  const wanted = viewer.bytes + 1
  await sender.write('x')
  const came = await until(
    () => viewer.bytes >= wanted || viewer.end !== undefined || sender.end !== undefined,
    FLOW_MS,
  )
  return came && viewer.bytes >= wanted ? performance.now() - from : undefined
}

function why(sender: Call, viewer: Call): string {
  const told = [viewer, sender].find(({ status }) => status !== undefined && status !== 200)
  return told === undefined ? 'nothing was said' : `${told.status} ${told.lastLine}`
}
