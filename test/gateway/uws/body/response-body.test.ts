/**
 * The two framings against a response that behaves as uWebSockets does, traps included, on top of a kernel that takes a random
 * number of bytes. With the real ones the traps are too rare to test: about once in a gigabyte.
 */

import type { HttpResponse } from 'uWebSockets.js'
import { createHash } from 'node:crypto'
import t from 'tap'
import { ChunkedBody } from '../../../../gateway/uws/body/chunked-body.js'
import { FixedLengthBody } from '../../../../gateway/uws/body/fixed-length-body.js'
import type { BodyTarget, ResponseBody, WriteFrom } from '../../../../gateway/uws/body/response-body.js'
import { Random } from '../../../model/random.js'
import { parseResponse } from '../../../support/raw.js'

const CORK_BYTES = 16 * 1024

/** What AsyncSocket and HttpResponse of uWebSockets 20 do with bytes; test/platform pins that they do. */
class FakeResponse {
  /** What the client received. */
  readonly wire: Buffer[] = []
  /** How many bytes the kernel takes now. */
  room = 0
  mostKept = 0
  /** Bytes that were not with the kernel yet when the response was ended. */
  keptAtEnd = 0
  /** The last send took all. */
  whole = true
  /** Size lines wait for their data, as native/sockets.c makes them. */
  joined = false
  /** Data of a joined chunk that was taken for sent, and has to be sent from elsewhere. */
  due = 0
  #line: Buffer = Buffer.alloc(0)
  #kept = Buffer.alloc(0)
  #cork: Buffer[] | undefined
  #offset = 0
  #chunked = false
  #hasLength = false
  #total = -1
  #endCalled = false

  get kept(): number {
    return this.#kept.length
  }

  cork(run: () => void): this {
    if (this.#cork !== undefined) {
      run()
      return this
    }
    this.#cork = []
    run()
    this.#uncork(Buffer.alloc(0), false)
    if (this.#ended) this.keptAtEnd = this.#kept.length + this.#line.length
    return this
  }

  get #ended(): boolean {
    return this.#endCalled || (this.#hasLength && this.#offset === this.#total)
  }

  writeStatus(status: string): this {
    this.#put(Buffer.from(`HTTP/1.1 ${status}\r\n`), false)
    return this
  }

