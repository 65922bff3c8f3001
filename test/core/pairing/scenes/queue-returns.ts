/** Queues: a receiver that is gone before anything has arrived at it costs nothing. */
import type { FakeReceiver, FakeSender } from '../../fakes/sides.js'
import { scene, whole } from './scene.js'

const job = { queue: true } as const
/** What it takes does not arrive, until a test says so. */
const far = { queue: true, lags: true } as const

/** Everything that is on its way arrives. */
function arrives({ sink }: FakeReceiver): void {
  sink.inFlight = 0
}

scene('the sender goes back to the head, and the next receiver gets all of it', {}, (bench, t) => {
  const sender = bench.sender('a', job)
  const second = bench.sender('a', job)
  const lost = bench.receiver('a', far)
  sender.feed(100)
  t.equal(lost.sink.received, 100)
  lost.leave()
  t.same(sender.source.events, ['waiting', 'receiver_joined', 'streaming', 'given_back'])
  t.equal(sender.source.paused, true)
  t.match(bench.table.get('a')!.queue, { senders: 2, receivers: 0, running: 0 })
  t.match(sender.endpoint.pipe, {
    state: 'waiting',
    pairedAt: undefined,
    bytesOut: 0,
    bytesSent: 0,
    receiversPresent: 0,
  })
  const next = bench.receiver('a', far)
  t.equal(next.sink.stream, sender.stream, 'before the one that came later')
  arrives(next)
  sender.feed(50)
  sender.end()
  t.same(next.sink.bytes, whole(sender))
  t.equal(sender.source.ended, 'complete')
  t.same(bench.observer.lines, ['waiting a', 'waiting a', 'paired a', 'ended a complete'], 'one transfer, paired once')
  second.leave()
})

scene('a receiver that waits already gets it at once', {}, (bench, t) => {
  const [lost, next] = [bench.receiver('a', far), bench.receiver('a', job)]
  const sender = bench.sender('a', job)
  sender.feed(64)
  lost.leave()
  t.same(next.sink.bytes, whole(sender))
  sender.end()
  t.equal(sender.source.ended, 'complete')
})

scene('once a byte has arrived there is no way back', {}, (bench, t) => {
  const sender = bench.sender('a', job)
  const receiver = bench.receiver('a', far)
  const other = bench.receiver('a', job)
  sender.feed(100)
  receiver.sink.inFlight = 99
  receiver.leave()
  t.equal(sender.source.ended, 'receivers_left')
  t.same(other.sink.log, [], 'at most once')
  t.same(bench.observer.lines, ['waiting a', 'paired a', 'ended a receivers_left'])
  other.leave()
})

scene(
  'it is paired when the first byte has arrived, which is looked for at each tick and at each read',
  {},
  (bench, t) => {
    const notices: ((sender: FakeSender, receiver: FakeReceiver) => void)[] = [
      () => bench.pass(500),
      (sender) => sender.feed(1),
      (_, receiver) => receiver.drain(),
    ]
    for (const notice of notices) {
      const sender = bench.sender('a', job)
      const receiver = bench.receiver('a', far)
      sender.feed(100)
      bench.pass(2000)
      t.equal(bench.observer.lines.at(-1), 'waiting a')
      t.equal(bench.slabs.heldBytes > 0, true, 'what was read is kept')
      arrives(receiver)
      notice(sender, receiver)
      t.equal(bench.observer.lines.at(-1), 'paired a')
      t.equal(bench.slabs.heldBytes, 0, 'and not any longer')
      sender.leave()
    }
  },
)

scene(
  'not much is read for a receiver that may be gone',
  { limits: { windowBytes: 1 << 20, holdBytes: 1 << 21 }, slabBytes: 65_536, maxSlabs: 100 },
  (bench, t) => {
    const sender = bench.sender('a', job)
    const receiver = bench.receiver('a', far)
    sender.feed(65_535)
    t.equal(sender.source.paused, false)
    receiver.drain()
    sender.feed(1)
    t.equal(sender.source.paused, true)
    receiver.drain()
    t.equal(sender.source.paused, true, 'that it has room does not mean that it is there')
    receiver.sink.inFlight--
    bench.pass(500)
    t.equal(sender.source.paused, false)
    t.equal(bench.slabs.heldBytes, 0)
    sender.feed(500_000)
    sender.end()
    t.equal(receiver.sink.received, 565_536)
  },
)

