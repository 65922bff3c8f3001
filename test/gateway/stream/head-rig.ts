/** A sender's header fields, and the headers that a receiver gets for them. */

import { Refusal, type StreamHead } from '../../../core/index.js'
import type { RequestView } from '../../../gateway/http/request-view.js'
import type { HeaderList } from '../../../gateway/http/response/answer.js'
import type { DispositionOptions } from '../../../gateway/stream/disposition.js'
import { receiverHead } from '../../../gateway/stream/receiver-headers.js'
import { streamHead } from '../../../gateway/stream/stream-head.js'

export type Fields = readonly (readonly [name: string, value: string])[]

/** A sender's request with these headers: names in lower case, as uWebSockets gives them. */
export function request(fields: Fields): RequestView {
  return {
    method: 'PUT',
    path: '/x',
    query: '',
    remoteAddress: '127.0.0.1',
    header: (name) => fields.find(([each]) => each === name)?.[1] ?? '',
    eachHeader: (visit) => {
      for (const [name, value] of fields) visit(name, value)
    },
  }
}

export function headOf(fields: Fields, length?: number): StreamHead {
  const head = streamHead(request(fields), length)
  if (head instanceof Refusal) throw new Error(head.text)
  return head
}

const AS_SENT: DispositionOptions = { download: undefined, filename: undefined, pipe: 'name' }

export function headersFor(fields: Fields, wish = AS_SENT): HeaderList {
  return receiverHead(headOf(fields), { transferId: 'an-id', kind: 'pipe' }, 0, wish).headers
}

export function valuesOf(headers: HeaderList, name: string): string[] {
  return headers.filter(([each]) => each === name).map(([, value]) => value)
}

/** The disposition for a sender's disposition and type. */
export function disposition(given: string | undefined, type: string | undefined, wish = AS_SENT): string | undefined {
  const fields: [string, string][] = []
  if (type !== undefined) fields.push(['content-type', type])
  if (given !== undefined) fields.push(['content-disposition', given])
  return valuesOf(headersFor(fields, wish), 'Content-Disposition')[0]
}

export function named(filename: string): string {
  return disposition(undefined, undefined, { ...AS_SENT, filename }) ?? ''
}

/** Types that a browser runs, or that hold one that it would run. */
export const RUNNABLE = [
  ...['text/html', 'application/xhtml+xml', 'application/xhtml', 'image/svg+xml', 'image/svg'],
  ...['text/xml', 'application/xml', 'text/xsl', 'application/xml-dtd', 'application/xml-external-parsed-entity'],
  ...['application/atom+xml', 'application/rss+xml', 'application/mathml+xml', 'model/x3d+xml', 'application/rdf+xml'],
  ...['text/javascript', 'application/javascript', 'application/x-javascript', 'text/x-javascript', 'text/ecmascript'],
  ...['application/ecmascript', 'application/x-ecmascript', 'text/x-ecmascript', 'text/jscript', 'text/livescript'],
  ...['text/javascript1.0', 'text/javascript1.1', 'text/javascript1.2', 'text/javascript1.3', 'text/javascript1.4'],
  ...['text/javascript1.5', 'text/vbscript', 'multipart/x-mixed-replace', 'multipart/related', 'message/rfc822'],
]
export const HARMLESS = [
  ...['text/plain', 'text/csv', 'text/css', 'image/png', 'image/jpeg', 'audio/ogg', 'video/mp4', 'application/pdf'],
  ...['application/json', 'application/octet-stream', 'application/gzip', 'application/xml2', 'text/htmlx', 'x/y'],
  ...['application/ld+json', 'application/vnd.ms-excel', 'application/x-tar', 'application/x+xmlx', 'multipart/mixed'],
]
