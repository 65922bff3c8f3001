/**
 * The two framings against a response that behaves as uWebSockets does, traps included, before a kernel that takes as
 * many bytes as chance wants. The real one is too lucky: it goes wrong once in a gigabyte.
 */

import type { HttpResponse } from 'uWebSockets.js'
import { createHash } from 'node:crypto'
import t from 'tap'
import { ChunkedBody, LengthBody, type ResponseBody, type WriteFrom } from '../../gateway/uws-body.js'
import { Random } from '../model/random.js'
import { parseResponse } from '../support/raw.js'

const CORK_BYTES = 16 * 1024

/** What AsyncSocket and HttpResponse of uWebSockets 20 do with bytes; test/platform pins that they do. */
class LikeUws {
  /** What the client received. */
  readonly wire: Buffer[] = []
  /** How many bytes the kernel takes now. */
  room = 0
  mostKept = 0
  #kept = Buffer.alloc(0)
  #cork: Buffer[] | undefined
  #offset = 0
  #chunked = false
  #hasLength = false

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
    return this
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
    const taken = this.#put(Buffer.from(data), true)
    this.#offset += taken
    return [taken === data.length, this.#offset === total]
  }

  getWriteOffset(): number {
    return this.#offset
  }

  end(): this {
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
    const sent = Math.min(this.room, data.length)
    this.room -= sent
    this.wire.push(Buffer.from(data.subarray(0, sent)))
    return sent
  }

  #keep(data: Buffer): number {
    this.#kept = Buffer.concat([this.#kept, data])
    this.mostKept = Math.max(this.mostKept, this.#kept.length)
    return data.length
  }
}

/** Hands a stream to a body as the fan-out would, until all of it has been taken. */
function deliver(seed: number, make: (res: HttpResponse, head: () => void, length: number) => ResponseBody) {
  const random = new Random(seed)
  const upTo = (most: number) => random.between(0, most)
  const stream = Buffer.alloc(upTo(3) === 0 ? upTo(40) : upTo(600_000), 'abcdefghijklmnopqrstuvwxyz0123456789')
  const res = new LikeUws()
  const head = () => void res.writeStatus('200 OK')
  const body = make(res as unknown as HttpResponse, head, stream.length)
  let taken = 0
  const from = (): WriteFrom => (random.chance(50) ? 'turn' : 'callback')
  res.room = upTo(3) === 0 ? 0 : upTo(100_000)
  for (let step = 0; taken < stream.length; step++) {
    if (step > 100_000) throw new Error('it never ends')
    if (body.blocked) {
      res.room = upTo(3) === 0 ? upTo(300) : upTo(200_000)
      body.unblock()
    }
    // Full but for a few bytes: the frame of a chunk goes out in part.
    else if (random.chance(20)) res.room = upTo(12)
    const size = random.chance(30) ? upTo(200) : upTo(100_000)
    taken += body.write(stream.subarray(taken, taken + size), body.begun ? from() : 'turn')
  }
  if (!body.done) {
    body.unblock()
    body.end()
  }
  res.finalFlush()
  return { stream, received: parseResponse(Buffer.concat(res.wire)), res }
}

for (const [name, make] of [
  ['chunked', (res: HttpResponse, head: () => void) => new ChunkedBody(res, head)],
  ['with a length', (res: HttpResponse, head: () => void, length: number) => new LengthBody(res, head, length)],
] as const) {
  t.test(`${name}: what is delivered is what was sent, whatever the kernel takes`, async (t) => {
    const fresh = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 32))
    let wrong: string | undefined
    let mostKept = 0
    for (let i = 0; i < 400 && wrong === undefined; i++) {
      const seed = i < 200 ? i : fresh + i
      try {
        const { stream, received, res } = deliver(seed, make)
        mostKept = Math.max(mostKept, res.mostKept)
        const same =
          createHash('sha1').update(received.body).digest('hex') === createHash('sha1').update(stream).digest('hex')
        if (!received.complete || !same) wrong = `seed ${seed}: ${received.body.length} of ${stream.length} bytes`
      } catch (error) {
        wrong = `seed ${seed}: ${error}`
      }
    }
    t.equal(wrong, undefined)
    t.ok(mostKept <= 84_000, `uWebSockets keeps no more than one piece and one cork: ${mostKept}`)
  })
}
