/** A DNS server that knows what the test says, over UDP on a free port of 127.0.0.1. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'
import type { Teardown } from './teardown.js'

const CODES = { noError: 0, servFail: 2, nxDomain: 3 }
const A = 1
const AAAA = 28

export interface DnsServer {
  /** `127.0.0.1:port` */
  readonly address: string
  /** Addresses of a name, of both kinds; `silent` gives no answer. A name that is not there does not exist. */
  readonly names: Map<string, readonly string[] | 'silent' | 'servFail'>
  /** Questions so far. */
  asked: number
}

export async function startDnsServer(t: Teardown): Promise<DnsServer> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => new Promise<void>((resolve) => socket.close(() => resolve())))
  const server: DnsServer = { address: `127.0.0.1:${socket.address().port}`, names: new Map(), asked: 0 }
  socket.on('message', (query, { port, address }) => {
    server.asked++
    const { name, type, end } = question(query)
    const known = server.names.get(name)
    if (known === 'silent') return
    const isList = known !== undefined && known !== 'servFail'
    const family = type === A ? 4 : type === AAAA ? 6 : 0
    const found = isList ? known.filter((each) => isIP(each) === family) : []
    const code = known === undefined ? CODES.nxDomain : isList ? CODES.noError : CODES.servFail
    const head = Buffer.alloc(12)
    query.copy(head, 0, 0, 2)
    head.writeUInt16BE(0x8180 | code, 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(found.length, 6)
    socket.send(
      Buffer.concat([head, query.subarray(12, end), ...found.map((each) => record(type, each))]),
      port,
      address,
    )
  })
  return server
}

function question(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

/** An answer to the question, for no time at all. */
function record(type: number, address: string): Buffer {
  const bytes =
    type === A
      ? Buffer.from(address.split('.').map(Number))
      : // `::` alone is enough for a test.
        Buffer.concat([Buffer.alloc(14), Buffer.from([0, Number(address.replace('::', ''))])])
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length])
  return Buffer.concat([head, bytes])
}
