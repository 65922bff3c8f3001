/** Bodies of the wrong length, broken bodies, and heads that come late. */
import { refused, scene, whole } from './scene.js'

for (const [what, length] of [
  ['shorter', 101],
  ['longer', 99],
] as const) {
  scene(`a body that is ${what} than announced never completes`, {}, (bench, t) => {
    const receiver = bench.receiver('a')
    const sender = bench.sender('a', { length })
    sender.feed(100)
    sender.end()
    t.same(receiver.sink.log, ['begin', 'abort wrong_length'])
    t.same(sender.source.events, ['waiting', 'streaming', 'end wrong_length'])
    t.equal(bench.lastReason, 'wrong_length')
  })

  scene(`a body that is ${what} than announced, while its sender waits`, {}, (bench, t) => {
    const receiver = bench.receiver('a', { n: 2 })
    const sender = bench.sender('a', { n: 2, length })
    sender.feed(100)
    sender.end()
    t.same(sender.source.log, ['waiting', 'end wrong_length'])
    t.same(receiver.sink.log, [], 'the receivers wait for the next sender')
    receiver.leave()
    const lone = bench.sender('b', { length })
    lone.feed(100)
    lone.end()
    t.equal(lone.source.ended, 'wrong_length')
  })
}

scene('a transport that finds the body broken', {}, (bench, t) => {
  const receiver = bench.receiver('a')
  const sender = bench.sender('a')
  sender.feed(10)
  sender.endpoint.broken()
  t.equal(sender.source.ended, 'broken_body')
  t.equal(receiver.sink.log.at(-1), 'abort broken_body')
  t.equal(bench.lastReason, 'broken_body')
  sender.endpoint.broken()
  const waits = bench.receiver('b', { n: 2 })
  const early = bench.sender('b', { n: 2 })
  early.endpoint.broken()
  t.equal(early.source.ended, 'broken_body')
  t.same(waits.sink.log, [], 'the receivers wait for the next sender')
  waits.leave()
})

scene('a sender whose head comes later: nothing begins before', {}, (bench, t) => {
  for (const headFirst of [true, false]) {
    const sender = bench.sender('a', { headLater: true })
    if (headFirst) sender.open(10)
    const receiver = bench.receiver('a')
    t.equal(bench.table.get('a')?.expectedBytes, headFirst ? 10 : undefined)
    if (!headFirst) {
      t.same([sender.source.log, receiver.sink.log], [['waiting', 'receiver_joined'], []])
      refused(bench.tryReceiver('a'), 'RECEIVERS_FULL', t)
      sender.open(10)
    }
    t.same(receiver.sink.log, ['begin'])
    sender.feed(10)
    t.same(receiver.sink.bytes, whole(sender))
    sender.end()
    t.equal(bench.lastReason, 'complete')
    sender.open()
    t.equal(sender.source.ended, 'complete', 'a late call does nothing')
  }
})

scene('a late head announces a length like any other', {}, (bench, t) => {
  const sender = bench.sender('a', { headLater: true })
  bench.receiver('a')
  sender.open(10)
  sender.feed(11)
  t.equal(sender.source.ended, 'wrong_length')
})

scene('a head that never comes, or whose form is broken', {}, (bench, t) => {
  const receiver = bench.receiver('a', { waitMs: 10_000 })
  const sender = bench.sender('a', { headLater: true, waitMs: 5000 })
  bench.advance(5000)
  t.same(sender.source.log.at(-1), 'end empty_form')
  t.same(receiver.sink.log, [], 'the receivers wait for the next sender')
  const next = bench.sender('a', { headLater: true })
  bench.advance(5000)
  t.same(receiver.sink.log, ['abort empty_form'])
  next.endpoint.broken('empty_form')
  t.equal(bench.lastReason, 'empty_form')
  const lone = bench.sender('a')
  lone.endpoint.broken('broken_form')
  t.equal(bench.lastReason, 'broken_form')
})
