/** Live streams: viewers come and go while one sender streams. */
import type { FakeReceiver } from '../../fakes/sides.js'
import { reasonsSeen, refused, scene } from './scene.js'

const SMALL = { limits: { windowBytes: 256, holdBytes: 1024 } }

/** What it has got is the stream from its offset on, to where it is. */
function span({ sink }: FakeReceiver): [from: number, to: number] {
  return [sink.offset, sink.offset + sink.received]
}

scene(
  'the sender streams at once, what nobody sees is dropped, and who comes begins at the next byte',
  SMALL,
  (bench, t) => {
    const sender = bench.sender('a', { live: {} })
    t.same(sender.source.log, ['waiting', 'streaming', 'resume'])
    sender.feed(5000)
    t.equal(bench.slabs.heldBytes, 0)
    t.equal(sender.source.paused, false)
    const early = bench.receiver('a', { live: {} })
    sender.feed(70)
    const late = bench.receiver('a', { orLive: true })
    sender.feed(30)
    t.same(
      [span(early), span(late)],
      [
        [5000, 5100],
        [5070, 5100],
      ],
    )
    t.same(bench.table.get('a')!.live, { viewers: 2, peak: 2, skips: 0, cuts: 0 })
    t.equal(bench.table.viewers, 2)
    early.leave()
    sender.feed(1)
    late.leave()
    sender.feed(1)
    t.same(bench.table.get('a')!.live, { viewers: 0, peak: 2, skips: 0, cuts: 0 })
    const last = bench.receiver('a', { live: {} })
    sender.feed(1)
    t.equal(bench.table.get('a')!.bytesSent, 100 + 31 + 1)
    sender.end()
    t.same(last.sink.log, ['begin', 'finish'])
    t.same(sender.source.events, ['waiting', 'streaming', 'uploaded', 'end complete'])
  },
)

scene('who waits for the sender gets everything, and counts for the peak', {}, (bench, t) => {
  const viewers = [bench.receiver('a', { live: {} }), bench.receiver('a', { live: {} })]
  t.equal(bench.table.get('a')!.kind, 'live')
  const sender = bench.sender('a', { live: {}, length: 20 })
  viewers.pop()!.leave()
  sender.feed(20)
  sender.end()
  t.same(span(viewers[0]!), [0, 20])
  t.equal(viewers[0]!.sink.head!.length, undefined, 'a length would be wrong for who comes later')
  t.equal(sender.endpoint.pipe.live!.peak, 2)
})

scene('a sender that waits for viewers is not read before they are there, and goes without them', {}, (bench, t) => {
  const sender = bench.sender('a', { live: {}, n: 2, waitMs: 1000 })
  const first = bench.receiver('a', { live: {} })
  t.same(sender.source.log, ['waiting', 'receiver_joined'])
  bench.pass(1000)
  t.equal(sender.source.ended, 'no_receivers')
  t.same(first.sink.log, [], 'the viewer waits on')
  const second = bench.sender('a', { live: {}, n: 2 })
  second.feed(10)
  const other = bench.receiver('a', { live: {} })
  t.same(
    [span(first), span(other)],
    [
      [0, 10],
      [0, 10],
    ],
  )
  second.leave()
  t.same([first.sink.aborted, other.sink.aborted], ['sender_left', 'sender_left'])
})

scene('a viewer waits no longer than it says', {}, (bench, t) => {
  const viewer = bench.receiver('a', { live: {}, waitMs: 1000 })
  bench.pass(1000)
  t.equal(viewer.sink.aborted, 'no_sender')
})

