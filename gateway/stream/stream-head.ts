import { Refusal, type StreamHead } from '../../core/index.js'
import { FAILURES } from '../http/failures.js'
import type { RequestView } from '../http/request-view.js'

/** Header fields of a sender that are forwarded to receivers, with all their values. */
const FORWARDED: ReadonlyMap<string, string> = new Map([
  ['x-piping', 'X-Piping'],
  ['x-hoody-pipe', 'X-Hoody-Pipe'],
])
const MAX_FORWARDED = 8192

/**
 * The head of the stream that this request will send.
 * @param length the request's Content-Length, undefined for a chunked body
 */
export function streamHead(request: RequestView, length: number | undefined): StreamHead | Refusal {
  const fields: [string, string][] = []
  const encodings: string[] = []
  let tooLong: Refusal | undefined
  request.eachHeader((name, value) => {
    const forwarded = FORWARDED.get(name)
    if (forwarded !== undefined) {
      if (value.length > MAX_FORWARDED) {
        tooLong ??= new Refusal(FAILURES.headerTooLong, {
          name: forwarded,
          found: value.length,
          expected: MAX_FORWARDED,
        })
      }
      fields.push([forwarded, headerText(value)])
    } else if (name === 'content-encoding' && headerText(value) !== '') {
      encodings.push(headerText(value))
    }
  })
  // Each line may add one: RFC 9110 section 8.4.
  if (encodings.length > 0) fields.push(['Content-Encoding', encodings.join(', ')])
  for (const name of ['Content-Type', 'Content-Disposition']) {
    const value = headerText(request.header(name.toLowerCase()))
    if (value !== '') fields.push([name, value])
  }
  return tooLong ?? { length, fields }
}

/** The fields of a stream's head that are forwarded as they are. */
export function forwardedFields(head: StreamHead): StreamHead['fields'] {
  return head.fields.filter(([name]) => FORWARDED.has(name.toLowerCase()))
}

/**
 * Removes line breaks and other control characters: uWebSockets writes what it is given. Removes what is beyond Latin-1
 * too: a header leaves with one byte for each character, and for U+010A that byte is a line feed.
 */
export function headerText(value: string): string {
  return value.replace(/[^\x20-\x7e\x80-\xff]/g, '')
}

/** The value of a field; undefined when the sender has not said it. */
export function fieldOf({ fields }: StreamHead, name: string): string | undefined {
  return fields.find(([each]) => each === name)?.[1]
}
