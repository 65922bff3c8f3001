/** Pipes that a caller stops, and the counts that a view shows. */
import type { Failure } from '../../../../core/index.js'
import type { Pipe } from '../../../../core/pairing/pipe.js'
import { scene } from './scene.js'

const STOPPED: Failure = { code: 'X', status: 409, message: 'Enough.', hint: 'Ask somebody.' }

scene('a caller ends a pipe, and says why', {}, (bench, t) => {
  t.equal(bench.table.stop('a', STOPPED), false, 'there is none')
  const lone = bench.receiver('a')
  const view = bench.table.get('a')!
  t.same([...bench.table.all()], [view])
  t.ok(bench.table.stop('a', STOPPED))
  t.same(lone.sink.log, ['abort stopped'])
  t.match(view, { state: 'ended', endReason: 'stopped', endFailure: STOPPED })
  const receiver = bench.receiver('a')
  const sender = bench.sender('a')
  bench.sender('b')
  sender.feed(10)
  t.same(
    [...bench.table.all()].map(({ key }) => key),
    ['a', 'b'],
  )
  // Code that iterates over all pipes may end them on the way.
  for (const { key } of bench.table.all()) bench.table.stop(key, STOPPED)
  t.same(receiver.sink.log, ['begin', 'abort stopped'])
  t.equal(sender.source.ended, 'stopped')
  t.same([...bench.table.all()], [])
})

scene('the first reason keeps its explanation', {}, (bench, t) => {
  const sender = bench.sender('a')
  const pipe = sender.endpoint.pipe as Pipe
  bench.table.endAll('shutting_down')
  pipe.stop(STOPPED)
  t.match(pipe, { endReason: 'shutting_down', endFailure: undefined })
})

scene('bytes sent count for every receiver, bytes held back in time only while it streams', {}, (bench, t) => {
  const one = bench.receiver('a', { n: 2, room: 30 })
  const two = bench.receiver('a', { n: 2 })
  bench.advance(50)
  const sender = bench.sender('a', { n: 2 })
  const view = bench.table.get('a')!
  sender.feed(100)
  t.match(view, { bytesSent: 130, heldBackMs: 0 })
  two.leave()
  t.equal(view.bytesSent, 130, 'also what went to one that left')
  bench.advance(40)
  t.equal(view.heldBackMs, 40)
  one.drain(70)
  one.drain()
  bench.advance(1000)
  t.match(view, { bytesSent: 200, heldBackMs: 40 })
  one.sink.room = 5
  sender.feed(10)
  bench.advance(3)
  sender.leave()
  bench.advance(500)
  t.equal(view.heldBackMs, 43, 'the end stops the clock')
})

scene('what has ended does not end again', {}, (bench, t) => {
  const sender = bench.sender('a')
  const receiver = bench.receiver('a')
  const { pipe } = sender.endpoint
  sender.end()
  pipe.end('fault')
  t.match(pipe, { endReason: 'complete' })
  t.same(receiver.sink.log, ['begin', 'finish'])
  t.same(bench.observer.lines, ['waiting a', 'paired a', 'ended a complete'])
})