scene('a name is one thing at a time', {}, (bench, t) => {
  bench.receiver('live', { live: {} })
  refused(bench.trySender('live'), 'KIND_CLASH', t)
  refused(bench.tryReceiver('live', { orLive: true }), 'KIND_CLASH', t)
  bench.sender('live', { live: {} })
  refused(bench.trySender('live', { live: {} }), 'LIVE_SENDER_EXISTS', t)
  refused(bench.trySender('live'), 'KIND_CLASH', t)
  refused(bench.tryReceiver('live'), 'KIND_CLASH', t)
  bench.receiver('pipe', { n: 2 })
  t.match(refused(bench.trySender('pipe', { live: {} }), 'KIND_CLASH', t).text, 'is a pipe now')
  refused(bench.tryReceiver('pipe', { live: {} }), 'KIND_CLASH', t)
  refused(bench.tryReceiver('nobody', { live: {}, onlyIfAwaited: true }), 'NOBODY_WAITING', t)
  bench.table.endAll('shutting_down')
})

scene('so many viewers and streams, and no more', {}, (bench, t) => {
  bench.sender('a', { live: {} })
  const viewers = Array.from({ length: 4 }, () => bench.receiver('a', { live: {} }))
  refused(bench.tryReceiver('a', { live: {} }), 'VIEWERS_FULL', t)
  viewers[0]!.leave()
  bench.receiver('a', { live: {} })
  bench.receiver('b', { live: {} })
  bench.receiver('b', { live: {} })
  refused(bench.tryReceiver('b', { live: {} }), 'ALL_VIEWERS_FULL', t)
  refused(bench.trySender('c', { live: {} }), 'TOO_MANY_LIVE', t)
  bench.receiver('c')
  bench.table.endAll('shutting_down')
  bench.sender('c', { live: {} }).end()
})

scene('who is too far behind is cut, and nobody else notices', SMALL, (bench, t) => {
  const good = bench.receiver('a', { live: {} })
  const slow = bench.receiver('a', { live: {}, room: 10 })
  const sender = bench.sender('a', { live: { lagBytes: 300 } })
  sender.feed(310)
  t.equal(slow.sink.aborted, undefined, 'exactly as far as it may be')
  sender.feed(1)
  t.equal(slow.sink.aborted, 'fell_behind')
  reasonsSeen.add('fell_behind')
  t.equal(bench.slabs.heldBytes, 0)
  sender.feed(100)
  t.equal(sender.source.paused, false)
  t.same(sender.source.log, ['waiting', 'streaming', 'resume'])
  sender.end()
  t.same(span(good), [0, 411])
  t.same(sender.endpoint.pipe.live, { viewers: 1, peak: 2, skips: 0, cuts: 1 })
})

scene('who takes nothing for a minute is cut', { limits: { idleMs: 0 } }, (bench, t) => {
  const frozen = bench.receiver('a', { live: {}, room: 0 })
  const sender = bench.sender('a', { live: {} })
  sender.feed(1)
  bench.pass(60_000)
  t.equal(frozen.sink.aborted, undefined)
  bench.pass(1500)
  t.equal(frozen.sink.aborted, 'receivers_stalled')
  t.equal(bench.lastReason, undefined)
  sender.end()
})

scene('the budget of a stream: who is furthest behind goes', { limits: { holdBytes: 4096 } }, (bench, t) => {
  const good = bench.receiver('a', { live: {} })
  const further = bench.receiver('a', { live: {}, room: 0 })
  const behind = bench.receiver('a', { live: {}, room: 300 })
  const sender = bench.sender('a', { live: { lagBytes: 5000 } })
  for (let i = 0; i < 11; i++) sender.feed(100)
  t.same([behind.sink.aborted, further.sink.aborted], [undefined, 'fell_behind'])
  t.ok(bench.slabs.heldBytes <= 1024, `${bench.slabs.heldBytes} are held`)
  behind.drain()
  sender.feed(1)
  sender.end()
  t.same(
    [span(good), span(behind)],
    [
      [0, 1101],
      [0, 1101],
    ],
  )
})

