import type { EndReason, PipeView } from '../../../core/index.js'

/**
 * How the end of a transfer is reported. A receiver without headers and a sender with `?reply=end` get the status too.
 */
export interface Ending {
  readonly status: number
  /** What follows `[ERROR] `, or `[INFO] ` when the transfer is complete. */
  readonly line: string
}

export const ENDINGS: Readonly<Record<EndReason, Ending>> = {
  complete: { status: 200, line: 'Transfer complete.' },
  no_answer: { status: 504, line: 'Nobody answered in time.' },
  answered: { status: 410, line: 'Transfer failed: the answer was over before the question had ended.' },
  peer_closed: { status: 410, line: 'Transfer failed: the other peer has closed the pipe and hears nothing more.' },
  sender_left: { status: 502, line: 'Transfer failed: the sender disconnected before its last byte.' },
  wrong_length: { status: 502, line: 'Transfer failed: the body has another length than its Content-Length says.' },
  broken_body: { status: 502, line: 'Transfer failed: the body is not framed as chunked transfer coding asks for.' },
  broken_form: { status: 502, line: 'Transfer failed: the form is broken, or ends before its last boundary.' },
  empty_form: { status: 502, line: 'Transfer failed: no file and no text came in the form.' },
  receivers_left: { status: 502, line: 'All receivers disconnected before transfer completed.' },
  receivers_stalled: { status: 502, line: 'Transfer failed: no receiver took any data for the stall limit.' },
  fell_behind: { status: 503, line: 'Cut: this viewer fell further behind the live stream than it may.' },
  no_sender: { status: 408, line: 'Timed out waiting for sender.' },
  no_receivers: { status: 408, line: 'Timed out waiting for receivers.' },
  abandoned: { status: 502, line: 'Transfer failed: everybody who waited has disconnected.' },
  idle: { status: 504, line: 'Transfer idle for too long.' },
  too_slow: { status: 504, line: 'Transfer failed: it was slower than the server allows.' },
  too_large: { status: 413, line: 'Transfer failed: it has more bytes than it may have.' },
  too_long: { status: 504, line: 'Transfer failed: it took longer than it may.' },
  stopped: { status: 502, line: 'Transfer failed: stopped by the operator.' },
  too_many_active: { status: 429, line: 'Server at maximum active transfer capacity.' },
  overflow: { status: 503, line: 'Transfer failed: the server has no memory left for bytes in flight.' },
  shutting_down: { status: 503, line: 'Server shutting down.' },
  fault: { status: 500, line: 'Transfer failed: internal error.' },
}

/** The same of questions: who has not come, and who has left. */
const OF_QUESTIONS: Partial<typeof ENDINGS> = {
  no_receivers: { status: 408, line: 'Timed out waiting for a worker.' },
  no_sender: { status: 408, line: 'Timed out waiting for a question.' },
  receivers_left: { status: 502, line: 'Transfer failed: the worker left before it had the whole question.' },
  receivers_stalled: { status: 502, line: 'Transfer failed: the worker took nothing of the question in time.' },
  sender_left: { status: 502, line: 'Transfer failed: who asked has left.' },
  // The asker reads this of its own request.
  wrong_length: { status: 400, line: ENDINGS.wrong_length.line },
  broken_body: { status: 400, line: ENDINGS.broken_body.line },
}

const OF_ANSWERS: Partial<typeof ENDINGS> = {
  receivers_left: { status: 502, line: 'Transfer failed: who asked has left before the end of the answer.' },
  sender_left: { status: 502, line: 'Transfer failed: the worker left before the end of its answer.' },
}

const OF_DUPLEX: Partial<typeof ENDINGS> = {
  no_receivers: { status: 408, line: 'Timed out waiting for the other peer.' },
  no_sender: { status: 408, line: 'Timed out waiting for the other peer.' },
  receivers_left: { status: 502, line: 'Transfer failed: the other peer disconnected before it had everything.' },
  receivers_stalled: { status: 502, line: 'Transfer failed: a peer took no data for the stall limit.' },
  sender_left: { status: 502, line: 'Transfer failed: the other peer disconnected before its last byte.' },
}

/** What is looked at to tell how a transfer ended. */
export type EndedView = Pick<PipeView, 'endFailure'> & Partial<Pick<PipeView, 'live' | 'topic' | 'kind' | 'isAnswer'>>

function ofKindOf({ kind, isAnswer }: EndedView): Partial<typeof ENDINGS> | undefined {
  if (kind === 'duplex') return OF_DUPLEX
  return kind === 'ask' ? (isAnswer === true ? OF_ANSWERS : OF_QUESTIONS) : undefined
}

/** How this end is reported. A pipe that was stopped is reported with the reason that was given for it. */
export function endingOf(reason: EndReason, pipe: EndedView): Ending {
  const { endFailure, live, topic } = pipe
  const ofKind = ofKindOf(pipe)?.[reason]
  if (ofKind !== undefined) return ofKind
  if (reason === 'complete' && live !== undefined) {
    return { status: 200, line: `Live stream ended (peak ${live.peak} viewers).` }
  }
  if (reason === 'complete' && topic !== undefined) {
    return { status: 200, line: `Topic ended (${topic.messages} messages, peak ${topic.peak} subscribers).` }
  }
  if (reason !== 'stopped' || endFailure === undefined) return ENDINGS[reason]
  return { status: endFailure.status, line: `Transfer failed: ${endFailure.message}` }
}

/** The code of this end, for programs. */
export function endingCode(reason: EndReason, { endFailure }: Pick<PipeView, 'endFailure'>): string {
  return endFailure?.code ?? reason.toUpperCase()
}
