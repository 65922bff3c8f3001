import { type Range, Refusal } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import type { Parameters } from '../../http/parameters.js'
import type { ReceiverOptions } from '../../stream/receiver-headers.js'

/**
 * What a receiver asks for on its response.
 * @param pipe the name
 * @param range what it asks for of the stream
 * @param answerAddress where a worker sends its answer to
 */
export function readReceiverOptions(
  parameters: Parameters,
  pipe: string,
  range?: Range,
  answerAddress?: string,
): ReceiverOptions | Refusal {
  const download = parameters.switch('download')
  if (download instanceof Refusal) return download
  const filename = parameters.get('filename')
  if (filename === '') {
    return new Refusal(FAILURES.badParameter, { name: 'filename', found: '', expected: 'the name to save under' })
  }
  return { download, filename, pipe, range, answerAddress }
}