scene(
  'the memory of all: viewers go, and no stream overflows',
  { maxSlabs: 8, limits: { holdBytes: 4096 } },
  (bench, t) => {
    const good = bench.receiver('a', { live: {} })
    const slow = bench.receiver('a', { live: {}, room: 0 })
    const sender = bench.sender('a', { live: { lagBytes: 5000 } })
    for (let i = 0; i < 30; i++) sender.feed(64)
    t.equal(slow.sink.aborted, 'fell_behind')
    sender.end()
    t.same(span(good), [0, 1920])
  },
)

scene('hold: the slowest within the window paces the sender', SMALL, (bench, t) => {
  const fast = bench.receiver('a', { live: {} })
  const slow = bench.receiver('a', { live: {}, room: 0 })
  const sender = bench.sender('a', { live: { slow: 'hold' } })
  sender.feed(300)
  t.equal(sender.source.paused, true)
  slow.drain()
  t.equal(sender.source.paused, false)
  sender.feed(10)
  sender.end()
  t.same(
    [span(fast), span(slow)],
    [
      [0, 310],
      [0, 310],
    ],
  )
})

scene('hold: what came while nobody was there is kept for the first who comes', SMALL, (bench, t) => {
  const sender = bench.sender('a', { live: { slow: 'hold' } })
  sender.feed(100)
  t.equal(sender.source.paused, true, 'one read, and no more')
  bench.pass(120_000)
  t.equal(bench.lastReason, undefined, 'that nobody is there is not idle')
  const first = bench.receiver('a', { live: {} })
  t.same([...span(first), sender.source.paused], [0, 100, false])
  sender.feed(50)
  first.leave()
  sender.feed(60)
  t.equal(sender.source.paused, true)
  const second = bench.receiver('a', { live: {} })
  sender.feed(5)
  sender.end()
  t.same(span(second), [150, 215])
})

scene('hold: nobody is waited for longer than the sender says', SMALL, (bench, t) => {
  const sender = bench.sender('a', { live: { slow: 'hold' }, waitMs: 5000 })
  const first = bench.receiver('a', { live: {} })
  bench.pass(20_000)
  first.leave()
  bench.pass(4500)
  t.equal(sender.source.ended, undefined)
  bench.pass(2000)
  t.equal(sender.source.ended, 'no_receivers')
})

scene('hold: who takes nothing is cut when the sender says after how long', SMALL, (bench, t) => {
  const frozen = bench.receiver('a', { live: {}, room: 0 })
  const sender = bench.sender('a', { live: { slow: 'hold' }, stallMs: 3000 })
  sender.feed(300)
  bench.pass(4500)
  t.equal(frozen.sink.aborted, 'receivers_stalled')
  t.equal(sender.source.paused, true, 'held for the next one')
  sender.leave()
})

scene('a clean end: the sender is done, its name is free, and viewers get the rest', SMALL, (bench, t) => {
  const slow = bench.receiver('a', { live: {}, room: 10, finishesAtOnce: false })
  const gone = bench.receiver('a', { live: {}, room: 0 })
  const sender = bench.sender('a', { live: {} })
  sender.feed(100)
  sender.end()
  t.equal(sender.source.ended, 'complete')
  t.equal(bench.lastReason, 'complete')
  t.equal(bench.table.get('a'), undefined)
  t.equal(bench.table.resting, 1)
  bench.sender('a', { live: {} }).end()
  gone.leave()
  slow.drain()
  t.same(
    [span(slow), slow.sink.log],
    [
      [0, 100],
      ['begin', 'finish'],
    ],
  )
  t.equal(bench.table.resting, 1)
  slow.handOn()
  t.equal(bench.table.resting, 0)
})

scene('a clean end: who has not taken the rest after a minute is cut', SMALL, (bench, t) => {
  const frozen = bench.receiver('a', { live: {}, room: 10 })
  const sender = bench.sender('a', { live: {} })
  sender.feed(100)
  sender.end()
  bench.pass(59_500)
  t.equal(frozen.sink.aborted, undefined)
  bench.pass(500)
  t.equal(frozen.sink.aborted, 'receivers_stalled')
  frozen.drain()
  frozen.leave()
})

