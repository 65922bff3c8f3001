/** Redis: pub/sub for topics, lists with BLPOP for queues and questions. https://redis.io/docs/latest/develop/reference/protocol-spec/ */

import type { CrewOptions } from './crew.js'
import { Wire } from './wire.js'
import type { WireDialect } from './wires.js'

const LINE_END = Buffer.from('\r\n')
const LINE_FEED = 10
const [ARRAY, BULK, ERROR, INTEGER, SPACE] = [...Buffer.from('*$-: ')] as [number, number, number, number, number]

/** Gets the last string of a reply with several; `first` is its first one. */
type Take = (bytes: Buffer, from: number, to: number, first: string) => void

function connect(options: CrewOptions, side: 'sender' | 'receiver', take: Take): Wire {
  const wire = new Wire(options, side, (bytes, from, end) => {
    let at = from
    let items = 1
    let first = ''
    for (let item = 0; item < items; item++) {
      const stop = bytes.indexOf(LINE_FEED, at)
      if (stop < 0 || stop >= end) return from
      const type = bytes[at]
      if (type === ERROR) throw new Error(`Redis said ${bytes.toString('latin1', at, stop)}`)
      const value = type === BULK || type === ARRAY ? Number(bytes.toString('latin1', at + 1, stop - 1)) : 0
      at = stop + 1
      if (type === ARRAY) items = value + 1
      if (type !== BULK) continue
      const to = at + value
      if (to + LINE_END.length > end) return from
      if (item === 1) first = bytes.toString('latin1', at, to)
      else if (item === items - 1) take(bytes, at, to, first)
      at = to + LINE_END.length
    }
    if (bytes[from] !== INTEGER) wire.welcome()
    return at
  })
  return wire
}

/** A command as the protocol frames it. */
function command(...words: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, LINE_END)
  }
  return Buffer.concat(parts)
}

const NEXT = {
  topic: command('SUBSCRIBE', 'topic'),
  queue: command('BLPOP', 'queue', '0'),
  ask: command('BLPOP', 'ask', '0'),
}

/** A question begins with the number of its asker, whose answers have a list of their own. */
export const redis: WireDialect = {
  sender(options, index) {
    const wire = connect(options, 'sender', options.kind === 'ask' ? options.taker(index) : () => {})
    wire.welcome()
    return wire
  },
  receiver(options, index) {
    const { kind } = options
    const arrived = options.taker(index)
    const wire = connect(options, 'receiver', (bytes, from, to) => {
      if (kind === 'ask') {
        const space = bytes.indexOf(SPACE, from)
        const answers = `answers:${bytes.toString('latin1', from, space)}`
        wire.write(command('RPUSH', answers, bytes.subarray(space + 1, to)))
      } else arrived(bytes, from, to)
      if (kind !== 'topic') wire.write(NEXT[kind])
    })
    wire.write(NEXT[kind])
    // Who waits for a list is told nothing until there is something in it.
    if (kind !== 'topic') wire.welcome()
    return wire
  },
  wrap({ kind }, message, index) {
    if (kind === 'topic') return command('PUBLISH', 'topic', message)
    if (kind === 'queue') return command('RPUSH', 'queue', message)
    const question = Buffer.concat([Buffer.from(`${index} `), message])
    return Buffer.concat([command('RPUSH', 'ask', question), command('BLPOP', `answers:${index}`, '0')])
  },
}
