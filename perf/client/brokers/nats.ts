/** NATS: https://docs.nats.io/reference/reference-protocols/nats-protocol */

import type { CrewOptions } from './crew.js'
import { Wire } from './wire.js'
import type { WireDialect } from './wires.js'

const CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"lang":"perf","version":"1","protocol":1}\r\n'
const LINE_END = Buffer.from('\r\n')
const LINE_FEED = 10

type Take = (bytes: Buffer, from: number, to: number, reply: string | undefined) => void

function connect(options: CrewOptions, side: 'sender' | 'receiver', says: string, take: Take): Wire {
  const wire = new Wire(options, side, (bytes, from, end) => {
    const stop = bytes.indexOf(LINE_FEED, from)
    if (stop < 0 || stop >= end) return from
    const words = bytes.toString('latin1', from, stop - 1).split(' ')
    if (words[0] !== 'MSG') return control(words[0]!, bytes, from, stop)
    const to = stop + 1 + Number(words.at(-1))
    if (to + LINE_END.length > end) return from
    take(bytes, stop + 1, to, words.length === 5 ? words[3] : undefined)
    return to + LINE_END.length
  })
  const control = (word: string, bytes: Buffer, from: number, stop: number): number => {
    if (word === 'PONG') wire.welcome()
    else if (word === 'PING') wire.write('PONG\r\n')
    else if (word !== 'INFO') throw new Error(`NATS said ${bytes.toString('latin1', from, stop)}`)
    return stop + 1
  }
  wire.write(`${CONNECT}${says}PING\r\n`)
  return wire
}

function publish(subject: string, message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`PUB ${subject} ${message.length}\r\n`, 'latin1'), message, LINE_END])
}

/** The workers of a queue and of questions are a queue group. */
export const nats: WireDialect = {
  sender(options, index) {
    const says = options.kind === 'ask' ? `SUB inbox.${index} 1\r\n` : ''
    return connect(options, 'sender', says, options.taker(index))
  },
  receiver(options, index) {
    const { kind } = options
    const arrived = options.taker(index)
    const says = kind === 'topic' ? 'SUB topic 1\r\n' : `SUB ${kind} workers 1\r\n`
    const wire = connect(options, 'receiver', says, (bytes, from, to, reply) => {
      if (kind === 'ask') wire.write(publish(reply!, bytes.subarray(from, to)))
      else arrived(bytes, from, to)
    })
    return wire
  },
  wrap: ({ kind }, message, index) => publish(kind === 'ask' ? `ask inbox.${index}` : kind, message),
}
