/** What the tests of a pipe share. */
import t, { type Test } from 'tap'
import { Refusal } from '../../../../core/index.js'
import { Bench, type BenchOptions } from '../../fakes/bench.js'
import type { FakeSender } from '../../fakes/sides.js'
import { streamBytes } from '../../fakes/stream-bytes.js'

/** The refusals and end reasons that all scenes came across. */
export const refusalsSeen = new Set<string>()
export const reasonsSeen = new Set<string>()

/** A subtest with a bench of its own, which must be empty at the end. */
export function scene(name: string, options: BenchOptions, play: (bench: Bench, t: Test) => void): void {
  t.test(name, async (t) => {
    const bench = new Bench(options)
    play(bench, t)
    bench.assertEmpty()
    for (const { reason } of bench.observer.observed) if (reason !== undefined) reasonsSeen.add(reason)
  })
}

/** All orders in which these can come. */
export function orders<T>(things: readonly T[]): T[][] {
  if (things.length === 0) return [[]]
  return things.flatMap((first, i) => orders(things.toSpliced(i, 1)).map((rest) => [first, ...rest]))
}

/** Asserts that `result` is the refusal with this code. */
export function refused(result: unknown, code: string, t: Test): Refusal {
  if (!(result instanceof Refusal)) throw new Error(`was not refused, although ${code} was expected`)
  t.equal(result.failure.code, code)
  t.notMatch(result.text, /[{}]/, 'every placeholder of the text is filled')
  refusalsSeen.add(code)
  return result
}

/** The whole stream, as it must arrive. */
export function whole(sender: FakeSender): Buffer {
  return Buffer.from(streamBytes(sender.stream, 0, sender.fed))
}
