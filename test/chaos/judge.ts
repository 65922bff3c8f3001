/** What must be true of every transfer, whatever was done to it. */

import type { EndReason } from '../../core/index.js'
import { ENDINGS } from '../../gateway/http/response/endings.js'
import type { LogLine } from '../support/gateway.js'
import type { Plan } from './plan.js'
import type { Receiver } from './receiver.js'
import type { Sender } from './sender.js'

export interface Outcome {
  readonly plan: Plan
  readonly sender: Sender
  readonly receivers: readonly Receiver[]
  /** What the log says of its name, without those who only visited. */
  readonly lines: readonly LogLine[]
  /** Somebody was missing for good, and the others went home. */
  readonly gaveUp: boolean
  /** Memory is scarce: who waits may be refused it. */
  readonly isScarce: boolean
}

/** In this time the gateway has heard of one who left. */
const EARLY_MS = 300
/** More than a kernel holds for one who does not read. */
const KERNEL_BYTES = 4 * 1024 * 1024

/** How a pipe ends that has never streamed, and that others may follow on the same name. */
const WAITED_ONLY: readonly EndReason[] = ['abandoned', 'no_receivers', 'no_sender']

/** Every rule that was broken, as a sentence. */
export function judge(outcome: Outcome): string[] {
  const problems: string[] = []
  const say = (sentence: string | undefined | false) => {
    if (typeof sentence === 'string') problems.push(sentence)
  }
  const reasons = outcome.lines.map((line) => line.reason as EndReason)
  for (const reason of reasons) say(reasonFault(reason, outcome))
  const streamed = reasons.filter((reason) => !WAITED_ONLY.includes(reason))
  say(streamed.length > 1 && `it ended ${streamed.length} times: ${reasons}`)
  const reason = streamed[0]
  say(mustComplete(outcome) && reason !== 'complete' && `it had to be complete, and is ${reasons}`)
  for (const receiver of outcome.receivers) for (const fault of receiverFaults(receiver, reason, outcome)) say(fault)
  for (const fault of senderFaults(reason, outcome)) say(fault)
  if (reason === 'complete') {
    const line = outcome.lines.find((each) => each.reason === 'complete')!
    say(line.bytesIn !== outcome.plan.bytes && `the log says ${line.bytesIn} bytes came in`)
    const stayed = outcome.receivers.some((each) => each.hasStayed)
    say(stayed && line.bytesOut !== outcome.plan.bytes && `the log says ${line.bytesOut} bytes went out`)
  }
  return problems
}

/** Bytes that came while receivers were missing found no place. While it streams a sender is held instead. */
function foundNoMemory({ isScarce, sender, lines }: Outcome): boolean {
  if (!isScarce || lines.some((line) => line.bytesOut !== 0)) return false
  return sender.text.includes(ENDINGS.overflow.line) || lines.some((line) => line.reason === 'overflow')
}

/** The sender's body arrived and a receiver waited for it. */
function mustComplete(outcome: Outcome): boolean {
  const { sender, receivers, gaveUp } = outcome
  if (foundNoMemory(outcome)) return false
  return (
    sender.isHonest && !gaveUp && receivers.every((each) => !each.isAbsent) && receivers.some((each) => each.hasStayed)
  )
}

/** Every receiver left, and long before the last byte was sent, or far from having it. */
function nobodyHasAll({ plan, sender, receivers }: Outcome): boolean {
  return receivers.every((each) => {
    const early = each.leftAt + EARLY_MS < sender.sentAt && each.reader.bodyBytes < plan.bytes
    return each.isAbsent || early || (each.leftAt < Infinity && plan.bytes - each.reader.bodyBytes > KERNEL_BYTES)
  })
}

