import { Refusal } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import { show } from '../../http/parameters.js'

/** RFC 2046 section 5.1.1: the longest boundary allowed. */
const MAX_BOUNDARY = 70

const FORM = /^multipart\/form-data[ \t]*(?:;|$)/i
const BOUNDARY = /;[ \t]*boundary=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/i

/** The boundary of a form; undefined when this is the Content-Type of something else. */
export function readBoundary(contentType: string): string | undefined | Refusal {
  const type = contentType.trim()
  if (!FORM.test(type)) return undefined
  const [, quoted, plain] = BOUNDARY.exec(type) ?? []
  const boundary = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
  const isValid = /^[\x20-\x7e]*[\x21-\x7e]$/.test(boundary) && boundary.length <= MAX_BOUNDARY
  if (isValid) return boundary
  const found = boundary === '' ? 'no boundary' : `the boundary "${show(boundary)}"`
  return new Refusal(FAILURES.badBoundary, { found })
}
