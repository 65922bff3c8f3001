/** Both ways: two peers, a stream from each to the other, and one fate. */
import { Refusal } from '../../../../core/index.js'
import type { Bench } from '../../fakes/bench.js'
import { type PeerOptions, peer, tryPeer } from '../../fakes/peer.js'
import { FakeSink } from '../../fakes/sink.js'
import { orders, refused, scene, whole } from './scene.js'

const counts = (bench: Bench) => bench.table.get('a')?.duplex

const two = (bench: Bench, options?: PeerOptions) => [peer(bench, 'a', options), peer(bench, 'a')] as const

scene('the first peer waits unread, and both begin when the second has come', {}, (bench, t) => {
  const one = peer(bench, 'a')
  t.same(one.source.log, ['waiting'], 'nothing is read')
  t.same(one.sink.log, [], 'no head')
  t.same(counts(bench), { peers: 1, webSockets: 0, said: [0, 0], protocol: undefined })
  t.equal(bench.table.get('a')?.state, 'waiting')
  const another = peer(bench, 'a')
  t.same(counts(bench)?.peers, 2)
  t.equal(bench.table.get('a')?.state, 'streaming')
  for (const { sink, source } of [one, another]) {
    t.same(sink.log, ['begin'])
    t.notOk(source.paused)
  }
  t.equal(one.sink.stream, another.stream)
  one.feed(100)
  another.feed(50)
  one.feed(20)
  t.same(counts(bench)?.said, [120, 50])
  t.same(another.heard, whole(one))
  t.same(one.heard, whole(another))
  one.end()
  another.end()
  t.same(one.sink.log, ['begin', 'finish'])
  t.same(another.sink.log, ['begin', 'finish'])
  t.equal(bench.table.get('a'), undefined)
})

scene('an end is a half-close: the other direction goes on for as long as it likes', {}, (bench, t) => {
  const [one, another] = two(bench)
  one.feed(10)
  one.end()
  t.same(another.sink.log, ['begin', 'finish'])
  t.equal(one.source.ended, 'complete')
  bench.pass(50_000)
  another.feed(30)
  bench.pass(50_000)
  another.feed(30)
  t.same(one.heard, whole(another))
  t.equal(counts(bench)?.peers, 2, 'both are here')
  refused(tryPeer(bench, 'a'), 'PEERS_FULL', t)
  another.end()
  t.equal(bench.lastReason, 'complete')
})

scene('a third peer disturbs nobody', {}, (bench, t) => {
  const [one, another] = two(bench)
  refused(tryPeer(bench, 'a'), 'PEERS_FULL', t)
  refused(bench.trySender('a', { letter: 'a' }), 'PEERS_FULL', t)
  refused(bench.tryReceiver('a', { letter: 'b' }), 'PEERS_FULL', t)
  refused(bench.trySender('a'), 'KIND_CLASH', t)
  refused(bench.tryReceiver('a'), 'KIND_CLASH', t)
  one.feed(10)
  t.same(another.heard, whole(one))
  one.end()
  another.end()
})

scene('another kind is on the name', {}, (bench, t) => {
  const sender = bench.sender('a')
  refused(tryPeer(bench, 'a'), 'KIND_CLASH', t)
  refused(bench.tryReceiver('a', { letter: 'a' }), 'KIND_CLASH', t)
  sender.leave()
})

for (const [which, goes] of [
  ['leaves', 'sender_left'],
  ['is broken', 'broken_body'],
  ['announced another length', 'wrong_length'],
] as const) {
  scene(`one peer ${which}: the other is cut in both directions`, {}, (bench, t) => {
    const [one, another] = two(bench, { length: 100 })
    one.feed(10)
    another.feed(10)
    if (which === 'leaves') one.leave()
    else if (which === 'is broken') one.endpoint.broken()
    else one.end()
    t.equal(another.sink.aborted, goes)
    t.equal(another.source.ended, which === 'leaves' ? 'receivers_left' : goes)
    if (which !== 'leaves') t.equal(one.sink.aborted, goes, 'and so is it')
    t.equal(bench.table.get('a'), undefined)
  })
}

