import type { StreamHead, TopicFormat, TopicMessage } from '../../../core/index.js'
import { LF } from './line-breaks.js'

/** The bytes of each message, and a line break behind those that have none. */
export class MessageLines implements TopicFormat {
  readonly head: StreamHead

  constructor(type: string) {
    this.head = { length: undefined, fields: [['Content-Type', type]] }
  }

  encode({ bytes }: TopicMessage): Uint8Array {
    const { length } = bytes
    if (bytes[length - 1] === LF) return bytes
    const line = Buffer.allocUnsafe(length + 1)
    line.set(bytes)
    line[length] = LF
    return line
  }
}
