/** How a line is sent and how it arrives, for each kind of relay. */

import { chunked } from './body-writer.js'
import type { Target } from './dial.js'
import { ResponseReader, type TakeBody } from './response.js'

export interface Dialect {
  /** What a receiver says first. */
  readonly asks: string
  /** What it hears when it will get every line from now on; null when there is no such word. */
  readonly welcome: string | null
  /** What a sender says first. */
  readonly sends: string
  /** A line as it goes over the wire. */
  wrap(line: Buffer): Buffer
  /** Takes what arrives, `bytes[0, end)`, and hands out the lines. */
  createReader(take: TakeBody): (bytes: Buffer, end: number) => void
}

/** The dialect of a relay, for lines of `bytes` bytes under the name `path`. */
export function dialectOf({ scheme }: Target, path: string, bytes: number): Dialect {
  switch (scheme) {
    case 'raw':
      return RAW
    case 'redis':
      return redis(bytes)
    case 'nats':
      return nats(bytes)
    default:
      return http(path)
  }
}

const RAW: Dialect = {
  asks: '',
  welcome: null,
  sends: '',
  wrap: (line) => line,
  createReader: (take) => (bytes, end) => take(bytes, 0, end),
}

function http(path: string): Dialect {
  return {
    asks: `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    welcome: null,
    sends: `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`,
    wrap: chunked,
    createReader(take) {
      const reader = new ResponseReader(take)
      return (bytes, end) => reader.push(bytes, end)
    },
  }
}

function redis(bytes: number): Dialect {
  const length = `$${bytes}\r\n`
  return {
    asks: 'SUBSCRIBE line\r\n',
    welcome: ':1\r\n',
    sends: '',
    wrap: envelope(`*3\r\n$7\r\nPUBLISH\r\n$4\r\nline\r\n${length}`),
    createReader: (take) => readEnvelopes(`*3\r\n$7\r\nmessage\r\n$4\r\nline\r\n${length}`, bytes, take),
  }
}

function nats(bytes: number): Dialect {
  const connect = 'CONNECT {"verbose":false,"pedantic":false}\r\n'
  return {
    asks: `${connect}SUB line 1\r\nPING\r\n`,
    welcome: 'PONG\r\n',
    sends: connect,
    wrap: envelope(`PUB line ${bytes}\r\n`),
    createReader: (take) => readEnvelopes(`MSG line 1 ${bytes}\r\n`, bytes, take),
  }
}

const LINE_END = Buffer.from('\r\n')

function envelope(head: string): (line: Buffer) => Buffer {
  const bytes = Buffer.from(head)
  return (line) => Buffer.concat([bytes, line, LINE_END])
}

// NATS asks now and then whether somebody is there, and bears it for minutes when nobody answers.
const PING = Buffer.from('PING\r\n')

/** All messages are alike but for their content, so that whatever is not as expected is a mistake. */
function readEnvelopes(head: string, bytes: number, take: TakeBody): (bytes: Buffer, end: number) => void {
  const before = Buffer.from(head)
  const size = before.length + bytes + LINE_END.length
  let rest = Buffer.alloc(0)
  return (buffer, end) => {
    rest = Buffer.concat([rest, buffer.subarray(0, end)])
    for (;;) {
      if (rest.indexOf(PING) === 0) rest = rest.subarray(PING.length)
      if (rest.length < size) return
      if (rest.indexOf(before) !== 0)
        throw new Error(`not a message: ${JSON.stringify(rest.toString('latin1', 0, 80))}`)
      const message = rest
      rest = rest.subarray(size)
      take(message, before.length, before.length + bytes)
    }
  }
}
