/** The queue of lines against an array of them, with random steps. */
import fc from 'fast-check'
import t from 'tap'
import { LineQueue } from '../../../gateway/log/line-queue.js'

const MAX = 300_000
/** Up to more than a chunk, with characters of one to four bytes. */
const line = fc
  .tuple(fc.constantFrom('a', 'é', '€', '😀', 'aé€😀'), fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 40_000 })))
  .map(([unit, count]) => `${unit.repeat(count)}\n`)
const step = fc.oneof(
  line,
  fc.record({ most: fc.constantFrom(10, 4096, 65_536), share: fc.integer({ min: 1, max: 100 }) }),
  fc.constant('skip' as const),
)

t.test('what goes in comes out, in order and in bounds; what does not fit is refused whole', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new LineQueue(MAX)
      let model = Buffer.alloc(0)
      let isTorn = false
      for (const each of steps) {
        if (each === 'skip') {
          check(queue.skipTornLine() === isTorn, 'it knows whether a line is torn')
          if (isTorn) model = model.subarray(model.indexOf(10) + 1)
          isTorn = false
        } else if (typeof each === 'string') {
          const bytes = Buffer.from(each)
          const fits = model.length + bytes.length <= MAX
          check(queue.push(each) === fits, 'it takes what fits')
          if (fits) model = Buffer.concat([model, bytes])
        } else if (queue.bytes > 0) {
          const count = queue.next(each.most)
          const piece = queue.head.subarray(queue.start, queue.start + count)
          check(count > 0 && count <= each.most, `${count} of ${each.most}`)
          check(piece.equals(model.subarray(0, count)), 'the next bytes')
          const isWhole = piece.at(-1) === 10
          check(isWhole || model.indexOf(10) >= each.most, 'only a line that is longer is not whole')
          const written = Math.max(1, Math.floor((count * each.share) / 100))
          queue.take(written)
          isTorn = model[written - 1] !== 10
          model = model.subarray(written)
        }
        check(queue.bytes === model.length, 'it counts')
        check(queue.isTorn === isTorn, 'torn')
      }
    }),
    { numRuns: 300, ...(process.env.PIPEGATE_SEED && { seed: Number(process.env.PIPEGATE_SEED) }) },
  )
})

function check(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what)
}
