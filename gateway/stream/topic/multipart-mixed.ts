import { randomBytes } from 'node:crypto'
import type { StreamHead, TopicFormat, TopicMessage } from '../../../core/index.js'

/**
 * Messages as the parts of one `multipart/mixed` body (RFC 2046, section 5.1), each with its type and its length. The boundary
 * behind a part leaves with it, so that a reader knows at once that the part is whole. Therefore at a clean end one more part
 * has begun: it has no header and no byte, and is no message.
 */
export class MultipartMixed implements TopicFormat {
  readonly head: StreamHead
  readonly opening: Buffer
  readonly closing: Buffer
  readonly #delimiter: Buffer

  /** @param boundary nobody who publishes can know it, unless they subscribe as well */
  constructor(boundary = randomBytes(18).toString('base64url')) {
    this.head = { length: undefined, fields: [['Content-Type', `multipart/mixed; boundary=${boundary}`]] }
    this.opening = Buffer.from(`--${boundary}\r\n`)
    this.#delimiter = Buffer.from(`\r\n--${boundary}\r\n`)
    this.closing = Buffer.from(`\r\n--${boundary}--\r\n`)
  }

  encode({ bytes, type }: TopicMessage): Uint8Array {
    const head = `Content-Type: ${type === '' ? 'application/octet-stream' : type}\r\nContent-Length: ${bytes.length}\r\n\r\n`
    const part = Buffer.allocUnsafe(head.length + bytes.length + this.#delimiter.length)
    const at = part.write(head, 0, 'latin1')
    part.set(bytes, at)
    part.set(this.#delimiter, at + bytes.length)
    return part
  }
}
