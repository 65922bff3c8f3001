/** What the head of a form's part says about the stream in it. */
import contentDisposition from 'content-disposition'
import type { StreamHead } from '../../../core/index.js'
import { decodeUtf8, safeFileName } from '../file-name.js'
import { forwardedFields, headerText } from '../stream-head.js'

/**
 * The head of a stream that is a part of a form: the fields that the request forwards, and the part's own type and disposition.
 * @param type the part's Content-Type as Latin-1 text; empty when it has none
 */
export function partHead(request: StreamHead, type: string, disposition: string | undefined): StreamHead {
  const own: [string, string][] = []
  if (headerText(type) !== '') own.push(['Content-Type', headerText(type)])
  if (disposition !== undefined) own.push(['Content-Disposition', headerText(disposition)])
  return { length: undefined, fields: [...forwardedFields(request), ...own] }
}

/** The disposition of a stream that is a file with this name. */
export function fileDisposition(filename: string): string {
  return contentDisposition.create(safeFileName(filename))
}

/** A quote that a backslash stands before, as Go writes it, and that does not end its value. */
const ESCAPED_QUOTE = /\\"(?![ \t]*(?:;|$))/g

/**
 * The name of a part and of its file; undefined when this is not the Content-Disposition of a form's part.
 *
 * A quoted name is that of the HTML standard (multipart/form-data encoding): quotes and line breaks are `%22`, `%0D` and `%0A`,
 * and a backslash is a character like any other. Internet Explorer and some programs send a path of Windows.
 */
export function partNames(disposition: string): { name: string; filename: string | undefined } | undefined {
  try {
    const { type, parameters } = contentDisposition.parse(disposition.replace(ESCAPED_QUOTE, '%22'), {
      multipart: true,
    })
    if (type !== 'form-data') return undefined
    const { name = '', filename } = parameters
    return { name, filename: filename && decodeUtf8(filename) }
  } catch {
    return undefined
  }
}