  write(data: Uint8Array): boolean {
    if (data.length === 0) return true
    if (!this.#chunked) this.#put(Buffer.from('Transfer-Encoding: chunked\r\n'), false)
    this.#chunked = true
    this.#put(Buffer.from(`\r\n${data.length.toString(16)}\r\n`), false)
    return this.#put(Buffer.from(data), false) === data.length && this.#kept.length === 0
  }

  tryEnd(data: Uint8Array, total: number): [boolean, boolean] {
    if (!this.#hasLength) this.#put(Buffer.from(`Content-Length: ${total}\r\n\r\n`), false)
    this.#hasLength = true
    this.#total = total
    const taken = this.#put(Buffer.from(data), true)
    this.#offset += taken
    if (this.#offset === total && this.#cork === undefined) this.keptAtEnd = this.#kept.length
    return [taken === data.length, this.#offset === total]
  }

  getWriteOffset(): number {
    return this.#offset
  }

  end(): this {
    this.#endCalled = true
    if (this.#chunked) this.#put(Buffer.from('\r\n0\r\n\r\n'), false)
    else if (!this.#hasLength) this.#put(Buffer.from('Content-Length: 0\r\n\r\n'), false)
    return this
  }

  /** As the kernel takes more: uWebSockets flushes only when somebody writes. */
  finalFlush(): void {
    this.room = Number.POSITIVE_INFINITY
    this.#put(Buffer.alloc(0), false)
  }

  /** Returns how many bytes were taken. Optional bytes are not kept when the kernel does not take them. */
  #put(data: Buffer, optional: boolean): number {
    if (this.#kept.length > 0) {
      this.#kept = this.#kept.subarray(this.#send(this.#kept))
      if (this.#kept.length > 0) return optional ? 0 : this.#keep(data)
    }
    if (this.#cork !== undefined) {
      const held = this.#cork.reduce((sum, each) => sum + each.length, 0)
      if (held + data.length > CORK_BYTES) return this.#uncork(data, optional)
      this.#cork.push(data)
      return data.length
    }
    const sent = this.#send(data)
    if (sent === data.length || optional) return sent
    this.#keep(data.subarray(sent))
    return data.length
  }

  /** The trap: when the kernel does not take all that was corked, the new bytes are dropped. */
  #uncork(data: Buffer, optional: boolean): number {
    const corked = Buffer.concat(this.#cork ?? [])
    this.#cork = undefined
    if (corked.length > 0) {
      this.#put(corked, false)
      if (this.#kept.length > 0) return 0
    }
    return this.#put(data, optional)
  }

  #send(data: Buffer): number {
    if (this.joined && /^\r\n[1-9a-f][0-9a-f]*\r\n$/.test(data.toString('latin1'))) {
      this.#line = data
      return data.length
    }
    if (this.due > 0) {
      this.whole = false
      return 0
    }
    const isJoined = this.#line.length > 0
    const sent = this.#toKernel(data)
    this.whole = sent === data.length && this.#line.length === 0
    if (!isJoined || sent >= data.length - 1) return sent
    this.due = data.length - 1 - sent
    return data.length - 1
  }

  /** What is due leaves from where the fan-out keeps it. */
  sendDue(data: Buffer): number {
    const sent = this.#toKernel(data.subarray(0, this.due))
    this.due -= sent
    return sent
  }

  #toKernel(data: Buffer): number {
    const all = Buffer.concat([this.#line, data])
    const sent = Math.min(this.room, all.length)
    this.room -= sent
    this.wire.push(all.subarray(0, sent))
    this.#line = this.#line.subarray(sent)
    return Math.max(0, sent - (all.length - data.length))
  }

  #keep(data: Buffer): number {
    this.#kept = Buffer.concat([this.#kept, data])
    this.mostKept = Math.max(this.mostKept, this.#kept.length)
    return data.length
  }
}

type Make = (target: BodyTarget, length: number) => ResponseBody

/** What the native helper knows and does; without it, nothing. */
function helper(res: FakeResponse, helped: boolean): BodyTarget['sockets'] {
  if (!helped) {
    const nothing = { askInBody: () => false, bytesDue: () => 0, sendDue: () => 0 }
    return { ...nothing, endBody: () => false, joinChunks: () => false, sentAll: () => undefined, hasRoom: () => true }
  }
  return {
    askInBody: () => false,
    bytesDue: () => (res.due > 0 ? res.due + 1 : 0),
    sendDue: (_, bytes) => res.sendDue(Buffer.from(bytes)),
    endBody: () => false,
    joinChunks: () => (res.joined = res.whole),
    sentAll: () => res.whole,
    hasRoom: () => res.room >= 20_000,
  }
}

/** Hands a stream to a body as the fan-out would, until all of it has been taken. */
function deliver(seed: number, make: Make, helped: boolean) {
  const random = new Random(seed)
  const upTo = (most: number) => random.between(0, most)
  const stream = Buffer.alloc(upTo(3) === 0 ? upTo(40) : upTo(600_000), 'abcdefghijklmnopqrstuvwxyz0123456789')
  const res = new FakeResponse()
  const head = () => void res.writeStatus('200 OK')
  const target = { res: res as unknown as HttpResponse, head, socket: 0, sockets: helper(res, helped), tls: false }
  const body = make(target, stream.length)
  let taken = 0
  const from = (): WriteFrom => (random.chance(50) ? 'turn' : 'callback')
  const moreRoom = () => {
    res.room = upTo(3) === 0 ? upTo(600) : upTo(200_000)
    if (body.blocked) body.unblock()
  }
  res.room = upTo(3) === 0 ? 0 : upTo(100_000)
  let offered = 0
  for (let step = 0; taken < stream.length; step++) {
    if (step > 100_000) throw new Error('it never ends')
    // Full but for a few bytes: the frame of a chunk goes out in part.
    if (!body.blocked && random.chance(20)) res.room = upTo(12)
    const size = random.chance(30) ? upTo(200) : upTo(100_000)
    // What was offered and not taken comes again, cut elsewhere perhaps: slabs have ends of their own.
    if (!body.blocked) {
      offered = Math.min(stream.length, Math.max(taken + size, offered))
      const pieces = random.chance(30) ? [Math.ceil((offered - taken) / 2), offered - taken] : [offered - taken]
      for (const piece of pieces) {
        if (body.blocked || body.done) break
        const most = Math.min(piece, offered - taken)
        taken += body.write(stream.subarray(taken, taken + most), body.begun ? from() : 'turn')
      }
    }
    if (body.blocked || random.chance(50)) moreRoom()
  }
  for (let step = 0; !body.done && (body.blocked || !body.end()); step++) {
    if (step > 1000) throw new Error('it is never ended')
    moreRoom()
  }
  res.finalFlush()
  return { stream, received: parseResponse(Buffer.concat(res.wire)), res }
}

const MAKES: readonly (readonly [string, Make])[] = [
  ['chunked', (target) => new ChunkedBody(target)],
  ['with a length', (target, length) => new FixedLengthBody(target, length)],
]

for (const [name, make] of MAKES) {
  for (const helped of [true, false]) {
    t.test(`${name}, ${helped ? 'with' : 'without'} help: what is delivered is what was sent`, async (t) => {
      const fresh = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 32))
      let wrong: string | undefined
      let mostKept = 0
      let keptAtEnd = 0
      for (let i = 0; i < 400 && wrong === undefined; i++) {
        const seed = i < 200 ? i : fresh + i
        try {
          const { stream, received, res } = deliver(seed, make, helped)
          mostKept = Math.max(mostKept, res.mostKept)
          keptAtEnd = Math.max(keptAtEnd, res.keptAtEnd)
          const same =
            createHash('sha1').update(received.body).digest('hex') === createHash('sha1').update(stream).digest('hex')
          if (!received.complete || !same) wrong = `seed ${seed}: ${received.body.length} of ${stream.length} bytes`
        } catch (error) {
          wrong = `seed ${seed}: ${error}`
        }
      }
      t.equal(wrong, undefined)
      t.ok(mostKept <= 84_000, `uWebSockets keeps no more than one piece and one cork: ${mostKept}`)
      if (helped) t.equal(keptAtEnd, 0, 'the response was ended when all of it was with the kernel')
    })
  }
}