scene('one peer leaves while bytes wait for it, after it has said everything', {}, (bench, t) => {
  const one = peer(bench, 'a', { sink: new FakeSink(5) })
  const another = peer(bench, 'a')
  one.end()
  t.same(another.sink.log, ['begin', 'finish'])
  another.feed(100)
  one.sink.disconnected = true
  one.peer.receiver.left()
  t.equal(another.source.ended, 'receivers_left')
})

scene('a peer that waits leaves, and the name is free', {}, (bench, t) => {
  peer(bench, 'a').leave()
  t.equal(bench.table.get('a'), undefined)
  peer(bench, 'a').endpoint.broken()
  t.equal(bench.table.get('a'), undefined)
  const one = peer(bench, 'a')
  one.close()
  t.equal(bench.table.get('a'), undefined)
})

scene('nobody comes', {}, (bench, t) => {
  const one = peer(bench, 'a', { waitMs: 5000 })
  bench.pass(4500)
  t.equal(one.sink.aborted, undefined)
  bench.pass(1000)
  t.ok(one.sink.aborted === 'no_sender' || one.sink.aborted === 'no_receivers')
  t.ok(one.source.ended)
})

scene('only if somebody waits', {}, (bench, t) => {
  refused(tryPeer(bench, 'a', { onlyIfAwaited: true }), 'NOBODY_WAITING', t)
  refused(bench.trySender('a', { letter: 'a', onlyIfAwaited: true }), 'NOBODY_WAITING', t)
  refused(bench.tryReceiver('a', { letter: 'a', onlyIfAwaited: true }), 'NOBODY_WAITING', t)
  const one = bench.sender('a', { letter: 'a' })
  refused(bench.trySender('a', { letter: 'b', onlyIfAwaited: true }), 'NOBODY_WAITING', t)
  const heard = bench.receiver('a', { letter: 'b', onlyIfAwaited: true })
  one.feed(3)
  one.end()
  t.same(heard.sink.bytes, whole(one))
})

scene('a slow peer holds the other one back, and itself hears without delay', {}, (bench, t) => {
  const slow = peer(bench, 'a', { sink: new FakeSink(10) })
  const fast = peer(bench, 'a')
  while (!fast.source.paused) fast.feed(64)
  t.ok(fast.fed < 1024)
  slow.feed(100)
  t.same(fast.heard, whole(slow), 'the other direction flows')
  slow.drain()
  t.same(slow.heard, whole(fast))
  t.notOk(fast.source.paused)
  for (const each of [slow, fast]) each.end()
})

scene('idle is what is silent in both directions', { limits: { idleMs: 10_000 } }, (bench, t) => {
  const [one, another] = two(bench)
  for (let i = 0; i < 5; i++) {
    bench.pass(8000)
    one.feed(1)
  }
  another.end()
  for (let i = 0; i < 5; i++) {
    bench.pass(8000)
    one.feed(1)
  }
  t.equal(one.source.ended, undefined)
  bench.pass(12_000)
  t.equal(one.source.ended, 'idle')
  t.equal(another.sink.aborted, 'idle')
})

scene('a peer that takes nothing for too long is cut, and so is the other', {}, (bench, t) => {
  const stuck = peer(bench, 'a', { sink: new FakeSink(0) })
  const one = peer(bench, 'a', { stallMs: 5000 })
  one.feed(10)
  for (let i = 0; i < 10; i++) {
    bench.pass(1000)
    stuck.feed(1)
  }
  t.equal(stuck.sink.aborted, 'receivers_stalled')
  t.equal(one.sink.aborted, 'receivers_stalled')
})

scene('nobody has to be fast', { limits: { minRate: 1000, ratePeriodMs: 5000 } }, (bench, t) => {
  const [one, another] = two(bench)
  bench.pass(30_000)
  one.feed(1)
  t.same(another.heard, whole(one))
  one.end()
  another.end()
})

