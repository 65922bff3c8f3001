/** Fields of the head of a question, and of an answer. */
import { Refusal } from '../../core/index.js'
import { integer } from '../http/parameters.js'
import type { RequestView } from '../http/request-view.js'

/** The method by which a question was asked. */
export const ASK_METHOD = 'X-Pipe-Ask-Method'
/** The status that who asked gets with the answer. */
export const ANSWER_STATUS = 'X-Pipe-Answer-Status'

/** The field of an answer's head that says its status; none when the worker does not say. */
export function answerStatus(request: RequestView): readonly (readonly [string, string])[] | Refusal {
  const text = request.header(ANSWER_STATUS.toLowerCase())
  if (text === '') return []
  const status = integer(ANSWER_STATUS, text, 200, 599)
  return status instanceof Refusal ? status : [[ANSWER_STATUS, String(status)]]
}
