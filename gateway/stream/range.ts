import type { RequestView } from '../http/request-view.js'

/** RFC 9110 section 14.1.2, of one range without an end. */
const OPEN_RANGE = /^bytes=[ \t]*(\d+)-$/i

/**
 * The first byte that a receiver asks for: `Range: bytes=N-`, with which clients go on with a download that was cut. Undefined
 * when it has no such header, and for every other range, which a server may ignore. With an `If-Range` none is meant: it asks
 * for a range of the version that it names, and a stream has no name to compare with.
 */
export function readOffset(request: RequestView): number | undefined {
  const first = request.header('range')
  if (first === '' || request.header('if-range') !== '') return undefined
  let lines = 0
  request.eachHeader((name) => {
    if (name === 'range') lines++
  })
  const digits = OPEN_RANGE.exec(first)?.[1]
  if (lines > 1 || digits === undefined) return undefined
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER)
}
