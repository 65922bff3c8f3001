import { type Call, leave, until } from '../call.js'
import type { Chain } from '../chain.js'
import { bad, type Check, ok, skip, time } from '../check.js'
import { REMEDIES } from '../remedies.js'

const FLOW_MS = 5000
const WORDS = 3
const PARTS_MEANS = 'Use ?duplex=a and ?duplex=b, or ?ws where it works.'

/** What one side says, and what the other one hears of it. */
interface Way {
  readonly says: Call
  readonly hears: Call
}

/**
 * Two peers that hear each other while they speak, in one request each, and the end of one while the other goes on; and where
 * that does not get through, whether their parts do, each direction a request of its own.
 */
export const duplex: Check = {
  name: 'duplex',
  async run(chain) {
    const whole = await wholePeers(chain)
    if (whole.isUnknown) return skip('this gateway does not offer duplex pipes')
    const { problem, worstMs } = whole
    if (problem === undefined) {
      const seen = `two requests hear each other while they speak, each word after ${time(worstMs)} at most, and each ends for itself`
      return ok(seen, { worstMs: Math.round(worstMs), wholePeers: true })
    }
    const inParts = await parts(chain)
    const measured = { wholePeers: false, parts: inParts.problem === undefined }
    if (inParts.problem !== undefined) {
      const seen = `${problem}; and in parts, ${inParts.problem}`
      return bad('fail', seen, 'Nothing goes both ways over HTTP.', REMEDIES.duplex, measured)
    }
    return bad('warn', `${problem}; in parts everything comes`, PARTS_MEANS, REMEDIES.duplex, measured)
  },
}

interface Trial {
  /** Undefined: all went well. */
  readonly problem: string | undefined
  /** The gateway does not know what it is. */
  readonly isUnknown: boolean
  readonly worstMs: number
}

async function wholePeers(chain: Chain): Promise<Trial> {
  const name = chain.name('duplex')
  const options = { query: '?duplex&wait=10' }
  const [one, another] = [chain.send(name, undefined, options), chain.send(name, undefined, options)]
  const ways = [
    { says: one, hears: another },
    { says: another, hears: one },
  ] as const
  const spoken = await speak(ways)
  const problem = spoken.problem ?? (await endAlone(ways))
  leave(one, another)
  return { ...spoken, problem }
}

/** One ends, and the other one has something left to say. */
async function endAlone([there, back]: readonly [Way, Way]): Promise<string | undefined> {
  there.says.finish()
  await until(() => there.hears.end !== undefined, FLOW_MS)
  if (there.hears.end !== 'complete') return 'the end of a peer does not come to the other one'
  const before = back.hears.bytes
  await back.says.write('x')
  await until(() => back.hears.bytes > before || back.hears.end !== undefined, FLOW_MS)
  return back.hears.bytes > before ? undefined : 'the end of one peer ends the request of the other one too'
}

async function parts(chain: Chain): Promise<Trial> {
  const name = chain.name('parts')
  // Where early replies break, they would do so here.
  const query = `${chain.sendQuery === '' ? '?' : `${chain.sendQuery}&`}wait=10`
  const says = (letter: string) => chain.send(name, undefined, { query: `${query}&duplex=${letter}` })
  const hears = (letter: string) => chain.receive(name, { query: `?duplex=${letter}&wait=10` })
  const ways = [
    { says: says('a'), hears: hears('b') },
    { says: says('b'), hears: hears('a') },
  ] as const
  const spoken = await speak(ways)
  let { problem } = spoken
  for (const way of ways) problem ??= await endToldOf(way)
  leave(...ways.flatMap((way) => [way.says, way.hears]))
  return { ...spoken, problem }
}

async function endToldOf({ says, hears }: Way): Promise<string | undefined> {
  says.finish()
  await until(() => says.end !== undefined && hears.end !== undefined, FLOW_MS)
  if (hears.end !== 'complete') return 'an end does not come'
  return says.text.endsWith('Transfer complete.\n') ? undefined : 'who said something is not told that it has arrived'
}

/** A word at a time, in turns. */
async function speak(ways: readonly [Way, Way]): Promise<Trial> {
  let worstMs = 0
  for (let i = 1; i <= WORDS; i++) {
    for (const { says, hears } of ways) {
      const from = performance.now()
      await says.write('x')
      await until(() => hears.bytes >= i || [says, hears].some(({ end }) => end !== undefined), FLOW_MS)
      worstMs = Math.max(worstMs, performance.now() - from)
      const isRefused = [says, hears].some(({ status = 200 }) => status !== 200)
      if (hears.bytes < i || isRefused) return { ...failed(says, hears), worstMs }
    }
  }
  return { problem: undefined, isUnknown: false, worstMs }
}

function failed(...calls: readonly Call[]): Omit<Trial, 'worstMs'> {
  const told = calls.find(({ status }) => status !== undefined && status !== 200)
  if (told === undefined) return { problem: `a word was not there ${time(FLOW_MS)} later`, isUnknown: false }
  return { problem: `a peer is answered with ${told.status} ${told.lastLine}`, isUnknown: told.status === 501 }
}
