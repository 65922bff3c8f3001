/** What the head of a form's part says about the stream in it. */
import contentDisposition from 'content-disposition'
import type { StreamHead } from '../../core/index.js'
import { decodeUtf8, safeFileName } from './file-name.js'
import { forwardedFields, headerText } from './stream-head.js'

/**
 * The head of a stream that is a part of a form: the fields that the request forwards, and the part's own type and file
 * name.
 * @param type the part's Content-Type as Latin-1 text; empty when it has none
 */
export function partHead(request: StreamHead, type: string, filename: string | undefined): StreamHead {
  const own: [string, string][] = []
  if (headerText(type) !== '') own.push(['Content-Type', headerText(type)])
  if (filename !== undefined) own.push(['Content-Disposition', contentDisposition.create(safeFileName(filename))])
  return { length: undefined, fields: [...forwardedFields(request), ...own] }
}

/** The name of a part and of its file; undefined when this is not the Content-Disposition of a form's part. */
export function partNames(disposition: string): { name: string; filename: string | undefined } | undefined {
  try {
    const { type, parameters } = contentDisposition.parse(disposition)
    if (type !== 'form-data') return undefined
    const { name = '', filename } = parameters
    // Browsers escape these in a quoted name: HTML standard, multipart/form-data encoding.
    return { name, filename: filename && decodeUtf8(filename).replace(/%(22|0D|0A)/gi, decodeURIComponent) }
  } catch {
    return undefined
  }
}