scene('a whole body that has been handed on waits for its arrival', {}, (bench, t) => {
  const sender = bench.sender('a', { ...job, length: 30 })
  const lost = bench.receiver('a', { ...far, finishesAtOnce: false })
  sender.feed(30)
  sender.end()
  t.same(lost.sink.log, ['begin', 'finish'])
  lost.leave()
  t.same(sender.source.events.slice(-2), ['uploaded', 'given_back'])
  const next = bench.receiver('a', { ...far, finishesAtOnce: false })
  t.same(next.sink.bytes, whole(sender))
  t.equal(sender.source.ended, undefined)
  arrives(next)
  next.handOn()
  t.equal(sender.source.ended, 'complete')
})

scene('an empty body has nothing that could arrive: it is done when the response is', {}, (bench, t) => {
  const sender = bench.sender('a', { ...job, length: 0 })
  const lost = bench.receiver('a', { ...far, finishesAtOnce: false })
  sender.end()
  lost.leave()
  t.equal(sender.source.events.at(-1), 'given_back')
  bench.receiver('a', far)
  t.equal(sender.source.ended, 'complete')
  t.same(bench.observer.lines, ['waiting a', 'paired a', 'ended a complete'])
})

scene('a sender that has sent all and is gone gets nothing back', {}, (bench, t) => {
  const sender = bench.sender('a', job)
  const receiver = bench.receiver('a', { ...far, finishesAtOnce: false })
  sender.feed(10)
  sender.end()
  sender.endpoint.left()
  receiver.leave()
  t.equal(bench.lastReason, 'receivers_left')
})

scene('a sender that leaves while it waits again takes all of it along', {}, (bench, t) => {
  const sender = bench.sender('a', job)
  bench.receiver('a', far).leave()
  sender.feed(64)
  t.equal(sender.source.events.at(-1), 'given_back')
  sender.leave()
  t.equal(bench.lastReason, 'abandoned')
})

scene('its wait begins anew, and what it is told', {}, (bench, t) => {
  const sender = bench.sender('a', { ...job, waitMs: 15_000 })
  bench.pass(14_000)
  const lost = bench.receiver('a', far)
  bench.pass(30_000)
  lost.leave()
  bench.pass(14_500)
  t.equal(sender.source.ended, undefined)
  bench.pass(500)
  const told = [
    'waiting',
    'still_waiting',
    'receiver_joined',
    'streaming',
    'given_back',
    'still_waiting',
    'end no_receivers',
  ]
  t.same(sender.source.events, told)
})

scene('take: a receiver that takes nothing for so long goes, and another one gets all of it', {}, (bench, t) => {
  const sender = bench.sender('a', { ...job, takeMs: 3000 })
  const lost = bench.receiver('a', far)
  bench.pass(10_000)
  t.equal(lost.sink.aborted, undefined, 'the sender had nothing for it')
  sender.feed(20)
  bench.pass(2500)
  t.equal(lost.sink.aborted, undefined)
  bench.pass(1000)
  t.equal(lost.sink.aborted, 'receivers_stalled')
  t.equal(sender.source.events.at(-1), 'given_back')
  const next = bench.receiver('a', far)
  bench.pass(2500)
  t.equal(next.sink.aborted, undefined, 'it has the whole time')
  arrives(next)
  bench.pass(60_000)
  t.equal(next.sink.aborted, undefined, 'and from then on any')
  sender.end()
  t.same(next.sink.bytes, whole(sender))
})

scene('take: one after the other', { limits: { maxQueued: 10, maxWaiting: 20 } }, (bench, t) => {
  const sender = bench.sender('a', { ...job, takeMs: 1000 })
  const lost = Array.from({ length: 5 }, () => bench.receiver('a', far))
  sender.feed(20)
  bench.pass(10_000)
  for (const { sink } of lost) t.equal(sink.aborted, 'receivers_stalled')
  const next = bench.receiver('a', job)
  sender.end()
  t.same(next.sink.bytes, whole(sender))
})

for (const order of [
  [0, 1, 2],
  [2, 1, 0],
  [1, 0, 2],
]) {
  scene(`several that are given back get their old places, whoever is told first: ${order}`, {}, (bench, t) => {
    const senders = [0, 1, 2].map(() => bench.sender('a', job))
    const lost = senders.map(() => bench.receiver('a', far))
    for (const sender of senders) sender.feed(20)
    const later = bench.sender('a', job)
    for (const i of order) lost[i]!.leave()
    for (const sender of [...senders, later]) {
      const next = bench.receiver('a', job)
      if (sender === later) sender.feed(20)
      sender.end()
      t.same(next.sink.bytes, whole(sender))
    }
  })
}

