import { CORE_FAILURES, type EndReason, type Failure, type FailureValues, Refusal } from '../../../core/index.js'
import { type Answer, type HeaderList, jsonAnswer, retryAfter, textAnswer } from './answer.js'
import { type EndedView, endingCode, endingOf } from './endings.js'

/** A refusal with headers of its own: which methods are allowed, how to authenticate, when to try again. */
export class RefusalWithHeaders extends Refusal {
  constructor(
    failure: Failure,
    values: FailureValues,
    readonly headers: HeaderList,
  ) {
    super(failure, values)
  }
}

/** @param accept the client's `Accept` header */
export function refusalAnswer(refusal: Refusal, accept: string): Answer {
  const { code, status } = refusal.failure
  const headers = refusal instanceof RefusalWithHeaders ? refusal.headers : rangeHeaders(refusal)
  return failureAnswer(status, code, refusal.text, accept, headers)
}

/** RFC 9110 section 15.5.17: how long it is, for clients that have all of it and then are content. */
function rangeHeaders({ failure, values }: Refusal): HeaderList {
  return failure === CORE_FAILURES.rangeBeyondEnd ? [['Content-Range', `bytes */${values.expected}`]] : []
}

/** For a receiver whose transfer ended before its headers were sent. */
export function endingAnswer(reason: EndReason, pipe: EndedView, accept: string): Answer {
  const { status, line } = endingOf(reason, pipe)
  return failureAnswer(status, endingCode(reason, pipe), line, accept, [])
}

/** One `[ERROR]` line, or the same as JSON when the client asks for it. */
function failureAnswer(status: number, code: string, message: string, accept: string, own: HeaderList): Answer {
  const hasRetryAfter = own.some(([name]) => name.toLowerCase() === 'retry-after')
  const headers: HeaderList = [['X-Pipe-Code', code], ...(hasRetryAfter ? [] : retryAfter(status)), ...own]
  if (accept.includes('application/json')) return jsonAnswer(status, { error: { code, status, message } }, headers)
  return textAnswer(status, `[ERROR] ${message}\n`, headers)
}
