import type { Chain } from './chain.js'
import type { Check, Finding, Options } from './check.js'
import { ask } from './checks/ask.js'
import { requestBuffering, responseBuffering } from './checks/buffering.js'
import { receiverLeft, waitingLeft } from './checks/departure.js'
import { duplex } from './checks/duplex.js'
import { earlyReply } from './checks/early-reply.js'
import { expect } from './checks/expect.js'
import { head } from './checks/head.js'
import { live } from './checks/live.js'
import { meet } from './checks/meet.js'
import { pages } from './checks/pages.js'
import { queue } from './checks/queue.js'
import { forwarded, reach } from './checks/reach.js'
import { silence } from './checks/silence.js'
import { topic } from './checks/topic.js'
import { trickle } from './checks/trickle.js'
import { truncationChunked, truncationLength } from './checks/truncation.js'
import { truncationHttp2 } from './checks/truncation-http2.js'
import { untouched } from './checks/untouched.js'
import { websocket } from './checks/websocket.js'

export interface Result extends Finding {
  readonly check: string
}

/** Nobody answers. The message is fit for people. */
export class Unreachable extends Error {}

const ALONE = [untouched, expect, waitingLeft, head, forwarded, pages, queue, topic, ask, websocket]
/** They need an upload that flows: without one they would all say the same. */
const FLOWING = [truncationChunked, truncationLength, receiverLeft, live, duplex, trickle, silence]

/**
 * Each finding as soon as it is there, in a fixed order. First what the others need; the rest at the same time.
 * @throws Unreachable
 */
export async function* examine(chain: Chain, options: Options): AsyncGenerator<Result> {
  const isReached = await reach.run(chain, options).catch((error: Error) => {
    throw new Unreachable(error.message)
  })
  yield { check: reach.name, ...isReached }
  if (isReached.verdict === 'fail') return
  const meets = await finding(meet, chain, options)
  yield meets
  if (meets.verdict === 'fail') {
    const others = [requestBuffering, responseBuffering, earlyReply, ...ALONE, ...FLOWING]
    return yield* skipped('the two sides do not meet', ...others)
  }
  const requests = await finding(requestBuffering, chain, options)
  yield requests
  chain.uploadsFlow = requests.verdict === 'ok'
  yield await finding(responseBuffering, chain, options)
  const early = await finding(earlyReply, chain, options)
  yield early
  // What that one has found would be all that the others find.
  if (early.measured?.replyEndWorks === true) chain.sendQuery = '?reply=end'
  const flowing = chain.target.url.protocol === 'https:' ? [truncationHttp2, ...FLOWING] : FLOWING
  const rest = [...ALONE, ...(chain.uploadsFlow ? flowing : [])].map((check) => finding(check, chain, options))
  for (const result of rest) yield await result
  if (!chain.uploadsFlow) yield* skipped('uploads do not flow', ...flowing)
}

function* skipped(why: string, ...checks: readonly Check[]): Generator<Result> {
  for (const { name } of checks) yield { check: name, verdict: 'skip', seen: `not looked at: ${why}` }
}

async function finding({ name, run }: Check, chain: Chain, options: Options): Promise<Result> {
  try {
    return { check: name, ...(await run(chain, options)) }
  } catch (error) {
    return { check: name, verdict: 'fail', seen: (error as Error).message }
  }
}