scene('a shutdown cuts what is left of the rest', SMALL, (bench, t) => {
  const slow = bench.receiver('a', { live: {}, room: 10 })
  const sender = bench.sender('a', { live: {} })
  sender.feed(100)
  sender.end()
  bench.table.endAll('shutting_down')
  t.equal(slow.sink.aborted, 'shutting_down')
})

scene('a sender that goes, a shutdown, idleness: all viewers are cut', { limits: { idleMs: 5000 } }, (bench, t) => {
  const ends: [string, (sender: ReturnType<typeof bench.sender>) => void][] = [
    ['sender_left', (sender) => sender.leave()],
    ['broken_body', (sender) => sender.endpoint.broken()],
    ['idle', () => bench.pass(7000)],
    ['shutting_down', () => bench.table.endAll('shutting_down')],
  ]
  for (const [reason, end] of ends) {
    const viewer = bench.receiver('a', { live: {} })
    const sender = bench.sender('a', { live: {} })
    sender.feed(5)
    end(sender)
    t.same([viewer.sink.aborted, sender.source.ended], [reason, reason])
    t.equal(bench.table.get('a'), undefined)
  }
})

scene('what one viewer may is not what all may, and its defect is its own', {}, (bench, t) => {
  const limited = bench.receiver('a', { live: {}, limits: { maxBytes: 10, totalMs: 1000 } })
  const other = bench.receiver('a', { live: {} })
  const sender = bench.sender('a', { live: {} })
  sender.feed(100)
  bench.pass(2000)
  t.equal(other.sink.aborted, undefined)
  limited.endpoint.fault()
  t.equal(limited.sink.aborted, 'fault')
  sender.feed(1)
  sender.end()
  t.same(span(other), [0, 101])
})

scene(
  'the limits of the sender hold, and a minimum rate is none for viewers',
  { limits: { minRate: 10, ratePeriodMs: 5000 } },
  (bench, t) => {
    const frozen = bench.receiver('a', { live: {}, room: 0 })
    const sender = bench.sender('a', { live: {}, limits: { maxBytes: 100 } })
    sender.feed(100)
    bench.pass(20_000)
    t.equal(bench.lastReason, undefined)
    sender.feed(1)
    t.same([frozen.sink.aborted, sender.source.ended], ['too_large', 'too_large'])
  },
)

scene('many come and go: nothing is left of them', {}, (bench, t) => {
  const sender = bench.sender('a', { live: {} })
  for (let i = 0; i < 2000; i++) {
    const viewer = bench.receiver('a', { live: {}, room: i % 3 === 0 ? 0 : 7 })
    sender.feed(3)
    viewer.leave()
  }
  t.equal(bench.slabs.heldBytes, 0)
  t.equal(bench.table.get('a')!.live!.peak, 1)
  sender.end()
})

scene(
  'viewers whose turn has not come are not behind: the sender is held for them',
  { turn: [300, 2, 0] },
  (bench, t) => {
    const viewers = Array.from({ length: 4 }, () => bench.receiver('a', { live: {} }))
    const sender = bench.sender('a', { live: { lagBytes: 100 } })
    sender.feed(100)
    t.same(
      viewers.map(({ sink }) => sink.postponed),
      [false, false, false, true],
    )
    t.equal(sender.source.paused, true, 'nobody falls behind because there are many')
    bench.turn.begin()
    viewers[3]!.drain()
    t.equal(sender.source.paused, false)
    sender.end()
    for (const viewer of viewers) t.same(span(viewer), [0, 100])
  },
)

scene('a viewer that goes before its turn comes holds nobody', { turn: [300, 2, 0] }, (bench, t) => {
  const viewers = Array.from({ length: 4 }, () => bench.receiver('a', { live: {} }))
  const sender = bench.sender('a', { live: {} })
  sender.feed(100)
  t.equal(sender.source.paused, true)
  viewers[3]!.leave()
  t.equal(sender.source.paused, false)
  sender.end()
})
