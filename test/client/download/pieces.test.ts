/** What is read comes out in order, and nobody's memory is written to while it is in use. */

import t from 'tap'
import { PieceBuffer } from '../../../client/wire/download/piece-buffer.js'
import { Pieces } from '../../../client/wire/download/pieces.js'
import { Random } from '../../model/random.js'
import { bodyOf } from '../../support/tape.js'

const MIB = 1 << 20

t.test('a reader and a taker at random speeds', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed)
    const body = bodyOf(seed, 6 * MIB)
    const buffer = new PieceBuffer()
    const inUse: { readonly piece: Buffer; readonly at: number }[] = []
    let [read, taken, isStill] = [0, 0, 0]
    while (taken < body.length) {
      if (random.chance(60) && buffer.hasRoom && read < body.length) {
        const { room } = buffer
        const count = Math.min(random.pick([1, 100, 65_536, room.length])!, room.length, body.length - read)
        body.copy(room, 0, read, read + count)
        buffer.add(count)
        read += count
        isStill = 0
        if (read - taken > 3 * MIB) throw new Error(`seed ${seed}: it holds ${read - taken} bytes`)
      } else if (random.chance(50)) {
        const piece = buffer.next()
        if (piece === undefined) continue
        inUse.push({ piece, at: taken })
        taken += piece.length
        isStill = 0
        // The one before it is still being written, say.
        if (inUse.length > 2) inUse.shift()
        for (const { piece, at } of inUse) {
          if (!piece.equals(body.subarray(at, at + piece.length))) throw new Error(`seed ${seed}: other bytes at ${at}`)
        }
      } else if (++isStill > 1000) throw new Error(`seed ${seed}: nothing moves any more`)
      for (const { piece, at } of inUse) {
        if (piece[0] !== body[at]) throw new Error(`seed ${seed}: overwritten at ${at}`)
      }
    }
    t.ok(buffer.isEmpty, `seed ${seed}`)
  }
})

t.test('reading pauses when all is full, and goes on', async (t) => {
  let resumed = 0
  const pieces = new Pieces(() => resumed++)
  let read = 0
  for (let goesOn = true; goesOn; ) {
    const { length } = pieces.room
    goesOn = pieces.add(length)
    read += length
    if (read > 10 * MIB) throw new Error('it never says that it is full')
  }
  t.equal(resumed, 0)
  pieces.end()
  let taken = 0
  for await (const piece of pieces.take(() => {})) taken += piece.length
  t.equal(taken, read, 'all came')
  t.equal(resumed, 1, 'once')
})

t.test('how it ends', async (t) => {
  let closed = 0
  const failed = new Pieces(() => {})
  failed.room.write('abc')
  failed.add(3)
  failed.end(new Error('cut'))
  failed.end()
  const got: string[] = []
  const taking = async () => {
    for await (const piece of failed.take(() => closed++)) got.push(`${piece}`)
  }
  await t.rejects(taking(), { message: 'cut' }, 'what has come is handed out before the failure is told')
  t.same(got, ['abc'])
  const left = new Pieces(() => {})
  left.room.write('abc')
  left.add(3)
  for await (const _ of left.take(() => closed++)) break
  t.equal(closed, 2, 'who takes no more closes it')
  const late = new Pieces(() => {})
  const all = (async () => {
    const texts: string[] = []
    for await (const piece of late.take(() => {})) texts.push(`${piece}`)
    return texts
  })()
  for (const text of ['one', 'two']) {
    await new Promise((resolve) => setImmediate(resolve))
    late.room.write(text)
    late.add(3)
  }
  late.end()
  t.equal((await all).join(''), 'onetwo', 'who waits is woken')
})
