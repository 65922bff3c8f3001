import { Refusal } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import type { Parameters } from '../../http/parameters.js'
import type { DispositionOptions } from '../../stream/disposition.js'

/** What a receiver asks for on its response. @param pipe the name */
export function readReceiverOptions(parameters: Parameters, pipe: string): DispositionOptions | Refusal {
  const download = parameters.switch('download')
  if (download instanceof Refusal) return download
  const filename = parameters.get('filename')
  if (filename === '') {
    return new Refusal(FAILURES.badParameter, { name: 'filename', found: '', expected: 'the name to save under' })
  }
  return { download, filename, pipe }
}
