/** What must be true of a transfer, from what its sides have seen: no side takes a part for the whole, and all agree. */

import type { EndReason } from '../../../core/index.js'
import { ENDINGS } from '../../../gateway/http/response/endings.js'
import type { Problem } from '../tally.js'

export interface SideFacts {
  /** It has ended its connection itself. */
  readonly hasLeft: boolean
  /** The framing of its response says that it is whole. */
  readonly isWhole: boolean
  readonly status: number
  readonly code: string | undefined
  /** Its connection was closed without a byte of an answer. */
  readonly isUnanswered: boolean
  /** What makes its response none. */
  readonly problem: string | undefined
}

export interface ReceiverFacts extends SideFacts {
  readonly bodyBytes: number
  readonly expectedBytes: number
  readonly expectedStatus: number
  /** The first byte that was wrong. */
  readonly wrongAt: number | undefined
}

export interface SenderFacts extends SideFacts {
  /** All of its body has been given to its socket. */
  readonly hasSentAll: boolean
  readonly text: string
}

export interface TransferFacts {
  readonly sender: SenderFacts
  readonly receivers: readonly ReceiverFacts[]
}

const DONE = `[INFO] ${ENDINGS.complete.line}`

/** The sender was told that its transfer is complete, by a response that is whole. */
export function toldComplete({ isWhole, status, text }: SenderFacts): boolean {
  return isWhole && status === 200 && text.trimEnd().endsWith(DONE)
}

/** Why it failed, as the sender or a receiver was told; undefined when nobody was. */
export function toldReason({ sender, receivers }: TransferFacts): EndReason | undefined {
  const told = sender.text.trimEnd().split('\n').at(-1) ?? ''
  const codes = [sender, ...receivers].map(({ code }) => code?.toLowerCase())
  for (const [reason, { line }] of Object.entries(ENDINGS))
    if (reason !== 'complete' && (told.endsWith(line) || codes.includes(reason))) return reason as EndReason
  return undefined
}

/** The code with which a side was refused; undefined when none was. */
export function refusalOf({ sender, receivers }: TransferFacts): string | undefined {
  for (const { status, code, isUnanswered } of [sender, ...receivers]) {
    if (isUnanswered) return 'turned away'
    if (status >= 400 && !(String(code).toLowerCase() in ENDINGS)) return code ?? `status ${status}`
  }
  return undefined
}

export function judgeTransfer(facts: TransferFacts): Problem[] {
  const { sender, receivers } = facts
  const problems: Problem[] = []
  const isTold = toldComplete(sender)
  for (const [i, each] of receivers.entries()) {
    const who = `receiver ${i}`
    if (each.wrongAt !== undefined) problems.push({ rule: 'wrong bytes', text: `${who}: at ${each.wrongAt}` })
    if (each.problem !== undefined && !each.hasLeft)
      problems.push({ rule: 'wrong bytes', text: `${who}: no response: ${each.problem}` })
    if (isWholeStream(each)) {
      const lacks = each.bodyBytes !== each.expectedBytes
      const text = `${who}: looks complete with ${each.bodyBytes} of ${each.expectedBytes} bytes`
      if (lacks) problems.push({ rule: 'truncations that look clean', text })
      if (each.status !== each.expectedStatus)
        problems.push({ rule: 'sides that disagree', text: `${who}: status ${each.status}` })
    } else if (isTold && !each.hasLeft)
      problems.push({
        rule: 'truncations that look clean',
        text: `the sender was told that it is complete, and ${who} has ${each.bodyBytes} of ${each.expectedBytes} bytes`,
      })
  }
  if (sender.isWhole && sender.status === 200 && !isTold)
    problems.push({ rule: 'truncations that look clean', text: `a clean end for the sender after ${tail(sender)}` })
  const allWhole = receivers.every((each) => isWholeStream(each))
  if (allWhole && !sender.hasLeft && !isTold)
    problems.push({
      rule: 'sides that disagree',
      text: `every receiver has all, and the sender was told ${tail(sender)}`,
    })
  return problems
}

export function isWholeStream({ isWhole, status }: SideFacts): boolean {
  return isWhole && (status === 200 || status === 206)
}

function tail({ text, status }: SenderFacts): string {
  return `${status} ${JSON.stringify(text.slice(-200))}`
}