scene('the limits of a peer hold for what it says and for what it hears', {}, (bench, t) => {
  const one = peer(bench, 'a', { limits: { maxBytes: 50 } })
  const another = peer(bench, 'a')
  one.feed(50)
  another.feed(50)
  another.feed(1)
  t.equal(one.sink.aborted, 'too_large')
  t.equal(another.sink.aborted, 'too_large')
})

scene('no more may stream: both peers are told', { limits: { maxActive: 1 } }, (bench, t) => {
  const [one, another] = two(bench)
  for (const { sink, source } of [one, another]) {
    t.equal(sink.aborted, 'too_many_active')
    t.equal(source.ended, 'too_many_active')
  }
})

scene('stopped, in words of the caller', {}, (bench, t) => {
  const [one, another] = two(bench)
  const ended: (string | undefined)[] = []
  for (const { endpoint } of [one, another]) ended.push(endpoint.pipe.key)
  bench.table.stop('a', { code: 'X', status: 403, message: 'No.', hint: '' })
  t.equal(one.sink.aborted, 'stopped')
  t.equal(another.endpoint.pipe.endFailure?.code, 'X')
  t.equal(one.endpoint.pipe.endFailure?.code, 'X')
})

scene('a defect ends both', {}, (bench, t) => {
  const [one, another] = two(bench)
  one.endpoint.fault()
  t.equal(another.sink.aborted, 'fault')
  t.equal(one.sink.aborted, 'fault')
})

scene('shutting down: who waits is told, who talks goes on', {}, (bench, t) => {
  const waits = peer(bench, 'b')
  const [one, another] = two(bench)
  bench.table.close()
  t.equal(waits.sink.aborted, 'shutting_down')
  one.feed(5)
  one.end()
  t.same(another.heard, whole(one))
  another.end()
  t.equal(bench.lastReason, 'complete')
})

// --- closing in order

scene('one closes: what it said is delivered, and what the other says interests nobody', {}, (bench, t) => {
  const one = peer(bench, 'a')
  const another = peer(bench, 'a', { sink: new FakeSink(10) })
  one.feed(50)
  another.feed(20)
  one.close()
  t.equal(another.source.ended, 'peer_closed')
  t.equal(another.sink.aborted, undefined)
  another.drain()
  t.same(another.heard, whole(one))
  t.same(another.sink.log, ['begin', 'finish'])
  t.equal(bench.table.get('a'), undefined)
})

scene('both close', {}, (bench, t) => {
  const [one, another] = two(bench)
  one.feed(10)
  one.close()
  t.same(another.sink.log, ['begin', 'finish'])
  another.close()
  t.equal(bench.table.get('a'), undefined)
})

scene('one closes after it has said everything', {}, (bench, t) => {
  const [one, another] = two(bench)
  one.end()
  one.close()
  t.equal(another.source.ended, 'peer_closed')
})

// --- messages

scene('messages keep their bounds between two that speak in them', {}, (bench, t) => {
  for (const [a, b, expected] of [
    [true, true, true],
    [true, false, false],
    [false, true, false],
    [false, false, false],
  ] as const) {
    const one = peer(bench, 'a', { duplex: { inMessages: a, protocol: a ? 'p' : undefined } })
    const another = peer(bench, 'a', { duplex: { inMessages: b } })
    t.equal(one.endpoint.pipe.inMessages, expected)
    t.equal(another.endpoint.pipe.inMessages, expected)
    t.equal(counts(bench)?.webSockets, Number(a) + Number(b))
    t.equal(counts(bench)?.protocol, a ? 'p' : undefined)
    one.end()
    another.end()
  }
})

// --- part by part

const PARTS = ['send a', 'receive a', 'send b', 'receive b'] as const