/** Whether what happened allows this reason. */
function reasonFault(reason: EndReason, outcome: Outcome): string | undefined {
  const { plan, sender, receivers, gaveUp } = outcome
  const allGone = receivers.every((each) => !each.hasStayed)
  const allowed: Partial<Record<EndReason, boolean>> = {
    complete: sender.bodySent && !sender.isBroken && !nobodyHasAll(outcome),
    sender_left: sender.hasLeft && sender.trouble.kind !== 'leave when uploaded',
    broken_body: sender.isBroken,
    receivers_left: allGone,
    receivers_stalled: allGone && plan.stallMs > 0 && receivers.some((each) => each.isStuck),
    overflow: foundNoMemory(outcome),
    no_receivers: plan.query.includes('wait'),
    abandoned: gaveUp || sender.hasLeft || receivers.some((each) => each.hasLeft),
  }
  return allowed[reason] === true ? undefined : `nothing that happened allows the reason ${reason}`
}

function* receiverFaults(receiver: Receiver, reason: EndReason | undefined, { plan, sender }: Outcome) {
  const { who, reader, wrongAt, hasStayed, isWhole, status } = receiver
  // Where the framing was broken, the sender has sent other bytes.
  const right = sender.trouble.kind === 'malformed' ? sender.trouble.at : plan.bytes
  if (wrongAt !== undefined && wrongAt < right) yield `${who}: wrong byte at ${wrongAt}`
  if (reader.problem !== undefined && !receiver.hasLeft) yield `${who}: ${reader.problem}`
  if (reader.excess > 0 && hasStayed) yield `${who}: ${reader.excess} bytes behind the end`
  if (isWhole && status === 200) {
    if (reader.bodyBytes !== plan.bytes) yield `${who}: looks complete with ${reader.bodyBytes} of ${plan.bytes} bytes`
    if (!sender.bodySent) yield `${who}: looks complete, but the sender never sent all`
    const length = reader.head!.headers.get('content-length')
    // The end of an empty body is known when it is: chunked or not, it has a length.
    if (length !== (plan.announced || plan.bytes === 0 ? String(plan.bytes) : undefined))
      yield `${who}: a Content-Length of ${length}`
  }
  if (isWhole && status !== 200 && hasStayed && (reason === undefined || status !== ENDINGS[reason].status))
    yield `${who}: status ${status} for a transfer that ended with ${reason}`
  if (!isWhole && hasStayed && reason === 'complete')
    yield `${who}: stayed, and has ${reader.bodyBytes} of ${plan.bytes}`
}

function* senderFaults(pipeReason: EndReason | undefined, outcome: Outcome) {
  const { plan, sender, receivers } = outcome
  // One that fails while others wait is told why, and the pipe lives on.
  const own = sender.isBroken ? 'broken_body' : foundNoMemory(outcome) ? 'overflow' : 'no_receivers'
  const reason = pipeReason ?? own
  const { text, isWhole, status, reader } = sender
  const told = text.trimEnd().split('\n').at(-1) ?? ''
  // What a sender sends behind its body, or behind what looks like its end, is answered in the middle of its status lines.
  if (reader.problem !== undefined && sender.trouble.kind !== 'too much' && !sender.isBroken)
    yield `sender: ${reader.problem}`
  if (isWhole && !plan.replyAtEnd && told !== '[INFO] Transfer complete.') yield `sender: a clean end after "${told}"`
  if (isWhole && plan.replyAtEnd && status !== ENDINGS[reason].status) yield `sender: status ${status} for ${reason}`
  if (isWhole && status === 200) {
    if (reason !== 'complete') yield `sender: was told that it is complete, and it ended with ${reason}`
    for (const each of receivers)
      if (each.hasStayed && !each.isWhole) yield `sender: was told that it is complete, and ${each.who} is not`
    if (!/Streaming to [\s\S]*Upload complete\.\n[\s\S]*\[INFO\] Transfer complete\.\n$/.test(text))
      yield `sender: lines in another order: ${JSON.stringify(text)}`
  }
  if (!sender.hasListened || !sender.isOver) return
  if (reason === 'complete' && !isWhole)
    yield `sender: it is complete, and the response has no clean end after "${told}"`
  const line = ENDINGS[reason].line
  if (!told.endsWith(line)) yield `sender: was told "${told}", and it ended with ${reason}`
}
