/** A WebSocket client that writes what no library would. */
import { randomBytes } from 'node:crypto'
import { eventually } from '../../../support/eventually.js'
import type { Running } from '../../../support/gateway.js'
import type { RawClient } from '../../../support/raw.js'

export const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10]

export interface FrameOptions {
  readonly fin?: boolean
  /** The three reserved bits, from the left. */
  readonly rsv?: number
  readonly masked?: boolean
  /** In the place of the true length. */
  readonly length?: bigint
}

/** One frame of a client: RFC 6455, section 5.2. */
export function frame(opcode: number, body: string | Buffer = '', options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, masked = true } = options
  const payload = Buffer.from(body)
  const length = options.length ?? BigInt(payload.length)
  const head = [((fin ? 1 : 0) << 7) | (rsv << 4) | opcode]
  const bit = masked ? 0x80 : 0
  if (length < 126n) head.push(bit | Number(length))
  else if (length < 65_536n) head.push(bit | 126, Number(length >> 8n), Number(length & 255n))
  else {
    head.push(bit | 127)
    for (let shift = 56n; shift >= 0n; shift -= 8n) head.push(Number((length >> shift) & 255n))
  }
  if (!masked) return Buffer.concat([Buffer.from(head), payload])
  const mask = randomBytes(4)
  return Buffer.concat([Buffer.from(head), mask, payload.map((octet, i) => octet ^ mask[i % 4]!)])
}

export function closeFrame(code: number, reason = ''): Buffer {
  return frame(CLOSE, Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason)]))
}

interface Heard {
  readonly opcode: number
  readonly fin: boolean
  readonly body: Buffer
}

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
]

export class RawSocket {
  constructor(readonly raw: RawClient) {}

  /** What the gateway has sent, frame by frame, as far as they are complete. */
  get frames(): Heard[] {
    const bytes = this.raw.received
    const frames: Heard[] = []
    const upgraded = Math.max(0, bytes.lastIndexOf('HTTP/1.1 101 '))
    let at = bytes.indexOf('\r\n\r\n', upgraded) + 4
    while (at + 2 <= bytes.length) {
      const short = bytes[at + 1]! & 127
      const from = at + (short < 126 ? 2 : short === 126 ? 4 : 10)
      if (from > bytes.length) break
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
      if (from + length > bytes.length) break
      const body = bytes.subarray(from, from + length)
      frames.push({ opcode: bytes[at]! & 15, fin: bytes[at]! >= 128, body })
      at = from + length
    }
    return frames
  }

  /** Its messages, put together again; and the code that it was closed with. */
  get messages(): string[] {
    const messages: string[] = []
    let isOpen = false
    for (const { opcode, fin, body } of this.frames) {
      if (opcode >= CLOSE!) continue
      if (isOpen) messages[messages.length - 1] += body.toString('latin1')
      else messages.push(body.toString('latin1'))
      isOpen = !fin
    }
    return messages
  }

  get code(): number | undefined {
    const close = this.frames.find(({ opcode }) => opcode === CLOSE)
    if (close === undefined) return undefined
    return close.body.length < 2 ? 1005 : close.body.readUInt16BE()
  }

  async hears(...wanted: readonly string[]): Promise<void> {
    const all = wanted.map((each) => Buffer.from(each).toString('latin1'))
    await eventually(() => `${this.messages}` === `${all}` || `heard ${JSON.stringify(this.messages.slice(-5))}`)
  }

  async isClosed(): Promise<number> {
    await eventually(() => this.code !== undefined || this.raw.isClosed || 'it is open')
    return this.code ?? 1006
  }
}

export function handshake(target = 'd?ws'): string {
  return `${[`GET /${target} HTTP/1.1`, 'Host: x', ...HANDSHAKE].join('\r\n')}\r\n\r\n`
}

export async function opensRaw(gateway: Running, target = 'd?ws'): Promise<RawSocket> {
  const raw = await gateway.connect()
  await raw.send(handshake(target))
  await raw.waitFor(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/)
  return new RawSocket(raw)
}