scene('without take nobody is cut for that', { limits: { idleMs: 0 } }, (bench, t) => {
  const sender = bench.sender('a', job)
  const receiver = bench.receiver('a', far)
  sender.feed(20)
  bench.pass(120_000)
  t.equal(receiver.sink.aborted, undefined)
  arrives(receiver)
  sender.end()
})

scene('stall cuts as ever: before the first byte it costs nothing, and then the sender is told', {}, (bench, t) => {
  const sender = bench.sender('a', { ...job, stallMs: 2000 })
  const lost = bench.receiver('a', { ...job, room: 0 })
  const next = bench.receiver('a', { ...job, room: 30 })
  sender.feed(50)
  bench.pass(3500)
  t.equal(lost.sink.aborted, 'receivers_stalled')
  t.equal(next.sink.received, 30)
  bench.pass(3500)
  t.equal(sender.source.ended, 'receivers_stalled')
})

scene('what has watched a stream does not go on when that goes to the next receiver', {}, (bench, t) => {
  const sender = bench.sender('a', { ...job, stallMs: 2000 })
  sender.feed(50)
  for (let i = 0; i < 6; i++) {
    const lost = bench.receiver('a', { ...job, room: 0 })
    const next = bench.receiver('a', { ...job, room: 0 })
    bench.pass(3500)
    t.equal(lost.sink.aborted, 'receivers_stalled')
    t.equal(bench.clock.size, 2, 'the next look, and the next check')
    next.leave()
  }
  sender.leave()
})

scene('the limits of a receiver go with it', {}, (bench, t) => {
  const sender = bench.sender('a', job)
  const lost = bench.receiver('a', { ...far, limits: { maxBytes: 100, totalMs: 1000 } })
  sender.feed(100)
  lost.leave()
  const next = bench.receiver('a', far)
  bench.pass(5000)
  sender.feed(50)
  arrives(next)
  sender.end()
  t.equal(sender.source.ended, 'complete')
  t.same(next.sink.bytes, whole(sender))
})

scene('speeds are shared, and a receiver that is gone takes no part', {}, (bench, t) => {
  const throttle = new bench.core.Throttle(
    1_000_000,
    () => bench.now,
    () => {},
  )
  const sender = bench.sender('a', { ...job, limits: { throttles: [throttle] } })
  bench.receiver('a', far).leave()
  sender.feed(60)
  const next = bench.receiver('a', job)
  sender.end()
  t.same(next.sink.bytes, whole(sender))
})

scene('the digest is of what the receiver gets that keeps it', {}, (bench, t) => {
  const digests: string[] = []
  const newDigest = () => {
    let text = ''
    return {
      update: (bytes: Uint8Array) => {
        text += `${bytes.byteLength} `
      },
      hex: () => {
        digests.push(text)
        return text
      },
    }
  }
  const sender = bench.sender('a', { ...job, newDigest })
  const lost = bench.receiver('a', far)
  sender.feed(20)
  lost.leave()
  sender.feed(5)
  bench.receiver('a', job)
  sender.feed(7)
  sender.end()
  t.same(digests, ['20 5 7 '])
})

scene('a shutdown meanwhile: it does not wait again', {}, (bench, t) => {
  const sender = bench.sender('a', job)
  const receiver = bench.receiver('a', far)
  sender.feed(10)
  bench.table.close()
  t.equal(sender.source.ended, undefined, 'it runs')
  receiver.leave()
  t.equal(sender.source.ended, 'shutting_down')
})

scene('what comes while it waits again is kept, within bounds', {}, (bench, t) => {
  const sender = bench.sender('a', job)
  bench.receiver('a', far).leave()
  sender.feed(1000)
  t.equal(sender.source.ended, undefined)
  sender.feed(100)
  t.equal(sender.source.ended, 'overflow')
})

scene(
  'hundreds of dead ones in a row: nothing is lost, and nothing is left',
  { limits: { maxQueued: 1000 } },
  (bench, t) => {
    const sender = bench.sender('a', job)
    for (let i = 0; i < 300; i++) {
      const lost = bench.receiver('a', far)
      if (i % 3 === 0) sender.feed(1)
      if (i % 10 === 0) bench.pass(1000)
      lost.leave()
    }
    t.ok(bench.clock.size <= 2, `${bench.clock.size} deadlines`)
    const next = bench.receiver('a', job)
    sender.end()
    t.same(next.sink.bytes, whole(sender))
  },
)
