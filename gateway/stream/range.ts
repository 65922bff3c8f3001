import type { Range } from '../../core/index.js'
import type { RequestView } from '../http/request-view.js'

/** RFC 9110 section 14.1.2: one range, which is no suffix. */
const ONE_RANGE = /^bytes=[ \t]*(\d+)-(\d*)$/i

/**
 * The part that a receiver asks for: `Range: bytes=N-`, with which clients go on with a download that was cut, or `bytes=N-M`,
 * with which aria2 does when it knows the length. Undefined when it has no such header, and for every other range, which a
 * server may ignore. With an `If-Range` none is meant: it asks for a range of the version that it names, and a stream has no
 * name to compare with.
 */
export function readRange(request: RequestView): Range | undefined {
  const header = request.header('range')
  if (header === '' || request.header('if-range') !== '') return undefined
  let lines = 0
  request.eachHeader((name) => {
    if (name === 'range') lines++
  })
  const [, first, last] = ONE_RANGE.exec(header) ?? []
  if (lines > 1 || first === undefined) return undefined
  const range = { first: offset(first), last: last === '' ? Number.POSITIVE_INFINITY : offset(last) }
  return range.first <= range.last ? range : undefined
}

/** No stream is longer than the largest of these. */
function offset(digits = ''): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER)
}
