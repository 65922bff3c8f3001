/** The form reader's limits of time and size, with a scripted clock and repeated bytes. */
import t from 'tap'
import { FormReader } from '../../../gateway/stream/form/form-reader.js'
import { Bench } from '../../core/fakes/bench.js'
import type { FakeSender } from '../../core/fakes/sides.js'

const BEFORE = '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
const HEAD = { length: undefined, fields: [] }

function reader(bench: Bench, sender: Pick<FakeSender, 'endpoint'>) {
  return new FormReader(sender.endpoint, { boundary: 'b', head: HEAD }, bench.clock, () => {})
}

t.test('30 seconds for the part that is the stream', async (t) => {
  const bench = new Bench()
  const late = bench.sender('late', { headLater: true })
  const inTime = bench.sender('in-time', { headLater: true })
  const text = bench.sender('text', { headLater: true })
  const [one, two, three] = [late, inTime, text].map((sender) => reader(bench, sender))
  bench.advance(29_999)
  two!.feed(Buffer.from(`${BEFORE}x`))
  // The line break at its end may be that of a boundary.
  one!.feed(Buffer.from(BEFORE))
  three!.feed(Buffer.from('--b\r\nContent-Disposition: form-data; name="input_text"\r\n\r\nhel'))
  bench.advance(1)
  const ended = () => [late, inTime, text].map(({ source }) => source.ended)
  t.same(ended(), ['empty_form', undefined, 'empty_form'])
  one!.feed(Buffer.from('x'))
  bench.advance(100_000)
  t.same(ended(), ['empty_form', undefined, 'empty_form'])
  two!.left()
  bench.assertEmpty()
})

t.test('no deadline is left behind, whatever became of the form', async (t) => {
  const bench = new Bench()
  for (const leave of ['left', 'broken', 'fault', 'onMalformed'] as const) {
    reader(bench, bench.sender('a', { headLater: true }))[leave]()
    bench.assertEmpty()
  }
  t.pass()
})

t.test('a file of more than 4 GiB', { timeout: 120_000 }, async (t) => {
  const piece = Buffer.alloc(448 * 1024, '\r\n--')
  const pieces = Math.ceil((2 ** 32 + 1) / piece.length)
  let fed = 0
  const endpoint = {
    opened() {},
    feed: (bytes: Uint8Array) => (fed += bytes.length),
    end: () => t.equal(fed, pieces * piece.length),
    broken: t.fail,
  }
  const big = reader(new Bench(), { endpoint: endpoint as never })
  big.feed(Buffer.from(BEFORE))
  for (let i = 0; i < pieces; i++) big.feed(piece)
  big.feed(Buffer.from('\r\n--b--'))
  big.end()
  t.ok(fed > 2 ** 32, `${fed} bytes`)
})