for (const order of orders(PARTS)) {
  scene(`under letters: ${order.join(', ')}`, { limits: { maxWaiting: 8 } }, (bench, t) => {
    const joined = new Map<string, ReturnType<typeof join>>()
    const join = (part: string) => {
      const [what, letter] = part.split(' ') as ['send' | 'receive', 'a' | 'b']
      return what === 'send' ? { sender: bench.sender('a', { letter }) } : { receiver: bench.receiver('a', { letter }) }
    }
    for (const part of order) joined.set(part, join(part))
    for (const letter of ['a', 'b'] as const) {
      refused(bench.trySender('a', { letter }), 'PART_TAKEN', t)
      refused(bench.tryReceiver('a', { letter }), 'PART_TAKEN', t)
    }
    refused(tryPeer(bench, 'a'), 'PEERS_FULL', t)
    t.equal(counts(bench)?.peers, 2)
    const sender = (letter: string) => joined.get(`send ${letter}`)!.sender!
    const receiver = (letter: string) => joined.get(`receive ${letter}`)!.receiver!
    sender('a').feed(10)
    sender('b').feed(20)
    t.same(receiver('b').sink.bytes, whole(sender('a')))
    t.same(receiver('a').sink.bytes, whole(sender('b')))
    sender('a').end()
    t.equal(sender('a').source.ended, 'complete', 'it is told at once')
    sender('b').feed(1)
    sender('b').leave()
    t.equal(receiver('a').sink.aborted, 'sender_left')
  })
}

scene('parts of one peer meet a whole one', { limits: { maxWaiting: 8 } }, (bench, t) => {
  for (const wholeFirst of [true, false]) {
    const early = wholeFirst ? peer(bench, 'a') : undefined
    const sends = bench.sender('a', { letter: 'a' })
    const late = early ?? peer(bench, 'a')
    refused(bench.trySender('a', { letter: 'b' }), 'PEERS_FULL', t)
    sends.feed(10)
    t.same(late.heard, whole(sends))
    late.feed(5)
    t.same(late.sink.log, ['begin'])
    const receives = bench.receiver('a', { letter: 'a' })
    t.same(receives.sink.bytes, whole(late))
    sends.end()
    late.end()
    t.equal(bench.table.get('a'), undefined)
  }
})

scene('one part is gone before anybody came: the other waits for itself', {}, (bench, t) => {
  const sends = bench.sender('a', { letter: 'a' })
  const receives = bench.receiver('a', { letter: 'a', waitMs: 5000 })
  sends.leave()
  t.equal(receives.sink.aborted, undefined)
  const again = bench.sender('a', { letter: 'a' })
  const other = bench.receiver('a', { letter: 'b' })
  again.feed(5)
  bench.pass(6000)
  t.equal(receives.sink.aborted, 'no_sender')
  again.feed(5)
  t.same(other.sink.bytes, whole(again), 'what flows goes on')
  again.end()
})

scene('one direction is cut: the part that waits in the other one has nobody left', {}, (bench, t) => {
  const sends = bench.sender('a', { letter: 'a' })
  const receives = bench.receiver('a', { letter: 'a' })
  const other = bench.receiver('a', { letter: 'b' })
  sends.feed(5)
  other.leave()
  t.equal(sends.source.ended, 'receivers_left')
  t.equal(receives.sink.aborted, 'sender_left')
})

scene('shutting down: a part that waits is told', {}, (bench, t) => {
  const sends = bench.sender('a', { letter: 'a' })
  const receives = bench.receiver('a', { letter: 'a' })
  const other = bench.receiver('a', { letter: 'b' })
  bench.table.close()
  t.equal(receives.sink.aborted, 'shutting_down')
  sends.feed(5)
  sends.end()
  t.same(other.sink.log, ['begin', 'finish'])
})

scene(
  'memory is set aside for what a waiting peer may bring',
  { maxSlabs: 4, limits: { maxWaiting: 8 } },
  (bench, t) => {
    const waiting = ['b', 'c'].map((name) => peer(bench, name))
    refused(tryPeer(bench, 'd'), 'NO_MEMORY', t)
    const other = peer(bench, 'b')
    t.notOk(tryPeer(bench, 'c') instanceof Refusal, 'a peer that is awaited needs none')
    waiting[0]!.leave()
    waiting[1]!.leave()
    t.ok(other.source.ended)
  },
)
