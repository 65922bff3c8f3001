import { isUtf8 } from 'node:buffer'
import type { StreamHead, TopicFormat, TopicMessage } from '../../../core/index.js'
import { CR, LF } from './line-breaks.js'

const DATA = Buffer.from('data: ')
const COMMENT = Buffer.from(':\n\n')

/**
 * Messages as server-sent events (HTML standard, section 9.2): `id` counts them, and each line of a message is a line of `data`. A client
 * puts the lines together with line feeds, so that every CR, CRLF and LF arrives as one. What is not UTF-8 cannot be such an
 * event, and is one in base64, of the type `base64`.
 */
export class EventStream implements TopicFormat {
  readonly head: StreamHead = { length: undefined, fields: [['Content-Type', 'text/event-stream']] }
  /** The head leaves with it. */
  readonly opening = COMMENT
  readonly silence = COMMENT

  encode({ bytes }: TopicMessage, id: number): Uint8Array {
    if (!isUtf8(bytes)) {
      const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
      return Buffer.from(`id: ${id}\nevent: base64\ndata: ${base64}\n\n`, 'latin1')
    }
    const lines = countLines(bytes)
    const start = `id: ${id}\n`
    // Every line has the field's name in front, and one byte behind it. Those of a CRLF become one.
    const event = Buffer.allocUnsafe(start.length + lines * (DATA.length + 1) + bytes.length + 1)
    let at = event.write(start, 0, 'latin1')
    for (let from = 0; ; ) {
      const end = lineEnd(bytes, from)
      event.set(DATA, at)
      at += DATA.length
      if (end > from) {
        event.set(from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end), at)
        at += end - from
      }
      event[at++] = LF
      if (end === bytes.length) break
      from = bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : end + 1
    }
    event[at++] = LF
    return at === event.length ? event : event.subarray(0, at)
  }
}

/** Where the line that begins here ends; the end of all when there is no line break behind it. */
function lineEnd(bytes: Uint8Array, from: number): number {
  for (let i = from; i < bytes.length; i++) if (bytes[i] === LF || bytes[i] === CR) return i
  return bytes.length
}

/** At most so many lines: a CRLF counts as two breaks. */
function countLines(bytes: Uint8Array): number {
  let lines = 1
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === LF || bytes[i] === CR) lines++
  return lines
}
