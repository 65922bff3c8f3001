import t from 'tap'
import { type BorrowedBytes, keep, type OwnedBytes, own } from '../../core/index.js'

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

t.test('borrowed bytes cannot be used as owned ones', async (t) => {
  const queue: OwnedBytes[] = []
  const loan: BorrowedBytes = new Uint8Array([1, 2, 3])
  // @ts-expect-error A loan ends with the call: only a copy may be queued. This line is the test.
  queue.push(loan)
  queue.pop()
  const kept = keep(loan)
  queue.push(kept, own(new Uint8Array(2)))
  const lent: BorrowedBytes = kept
  loan.fill(9)
  t.same([...lent], [1, 2, 3], 'keep() copies')
  const part = keep(new Uint8Array(64).subarray(10, 13))
  t.equal(part.buffer.byteLength, 3, 'and no more than the bytes themselves')
})
