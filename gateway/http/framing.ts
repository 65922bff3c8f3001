import { Refusal } from '../../core/index.js'
import { FAILURES } from './failures.js'
import type { RequestView } from './request-view.js'

/** How a request's body is delimited. */
export interface Framing {
  /** The Content-Length: undefined when the body is chunked, 0 when there is no body. */
  readonly length: number | undefined
}

/**
 * Reads the framing of the body and refuses what uWebSockets lets pass: of two Content-Lengths it takes the first, and
 * it reads every Transfer-Encoding as chunked. A proxy in front may read the same head differently, and then the two
 * disagree on where the next request begins (request smuggling).
 */
export function readFraming(request: RequestView): Framing | Refusal {
  let lengths = 0
  let length = ''
  let encodings = 0
  let encoding = ''
  request.eachHeader((name, value) => {
    if (name === 'content-length') {
      lengths++
      length = value
    } else if (name === 'transfer-encoding') {
      encodings++
      encoding = value
    }
  })
  if (lengths === 0 && encodings === 0) return { length: 0 }
  const found = problem(lengths, length, encodings, encoding)
  if (found !== undefined) return new Refusal(FAILURES.badFraming, { found })
  return { length: encodings > 0 ? undefined : Number(length) }
}

function problem(lengths: number, length: string, encodings: number, encoding: string): string | undefined {
  if (lengths > 1) return `${lengths} Content-Length headers`
  if (encodings > 1) return `${encodings} Transfer-Encoding headers`
  if (lengths + encodings > 1) return 'both a Content-Length and a Transfer-Encoding'
  if (encodings === 1)
    return encoding.toLowerCase() === 'chunked' ? undefined : 'a Transfer-Encoding other than chunked'
  return /^[0-9]{1,15}$/.test(length) ? undefined : 'a Content-Length that is not plain digits'
}
