import t from 'tap'
import { keep } from '../../core/index.js'

t.test('what is kept is a copy, of a Buffer too', async (t) => {
  for (const lent of [
    new Uint8Array([1, 2, 3, 4]),
    Buffer.from([1, 2, 3, 4]),
    Buffer.from([0, 1, 2, 3, 4]).subarray(1),
  ]) {
    const kept = keep(lent)
    lent.fill(9)
    t.same([...kept], [1, 2, 3, 4])
    t.equal(kept.buffer.byteLength, 4, 'and of no more than that')
  }
})
