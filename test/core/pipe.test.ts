import t, { type Test } from 'tap'
import {
  Clock,
  CORE_FAILURES,
  type Digest,
  END_REASONS,
  type Failure,
  PipeTable,
  Refusal,
  SlabPool,
} from '../../core/index.js'
import type { Pipe } from '../../core/pairing/pipe.js'
import {
  BENCH_LIMITS,
  Bench,
  type BenchOptions,
  type FakeReceiver,
  type FakeSender,
  FakeSink,
  FakeSource,
  streamBytes,
} from './scripted.js'

const refusalsSeen = new Set<string>()
const reasonsSeen = new Set<string>()

/** A subtest with a bench of its own, which must be empty at the end, and whose reasons are collected. */
function scene(name: string, options: BenchOptions, play: (bench: Bench, t: Test) => void): void {
  t.test(name, async (t) => {
    const bench = new Bench(options)
    play(bench, t)
    bench.assertEmpty()
    for (const { reason } of bench.observer.told) if (reason !== undefined) reasonsSeen.add(reason)
  })
}

/** All orders in which these can come. */
function orders<T>(things: readonly T[]): T[][] {
  if (things.length === 0) return [[]]
  return things.flatMap((first, i) => orders(things.toSpliced(i, 1)).map((rest) => [first, ...rest]))
}

function refused(what: unknown, code: string, t: Test): Refusal {
  if (!(what instanceof Refusal)) throw new Error(`was not refused, although ${code} was expected`)
  t.equal(what.failure.code, code)
  t.notMatch(what.text, /[{}]/, 'every hole of the text is filled')
  refusalsSeen.add(code)
  return what
}

/** Everything of the stream, as it must arrive. */
function whole(sender: FakeSender): Buffer {
  return Buffer.from(streamBytes(sender.stream, 0, sender.fed))
}

// --- pairing

for (const n of [1, 2, 3]) {
  const sides = ['S', ...Array.from({ length: n }, (_, i) => `R${i}`)]
  for (const order of orders(sides)) {
    scene(`n=${n}: ${order.join(' ')}`, {}, (bench, t) => {
      let sender: FakeSender | undefined
      const receivers: FakeReceiver[] = []
      order.forEach((side, i) => {
        const view = bench.table.get('a')
        t.equal(view?.state, i === 0 ? undefined : 'waiting')
        t.equal(bench.table.waiting, i === 0 ? 0 : 1)
        t.equal(bench.table.streaming, 0)
        for (const { sink } of receivers) t.same(sink.log, [], 'nothing goes out before all are there')
        if (side === 'S') sender = bench.sender('a', { n })
        else receivers.push(bench.receiver('a', { n }))
      })
      const { source } = sender!
      t.equal(bench.table.get('a')?.state, 'streaming')
      t.equal(bench.table.waiting, 0)
      t.equal(bench.table.streaming, 1)
      sender!.feed(100)
      sender!.feed(23)
      for (const { sink } of receivers) t.equal(sink.received, 123, 'bytes arrive at once')
      sender!.end()
      for (const { sink } of receivers) {
        t.same(sink.log, ['begin', 'finish'])
        t.same(sink.bytes, whole(sender!))
        t.same(sink.offers, [100, 23], 'a chunk is handed on as it came')
      }
      const late = order.length - 1 - order.indexOf('S')
      t.same(source.log, [
        'waiting',
        ...Array<string>(late).fill('receiver_joined'),
        'streaming',
        'resume',
        'uploaded',
        'end complete',
      ])
      t.same(bench.observer.lines, ['waiting a', 'paired a', 'ended a complete'])
    })
  }
}

scene('the view tells the state, and is the same object for the whole life', {}, (bench, t) => {
  bench.now = 5
  const receiver = bench.receiver('a', { n: 2 })
  const view = bench.table.get('a')!
  t.match(view, { key: 'a', state: 'waiting', transferId: '', hasSender: false, receiversWanted: 2 })
  t.match(view, { receiversPresent: 1, bytesIn: 0, bytesOut: 0, openedAt: 5 })
  t.equal(view.expectedBytes, undefined)
  bench.now = 7
  const sender = bench.sender('a', { n: 2, expectedBytes: 500 })
  sender.feed(30)
  t.match(view, { hasSender: true, transferId: 'transfer-0', bytesIn: 30, bytesOut: 0, expectedBytes: 500 })
  t.equal(view.pairedAt, undefined)
  bench.now = 9
  const other = bench.receiver('a', { n: 2, room: 10 })
  t.equal(bench.table.get('a'), view)
  t.match(view, { state: 'streaming', receiversPresent: 2, bytesIn: 30, bytesOut: 10, pairedAt: 9 })
  t.equal(view.endedAt, undefined)
  t.equal(view.endReason, undefined)
  receiver.leave()
  t.match(view, { receiversPresent: 1, bytesOut: 10 })
  bench.now = 11
  sender.end()
  other.drain()
  t.match(view, { state: 'ended', endReason: 'complete', endedAt: 11, bytesIn: 30, bytesOut: 30, key: 'a' })
})

scene('an announced length is told before a hinted one', {}, (bench, t) => {
  const sender = bench.sender('a', { length: 10, expectedBytes: 99 })
  t.equal(bench.table.get('a')?.expectedBytes, 10)
  sender.leave()
})

scene('the head reaches every receiver', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2 }), bench.receiver('a', { n: 2 })]
  const sender = bench.sender('a', { n: 2, length: 0 })
  for (const { sink } of receivers) t.equal(sink.head, sender.endpoint.head)
  sender.end()
})

t.test('a table needs no observer', async (t) => {
  const table = new PipeTable(BENCH_LIMITS, new Clock(() => 0), new SlabPool(64, 4))
  const source = new FakeSource()
  const terms = { receivers: 1, waitMs: 1000, stallMs: 0, transferId: 'x', expectedBytes: undefined }
  const endpoint = table.joinSender('a', source, { length: undefined, fields: [] }, terms)
  const sink = new FakeSink()
  table.joinReceiver('a', sink, terms)
  if (!(endpoint instanceof Refusal)) endpoint.end()
  t.equal(source.ended, 'complete')
  t.same(sink.log, ['begin', 'finish'])
})

scene('names do not know each other', {}, (bench, t) => {
  const here = bench.sender('a')
  const there = bench.sender('b')
  const atB = bench.receiver('b')
  t.equal(bench.table.waiting, 1)
  t.equal(bench.table.streaming, 1)
  there.feed(10)
  there.end()
  t.equal(atB.sink.received, 10)
  t.same(here.source.news, ['waiting'])
  const atA = bench.receiver('a')
  here.feed(20)
  here.end()
  t.equal(atA.sink.received, 20)
})

scene('a name is free the moment its transfer ends', {}, (bench, t) => {
  for (let round = 0; round < 3; round++) {
    const receiver = bench.receiver('a', { n: 1 })
    const sender = bench.sender('a', { n: 1 })
    sender.feed(50)
    sender.end()
    t.equal(receiver.sink.received, 50)
    t.equal(bench.table.get('a'), undefined)
  }
})

scene('a name is free again before either side is told', {}, (bench, t) => {
  const free: boolean[] = []
  const sender = bench.sender('a', { n: 2 })
  const receivers = [bench.receiver('a', { n: 2 }), bench.receiver('a', { n: 2 })]
  for (const { sink } of receivers) sink.abort = () => free.push(bench.table.get('a') === undefined)
  sender.source.end = () => free.push(bench.table.get('a') === undefined)
  sender.leave()
  t.same(free, [true, true, true])
})

// --- refusals

/** Finishes the transfer of a sender and receivers that a refusal must not have disturbed. */
function completes(bench: Bench, t: Test, sender: FakeSender, receivers: readonly FakeReceiver[]): void {
  sender.feed(77)
  sender.end()
  for (const { sink } of receivers) t.same(sink.log, ['begin', 'finish'])
  for (const { sink } of receivers) t.same(sink.bytes, whole(sender))
  t.equal(sender.source.ended, 'complete')
  t.same(bench.observer.lines, ['waiting a', 'paired a', 'ended a complete'])
}

scene('refused: another n, on either side', {}, (bench, t) => {
  const sender = bench.sender('a', { n: 2 })
  const deadlines = bench.clock.size
  for (const n of [1, 3]) {
    const refusal = refused(bench.tryReceiver('a', { n }), 'N_MISMATCH', t)
    t.same(refusal.values, { found: n, expected: 2 })
    refused(bench.trySender('a', { n }), 'N_MISMATCH', t)
  }
  t.equal(bench.clock.size, deadlines, 'a refused side leaves no deadline')
  t.same(sender.source.log, ['waiting'])
  completes(bench, t, sender, [bench.receiver('a', { n: 2 }), bench.receiver('a', { n: 2 })])
})

scene('refused: another n, with only receivers there', {}, (bench, t) => {
  const first = bench.receiver('a', { n: 2 })
  refused(bench.trySender('a', { n: 1 }), 'N_MISMATCH', t)
  refused(bench.tryReceiver('a', { n: 1 }), 'N_MISMATCH', t)
  t.equal(bench.table.get('a')?.receiversPresent, 1)
  t.equal(bench.table.get('a')?.hasSender, false)
  const second = bench.receiver('a', { n: 2 })
  completes(bench, t, bench.sender('a', { n: 2 }), [first, second])
})

scene('refused: a second sender', {}, (bench, t) => {
  const sender = bench.sender('a')
  refused(bench.trySender('a'), 'SENDER_EXISTS', t)
  t.equal(bench.table.get('a')?.transferId, 'transfer-0')
  t.same(sender.source.log, ['waiting'])
  completes(bench, t, sender, [bench.receiver('a')])
})

scene('refused: a receiver beyond n', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2 }), bench.receiver('a', { n: 2 })]
  const refusal = refused(bench.tryReceiver('a', { n: 2 }), 'RECEIVERS_FULL', t)
  t.same(refusal.values, { expected: 2 })
  t.equal(bench.table.get('a')?.receiversPresent, 2)
  completes(bench, t, bench.sender('a', { n: 2 }), receivers)
})

scene('refused: anybody while a transfer runs', {}, (bench, t) => {
  const receiver = bench.receiver('a')
  const sender = bench.sender('a')
  refused(bench.tryReceiver('a'), 'PIPE_BUSY', t)
  refused(bench.trySender('a'), 'PIPE_BUSY', t)
  refused(bench.tryReceiver('a', { n: 2 }), 'PIPE_BUSY', t)
  receiver.sink.finishesAtOnce = false
  sender.end()
  refused(bench.trySender('a'), 'PIPE_BUSY', t)
  receiver.handOn()
  t.equal(sender.source.ended, 'complete')
})

scene('refused: one waiting pipe too many', { limits: { maxWaiting: 2 } }, (bench, t) => {
  const sender = bench.sender('a')
  const lone = bench.receiver('b')
  t.equal(bench.table.waiting, 2)
  t.same(refused(bench.trySender('c'), 'TOO_MANY_WAITING', t).values, { expected: 2 })
  refused(bench.tryReceiver('c'), 'TOO_MANY_WAITING', t)
  t.equal(bench.table.get('c'), undefined)
  // A side that joins a pipe which waits already needs no new place, and a transfer that runs takes none.
  const receiver = bench.receiver('a')
  t.equal(bench.table.waiting, 1)
  const third = bench.receiver('c')
  refused(bench.tryReceiver('d'), 'TOO_MANY_WAITING', t)
  third.leave()
  lone.leave()
  sender.feed(9)
  sender.end()
  t.equal(receiver.sink.received, 9)
})

scene('close(): who waits is told, who streams goes on, who comes is refused', {}, (bench, t) => {
  const running = bench.receiver('a')
  const sender = bench.sender('a')
  sender.feed(10)
  const waitingSender = bench.sender('b', { n: 2 })
  const waitingReceiver = bench.receiver('b', { n: 2 })
  const lone = bench.receiver('c')
  bench.table.close()
  t.equal(waitingSender.source.ended, 'shutting_down')
  t.same(waitingReceiver.sink.log, ['abort shutting_down'])
  t.same(lone.sink.log, ['abort shutting_down'])
  t.equal(bench.table.waiting, 0)
  t.equal(bench.table.streaming, 1)
  for (const key of ['a', 'b', 'z']) {
    refused(bench.trySender(key), 'SHUTTING_DOWN', t)
    refused(bench.tryReceiver(key), 'SHUTTING_DOWN', t)
  }
  bench.table.close()
  sender.feed(10)
  sender.end()
  t.equal(running.sink.received, 20)
  t.equal(sender.source.ended, 'complete')
})

scene('endAll(): everybody, with the reason given', {}, (bench, t) => {
  const running = bench.receiver('a')
  const sender = bench.sender('a')
  sender.feed(10)
  const lone = bench.receiver('b')
  const waiting = bench.sender('c')
  waiting.feed(10)
  bench.table.endAll('shutting_down')
  for (const { sink } of [running, lone]) t.equal(sink.aborted, 'shutting_down')
  for (const { source } of [sender, waiting]) t.equal(source.ended, 'shutting_down')
  bench.table.endAll('shutting_down')
})

scene('endAll(fault)', {}, (bench, t) => {
  const receiver = bench.receiver('a', { n: 2 })
  bench.table.endAll('fault')
  t.same(receiver.sink.log, ['abort fault'])
})

// --- waiting

scene('a sender waits for as long as it asked', {}, (bench, t) => {
  const sender = bench.sender('a', { waitMs: 3000 })
  bench.turn(2999)
  t.equal(sender.source.ended, undefined)
  bench.turn(1)
  t.same(sender.source.log, ['waiting', 'end no_receivers'])
  t.equal(bench.lastReason, 'no_receivers')
})

scene('a lone receiver waits for as long as it asked', {}, (bench, t) => {
  const receiver = bench.receiver('a', { waitMs: 3000 })
  bench.turn(2999)
  t.same(receiver.sink.log, [])
  bench.turn(1)
  t.same(receiver.sink.log, ['abort no_sender'])
  t.equal(bench.lastReason, 'no_sender')
})

scene("each side's wait is its own", {}, (bench, t) => {
  const short = bench.receiver('a', { n: 3, waitMs: 1000 })
  const long = bench.receiver('a', { n: 3, waitMs: 9000 })
  bench.turn(1000)
  t.same(short.sink.log, ['abort no_sender'])
  t.same(long.sink.log, [], 'the other goes on waiting')
  t.equal(bench.table.get('a')?.receiversPresent, 1)
  const sender = bench.sender('a', { n: 3, waitMs: 2000 })
  const third = bench.receiver('a', { n: 3, waitMs: 1000 })
  bench.turn(1000)
  t.same(third.sink.log, ['abort no_receivers'], 'a sender is there, so receivers are what is missing')
  t.same(sender.source.log, ['waiting', 'receiver_joined', 'receiver_left'])
  bench.turn(1000)
  t.equal(sender.source.ended, 'no_receivers')
  t.same(long.sink.log, [], 'a sender that gives up leaves the receivers in peace')
  t.equal(bench.table.get('a')?.hasSender, false)
  bench.turn(6000)
  t.same(long.sink.log, ['abort no_sender'])
  t.same(bench.observer.lines, ['waiting a', 'ended a no_sender'])
})

scene('the last receiver that gives up leaves the sender in peace', {}, (bench, t) => {
  const sender = bench.sender('a', { waitMs: 9000 })
  const two = bench.sender('b', { n: 2, waitMs: 9000 })
  const receiver = bench.receiver('b', { n: 2, waitMs: 1000 })
  bench.turn(1000)
  t.equal(receiver.sink.aborted, 'no_receivers')
  t.same(two.source.log, ['waiting', 'receiver_joined', 'receiver_left'])
  bench.turn(8000)
  for (const { source } of [sender, two]) t.equal(source.ended, 'no_receivers')
})

scene('a wait is over when the stream starts', {}, (bench, t) => {
  const receiver = bench.receiver('a', { waitMs: 1000 })
  const sender = bench.sender('a', { waitMs: 1000 })
  t.equal(bench.clock.size, 1, 'only the look at the limits is left')
  for (let i = 0; i < 40; i++) {
    bench.turn(1000)
    sender.feed(1)
  }
  sender.end()
  t.same(sender.source.news, ['waiting', 'streaming', 'uploaded', 'end complete'], 'and so are the reminders')
  t.equal(receiver.sink.received, 40)
})

scene('a waiting sender is reminded every reminderMs', {}, (bench, t) => {
  const sender = bench.sender('a', { waitMs: 35_000 })
  bench.turn(9999)
  t.same(sender.source.log, ['waiting'])
  bench.turn(1)
  t.same(sender.source.log, ['waiting', 'still_waiting'])
  bench.pass(9500)
  t.same(sender.source.log, ['waiting', 'still_waiting'])
  bench.pass(500)
  t.same(sender.source.log, ['waiting', 'still_waiting', 'still_waiting'])
  bench.pass(15_000)
  t.same(sender.source.log.slice(3), ['still_waiting', 'end no_receivers'])
})

scene('a sender leaves while it waits, and another takes its place', {}, (bench, t) => {
  const receiver = bench.receiver('a', { n: 2 })
  const first = bench.sender('a', { n: 2 })
  first.feed(200)
  t.ok(bench.table.get('a')?.bytesIn === 200)
  first.leave()
  t.equal(bench.slabs.inUse, 0, 'what it sent is gone with it')
  t.match(bench.table.get('a'), { hasSender: false, transferId: '', bytesIn: 0, receiversPresent: 1 })
  t.equal(bench.clock.size, 1, 'its deadline and its reminder are gone')
  t.same(receiver.sink.log, [])
  const second = bench.sender('a', { n: 2 })
  first.feed(30)
  first.end()
  first.leave()
  const other = bench.receiver('a', { n: 2 })
  second.feed(40)
  second.end()
  for (const { sink } of [receiver, other]) t.same(sink.bytes, whole(second))
  t.same(first.source.log, ['waiting'])
  t.same(second.source.news, ['waiting', 'receiver_joined', 'streaming', 'uploaded', 'end complete'])
  t.same(bench.observer.lines, ['waiting a', 'paired a', 'ended a complete'])
})

scene('a lone sender leaves', {}, (bench, t) => {
  const sender = bench.sender('a')
  sender.feed(100)
  sender.feed(100)
  sender.leave()
  t.same(sender.source.log, ['waiting'])
  t.equal(bench.lastReason, 'abandoned')
})

scene('a receiver leaves while it waits, and another takes its place', {}, (bench, t) => {
  const sender = bench.sender('a', { n: 2 })
  const first = bench.receiver('a', { n: 2 })
  first.leave()
  t.equal(bench.table.get('a')?.receiversPresent, 0)
  const second = bench.receiver('a', { n: 2 })
  first.leave()
  t.equal(bench.table.get('a')?.receiversPresent, 1, 'who left twice took one place')
  const third = bench.receiver('a', { n: 2 })
  sender.feed(40)
  sender.end()
  t.same(first.sink.log, [])
  for (const { sink } of [second, third]) t.same(sink.bytes, whole(sender))
  t.same(sender.source.news, [
    'waiting',
    'receiver_joined',
    'receiver_left',
    'receiver_joined',
    'receiver_joined',
    'streaming',
    'uploaded',
    'end complete',
  ])
})

scene('all receivers leave, and no sender has come', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2 }), bench.receiver('a', { n: 2 })]
  receivers[0]!.leave()
  t.equal(bench.lastReason, undefined)
  receivers[1]!.leave()
  t.equal(bench.lastReason, 'abandoned')
})

scene('the whole body is read while its sender waits', {}, (bench, t) => {
  const sender = bench.sender('a', { length: 70 })
  sender.feed(70)
  sender.end()
  t.same(sender.source.log, ['waiting'])
  t.match(bench.table.get('a'), { state: 'waiting', bytesIn: 70, bytesOut: 0 })
  const receiver = bench.receiver('a')
  t.same(sender.source.log, ['waiting', 'receiver_joined', 'streaming', 'uploaded', 'end complete'])
  t.same(receiver.sink.log, ['begin', 'finish'])
  t.same(receiver.sink.bytes, whole(sender))
})

scene('the whole body is read while its sender waits, and the receiver is slow', {}, (bench, t) => {
  const sender = bench.sender('a')
  sender.feed(70)
  sender.feed(70)
  sender.end()
  const receiver = bench.receiver('a', { room: 100, finishesAtOnce: false })
  t.match(bench.table.get('a'), { state: 'streaming', bytesIn: 140, bytesOut: 100 })
  receiver.drain()
  t.same(receiver.sink.log, ['begin', 'finish'])
  t.equal(sender.source.ended, undefined)
  receiver.handOn()
  t.equal(sender.source.ended, 'complete')
  t.same(receiver.sink.bytes, whole(sender))
})

scene('an empty stream is a stream', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2, room: 0 }), bench.receiver('a', { n: 2, room: 0 })]
  const sender = bench.sender('a', { n: 2, length: 0 })
  sender.end()
  for (const { sink } of receivers) t.same(sink.log, ['begin', 'finish'])
  t.equal(sender.source.ended, 'complete')
})

scene('a sender that leaves with its body complete, while it waits, gives up its place', {}, (bench, t) => {
  const sender = bench.sender('a')
  sender.feed(10)
  sender.end()
  sender.leave()
  t.equal(bench.lastReason, 'abandoned')
})

// --- leaving while the stream flows

scene('a sender leaves before its body is complete', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2, room: 20 }), bench.receiver('a', { n: 2 })]
  const sender = bench.sender('a', { n: 2 })
  sender.feed(50)
  sender.leave()
  for (const { sink } of receivers) t.same(sink.log, ['begin', 'abort sender_left'])
  t.same(sender.source.news, ['waiting', 'streaming', 'end sender_left'])
  t.equal(bench.lastReason, 'sender_left')
})

scene('a sender leaves after its body was complete: the receivers get all of it', {}, (bench, t) => {
  const fast = bench.receiver('a', { n: 3 })
  const slow = bench.receiver('a', { n: 3, room: 20, finishesAtOnce: false })
  const gone = bench.receiver('a', { n: 3, room: 20 })
  const sender = bench.sender('a', { n: 3 })
  sender.feed(200)
  sender.end()
  sender.leave()
  t.equal(bench.table.get('a')?.state, 'streaming')
  t.same(fast.sink.log, ['begin', 'finish'])
  gone.leave()
  slow.drain(100)
  slow.drain()
  t.same(slow.sink.log, ['begin', 'finish'])
  t.equal(bench.lastReason, undefined)
  slow.handOn()
  t.equal(bench.lastReason, 'complete')
  for (const { sink } of [fast, slow]) t.same(sink.bytes, whole(sender))
})

scene('the only receiver leaves', {}, (bench, t) => {
  const receiver = bench.receiver('a', { room: 20 })
  const sender = bench.sender('a')
  sender.feed(50)
  receiver.leave()
  t.same(sender.source.news, ['waiting', 'streaming', 'end receivers_left'])
  t.equal(bench.lastReason, 'receivers_left')
})

scene('bytesOut of a transfer whose receivers left is what the last of them had taken', {}, (bench, t) => {
  const first = bench.receiver('a', { n: 2, room: 10 })
  const second = bench.receiver('a', { n: 2, room: 30 })
  const sender = bench.sender('a', { n: 2 })
  sender.feed(100)
  const view = bench.table.get('a')!
  t.equal(view.bytesOut, 10)
  first.leave()
  t.equal(view.bytesOut, 30)
  second.leave()
  t.match(bench.observer.told.at(-1), { event: 'ended', reason: 'receivers_left', bytesIn: 100, bytesOut: 30 })
})

scene('one of several leaves before the first byte, at the window, and after its last', {}, (bench, t) => {
  const receivers = Array.from({ length: 4 }, () => bench.receiver('a', { n: 4 }))
  const [early, holding, done, staying] = receivers as [FakeReceiver, FakeReceiver, FakeReceiver, FakeReceiver]
  const sender = bench.sender('a', { n: 4 })
  early.leave()
  t.same(early.sink.log, ['begin'])
  holding.sink.room = 0
  staying.sink.room = 400
  sender.feed(200)
  sender.feed(100)
  t.ok(sender.source.paused)
  holding.leave()
  t.notOk(sender.source.paused, 'who left holds nobody')
  t.equal(bench.slabs.inUse, 0)
  sender.feed(200)
  sender.end()
  t.same(done.sink.log, ['begin', 'finish'])
  done.leave()
  t.equal(bench.table.get('a')?.state, 'streaming', 'who has everything may go')
  staying.drain()
  t.same(sender.source.log.slice(1), [
    'streaming',
    'resume',
    'receiver_left',
    'pause',
    'receiver_left',
    'resume',
    'uploaded',
    'end complete',
  ])
  for (const { sink } of [done, staying]) t.same(sink.bytes, whole(sender))
})

scene('a receiver leaves between finish() and its last byte', {}, (bench, t) => {
  const one = bench.receiver('a', { n: 2, finishesAtOnce: false })
  const two = bench.receiver('a', { n: 2, finishesAtOnce: false })
  const sender = bench.sender('a', { n: 2 })
  sender.feed(10)
  sender.end()
  one.leave()
  t.equal(sender.source.ended, undefined)
  two.leave()
  t.equal(sender.source.ended, 'receivers_left')
})

scene('the slowest leaves, and everybody else is done: complete', {}, (bench, t) => {
  const fast = bench.receiver('a', { n: 2 })
  const slow = bench.receiver('a', { n: 2, room: 0 })
  const sender = bench.sender('a', { n: 2 })
  sender.feed(100)
  sender.end()
  slow.leave()
  t.same(fast.sink.log, ['begin', 'finish'])
  t.same(sender.source.news.slice(-3), ['uploaded', 'receiver_left', 'end complete'])
})

scene('who has the last byte is not disturbed by a failure afterwards', {}, (bench, t) => {
  const fast = bench.receiver('a', { n: 2 })
  const slow = bench.receiver('a', { n: 2, room: 0 })
  const sender = bench.sender('a', { n: 2 })
  sender.feed(100)
  sender.end()
  bench.table.endAll('shutting_down')
  t.same(fast.sink.log, ['begin', 'finish'])
  t.same(slow.sink.log, ['begin', 'abort shutting_down'])
  t.equal(sender.source.ended, 'shutting_down')
})

scene('calls after the end do nothing', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2 }), bench.receiver('a', { n: 2, room: 5 })]
  const sender = bench.sender('a', { n: 2 })
  sender.feed(10)
  bench.table.endAll('shutting_down')
  const view = { ...bench.observer.told.at(-1)! }
  sender.feed(100)
  sender.feed(100)
  sender.end()
  sender.leave()
  for (const receiver of receivers) {
    receiver.drain()
    receiver.endpoint.finished()
    receiver.leave()
  }
  t.equal(sender.source.log.at(-1), 'end shutting_down')
  t.equal(sender.endpoint.pipe.bytesIn, view.bytesIn, 'the view stays as it was told')
  t.same(receivers[0]!.sink.log, ['begin', 'abort shutting_down'])
})

scene('calls after the end of a pipe that never streamed do nothing', {}, (bench, t) => {
  const sender = bench.sender('a', { waitMs: 1000 })
  bench.turn(1000)
  sender.feed(100)
  sender.feed(100)
  t.equal(bench.slabs.inUse, 0, 'nothing is kept for nobody')
  sender.end()
  sender.leave()
  t.same(sender.source.log, ['waiting', 'end no_receivers'])
})

scene('a sink that drains while its last byte is on its way is finished once', {}, (bench, t) => {
  const receiver = bench.receiver('a', { finishesAtOnce: false })
  const sender = bench.sender('a')
  sender.feed(10)
  sender.end()
  receiver.drain()
  t.same(receiver.sink.log, ['begin', 'finish'])
  receiver.handOn()
  t.equal(sender.source.ended, 'complete')
})

// --- lengths

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
    t.same(sender.source.news, ['waiting', 'streaming', 'end wrong_length'])
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

// --- limits

scene('one transfer too many', { limits: { maxActive: 1 } }, (bench, t) => {
  const running = bench.receiver('a')
  const sender = bench.sender('a')
  const first = bench.sender('b')
  first.feed(10)
  const second = bench.receiver('b')
  t.same(first.source.log, ['waiting', 'receiver_joined', 'end too_many_active'])
  t.same(second.sink.log, ['abort too_many_active'])
  const third = bench.receiver('c')
  const fourth = bench.sender('c')
  t.same(third.sink.log, ['abort too_many_active'])
  t.same(fourth.source.log, ['waiting', 'end too_many_active'])
  t.equal(bench.table.streaming, 1, 'what never streamed is not counted')
  sender.end()
  t.same(running.sink.log, ['begin', 'finish'])
  t.equal(bench.table.streaming, 0)
  const again = bench.receiver('b')
  bench.sender('b').end()
  t.same(again.sink.log, ['begin', 'finish'], 'the place is free again')
})

scene('nothing moves for the idle limit', { limits: { idleMs: 5000 } }, (bench, t) => {
  const receiver = bench.receiver('a')
  const sender = bench.sender('a')
  bench.pass(4500)
  t.equal(bench.lastReason, undefined)
  bench.pass(500)
  t.same(receiver.sink.log, ['begin', 'abort idle'])
  t.equal(sender.source.ended, 'idle')
  t.equal(bench.lastReason, 'idle')
})

scene('a byte now and then keeps a transfer alive, in either direction', { limits: { idleMs: 5000 } }, (bench, t) => {
  const receiver = bench.receiver('a', { room: 0, finishesAtOnce: false })
  const sender = bench.sender('a')
  for (let i = 0; i < 20; i++) {
    bench.pass(4000)
    sender.feed(1)
  }
  sender.end()
  for (let i = 0; i < 20; i++) {
    bench.pass(4000)
    receiver.drain(1)
  }
  t.same(receiver.sink.log, ['begin', 'finish'])
  bench.pass(4000)
  receiver.handOn()
  t.equal(bench.lastReason, 'complete')
})

scene('a receiver that stops for good ends by the idle limit', { limits: { idleMs: 5000 } }, (bench, t) => {
  const receiver = bench.receiver('a', { room: 10 })
  bench.sender('a').feed(20)
  bench.pass(6500)
  t.equal(receiver.sink.aborted, 'idle')
})

scene('idle limit 0: never', { limits: { idleMs: 0 } }, (bench, t) => {
  bench.receiver('a')
  const sender = bench.sender('a')
  bench.pass(100_000, 1000)
  sender.end()
  t.equal(bench.lastReason, 'complete')
})

const RATE = { limits: { minRate: 10, ratePeriodMs: 5000 } }

scene('slower than the rate limit, over its period', RATE, (bench, t) => {
  const receiver = bench.receiver('a')
  const sender = bench.sender('a')
  sender.feed(50)
  bench.pass(5000)
  t.equal(bench.lastReason, undefined, 'exactly fast enough')
  sender.feed(49)
  bench.pass(4500)
  t.equal(bench.lastReason, undefined, 'the period is not over')
  bench.pass(500)
  t.same(receiver.sink.log, ['begin', 'abort too_slow'])
  t.equal(sender.source.ended, 'too_slow')
})

scene('what counts for the rate limit is what the slowest receiver takes', RATE, (bench, t) => {
  bench.receiver('a', { n: 2 })
  const slow = bench.receiver('a', { n: 2, room: 20 })
  bench.sender('a', { n: 2 }).feed(200)
  bench.pass(5000)
  t.equal(slow.sink.aborted, 'too_slow')
})

scene('waiting is not slow', RATE, (bench, t) => {
  bench.receiver('a')
  bench.pass(20_000)
  const sender = bench.sender('a')
  bench.pass(4500)
  sender.feed(50)
  bench.pass(500)
  t.equal(bench.lastReason, undefined)
  sender.end()
})

scene('a receiver that stalls is cut, and the others go on', {}, (bench, t) => {
  const [a, b, c] = [0, 1, 2].map(() => bench.receiver('a', { n: 3 })) as [FakeReceiver, FakeReceiver, FakeReceiver]
  const sender = bench.sender('a', { n: 3, stallMs: 3000 })
  a.sink.room = 40
  b.sink.room = 40
  sender.feed(100)
  for (let i = 0; i < 4; i++) {
    t.equal(b.sink.aborted, undefined)
    a.drain(1)
    bench.pass(1000)
  }
  t.same(b.sink.log, ['begin', 'abort receivers_stalled'])
  t.same([a.sink.aborted, c.sink.aborted], [undefined, undefined], 'who takes a byte now and then is left alone')
  t.same(sender.source.news, ['waiting', 'streaming', 'receiver_left'])
  t.equal(bench.table.get('a')?.receiversPresent, 2)
  sender.feed(10)
  sender.end()
  a.drain()
  for (const { sink } of [a, c]) t.same(sink.bytes, whole(sender))
  t.equal(bench.lastReason, 'complete')
})

scene('all stall in one look at the limits', {}, (bench, t) => {
  const receivers = [bench.receiver('a', { n: 2, room: 0 }), bench.receiver('a', { n: 2, room: 0 })]
  const sender = bench.sender('a', { n: 2, stallMs: 2000 })
  sender.feed(10)
  bench.pass(5000)
  for (const { sink } of receivers) t.same(sink.log, ['begin', 'abort receivers_stalled'])
  t.same(sender.source.news, ['waiting', 'streaming', 'receiver_left', 'end receivers_stalled'])
})

scene('the only receiver stalls', {}, (bench, t) => {
  const receiver = bench.receiver('a', { room: 10 })
  const sender = bench.sender('a', { stallMs: 2000 })
  sender.feed(20)
  bench.pass(2000)
  t.equal(receiver.sink.aborted, undefined)
  bench.pass(2000)
  t.same(receiver.sink.log, ['begin', 'abort receivers_stalled'])
  t.equal(sender.source.ended, 'receivers_stalled')
})

scene('a receiver for whom there is nothing does not stall', {}, (bench, t) => {
  const receiver = bench.receiver('a')
  const sender = bench.sender('a', { stallMs: 2000 })
  bench.pass(10_000)
  sender.feed(10)
  bench.pass(10_000)
  t.equal(receiver.sink.aborted, undefined)
  sender.end()
})

scene('a receiver that never hands on its last byte stalls', {}, (bench, t) => {
  const receiver = bench.receiver('a', { finishesAtOnce: false })
  const sender = bench.sender('a', { stallMs: 2000 })
  sender.feed(10)
  sender.end()
  bench.pass(4000)
  t.same(receiver.sink.log, ['begin', 'finish', 'abort receivers_stalled'])
})

scene('stall limit 0: never', {}, (bench, t) => {
  const receiver = bench.receiver('a', { room: 0 })
  const sender = bench.sender('a')
  sender.feed(10)
  bench.pass(50_000)
  t.equal(receiver.sink.aborted, undefined)
  sender.leave()
})

scene('a source that goes on after it was paused: kept up to holdBytes', {}, (bench, t) => {
  const receiver = bench.receiver('a', { room: 0 })
  const sender = bench.sender('a')
  sender.feed(300)
  t.ok(sender.source.paused)
  sender.feed(724)
  t.equal(bench.lastReason, undefined, 'exactly holdBytes are kept')
  receiver.drain(24)
  sender.feed(24)
  t.equal(bench.lastReason, undefined, 'what was taken no longer counts')
  sender.feed(1)
  t.equal(bench.lastReason, 'overflow')
  t.same(receiver.sink.log, ['begin', 'abort overflow'])
  t.equal(sender.source.ended, 'overflow')
})

scene('a waiting sender that delivers more than may be held', {}, (bench, t) => {
  const receiver = bench.receiver('a', { n: 2 })
  const sender = bench.sender('a', { n: 2 })
  sender.feed(1024)
  t.equal(sender.source.ended, undefined)
  sender.feed(1)
  t.same(sender.source.log, ['waiting', 'end overflow'])
  t.equal(bench.slabs.inUse, 0)
  t.same(receiver.sink.log, [], 'the receivers wait for the next sender')
  receiver.leave()
  const lone = bench.sender('b')
  lone.feed(2000)
  t.equal(lone.source.ended, 'overflow')
  t.equal(bench.lastReason, 'overflow')
})

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
  bench.turn(5000)
  t.same(sender.source.log.at(-1), 'end empty_form')
  t.same(receiver.sink.log, [], 'the receivers wait for the next sender')
  const next = bench.sender('a', { headLater: true })
  bench.turn(5000)
  t.same(receiver.sink.log, ['abort empty_form'])
  next.endpoint.broken('empty_form')
  t.equal(bench.lastReason, 'empty_form')
  const lone = bench.sender('a')
  lone.endpoint.broken('broken_form')
  t.equal(bench.lastReason, 'broken_form')
})

/** A digest that anybody can check: all bytes in order. */
function newTranscript(): Digest {
  const pieces: Uint8Array[] = []
  return { update: (bytes) => void pieces.push(bytes.slice()), hex: () => Buffer.concat(pieces).toString('hex') }
}

for (const who of ['sender', 'receiver', 'nobody', 'a receiver that left'] as const) {
  for (const [what, early, late] of [
    ['all before', 700, 0],
    ['some before', 300, 400],
    ['nothing before', 0, 700],
    ['nothing at all', 0, 0],
  ] as const) {
    scene(`a digest, asked for by ${who}, with ${what} the stream begins`, {}, (bench, t) => {
      const newDigest = newTranscript
      const sender = bench.sender('a', { n: 2, ...(who === 'sender' && { newDigest }) })
      if (early > 0) sender.feed(early)
      if (late === 0) sender.end()
      if (who === 'a receiver that left') bench.receiver('a', { n: 2, newDigest }).leave()
      const pipe = bench.table.get('a')!
      bench.receiver('a', { n: 2 })
      t.equal(pipe.sha256, undefined)
      bench.receiver('a', { n: 2, ...(who === 'receiver' && { newDigest }) })
      if (late > 0) {
        sender.feed(late)
        t.equal(pipe.sha256, undefined, 'not before the last byte')
        sender.end()
      }
      const isAsked = who === 'sender' || who === 'receiver'
      t.equal(pipe.sha256, isAsked ? whole(sender).toString('hex') : undefined)
      t.equal(bench.lastReason, 'complete')
    })
  }
}

for (const strict of ['sender', 'receiver'] as const) {
  scene(`more bytes than the ${strict} may have`, {}, (bench, t) => {
    const limits = { maxBytes: 100 }
    const loose = { maxBytes: 500 }
    const receiver = bench.receiver('a', { limits: strict === 'receiver' ? limits : loose })
    const sender = bench.sender('a', { limits: strict === 'sender' ? limits : loose })
    sender.feed(100)
    t.equal(sender.source.ended, undefined, 'exactly as many as allowed')
    sender.feed(1)
    t.same(receiver.sink.log, ['begin', 'abort too_large'])
    t.equal(receiver.sink.received, 100, 'not one byte too many went out')
    t.equal(sender.source.ended, 'too_large')
  })
}

scene('a sender that sends too much while it waits', {}, (bench, t) => {
  const receiver = bench.receiver('a', { n: 2 })
  const sender = bench.sender('a', { n: 2, limits: { maxBytes: 10 } })
  sender.feed(11)
  t.equal(sender.source.ended, 'too_large')
  t.same(receiver.sink.log, [], 'the receivers wait for the next sender')
  receiver.leave()
})

scene('what came or was announced is too much for a receiver: nothing begins', {}, (bench, t) => {
  const sender = bench.sender('a')
  sender.feed(11)
  const first = bench.receiver('a', { limits: { maxBytes: 10 } })
  t.same(first.sink.log, ['abort too_large'])
  t.equal(sender.source.ended, 'too_large')
  bench.sender('a', { length: 11 })
  t.same(bench.receiver('a', { limits: { maxBytes: 10 } }).sink.log, ['abort too_large'])
  const fits = bench.sender('a', { length: 10 })
  const last = bench.receiver('a', { limits: { maxBytes: 10 } })
  fits.feed(10)
  fits.end()
  t.same(last.sink.log, ['begin', 'finish'])
})

scene('the limits of a side that left hold for nobody', {}, (bench, t) => {
  bench.receiver('a', { n: 2, limits: { maxBytes: 1, totalMs: 1 } }).leave()
  const receivers = [bench.receiver('a', { n: 2 })]
  bench.sender('a', { n: 2, limits: { maxBytes: 1, totalMs: 1 } }).leave()
  receivers.push(bench.receiver('a', { n: 2 }))
  const sender = bench.sender('a', { n: 2 })
  sender.feed(50)
  bench.pass(2000)
  sender.end()
  for (const { sink } of receivers) t.same(sink.log, ['begin', 'finish'])
})

scene('longer than the strictest side may stream', {}, (bench, t) => {
  const receiver = bench.receiver('a', { limits: { totalMs: 4000 } })
  bench.pass(10_000)
  const sender = bench.sender('a', { limits: { totalMs: 9000 } })
  bench.pass(3500)
  sender.feed(10)
  t.equal(sender.source.ended, undefined, 'waiting does not count')
  bench.pass(500)
  t.same(receiver.sink.log, ['begin', 'abort too_long'])
  t.equal(sender.source.ended, 'too_long')
})

for (const strictFirst of [true, false]) {
  const [first, second] = strictFirst ? [1, 5] : [5, 1]
  scene(`the strictest of two receivers, who comes ${strictFirst ? 'first' : 'last'}`, {}, (bench, t) => {
    bench.receiver('a', { n: 2, limits: { maxBytes: first * 100 } })
    bench.receiver('a', { n: 2, limits: { maxBytes: second * 100 } })
    const large = bench.sender('a', { n: 2, limits: { maxBytes: 500 } })
    large.feed(100)
    t.equal(large.source.ended, undefined)
    large.feed(1)
    t.equal(large.source.ended, 'too_large')
    bench.receiver('a', { limits: { totalMs: first * 1000 } })
    const long = bench.sender('a', { limits: { totalMs: second * 1000 } })
    bench.pass(500)
    t.equal(long.source.ended, undefined)
    bench.pass(500)
    t.equal(long.source.ended, 'too_long')
    bench.receiver('a', { limits: { totalMs: 60_000 } })
    bench.sender('a').end()
    t.equal(bench.clock.size, 0, 'what is over is not timed')
  })
}

const STOPPED: Failure = { code: 'X', status: 409, message: 'Enough.', hint: 'Ask somebody.' }

scene('somebody ends a pipe, and says why', {}, (bench, t) => {
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
  // Whoever walks through all pipes may end them on the way.
  for (const { key } of bench.table.all()) bench.table.stop(key, STOPPED)
  t.same(receiver.sink.log, ['begin', 'abort stopped'])
  t.equal(sender.source.ended, 'stopped')
  t.same([...bench.table.all()], [])
})

scene('the first reason keeps its words', {}, (bench, t) => {
  const sender = bench.sender('a')
  const pipe = sender.endpoint.pipe as Pipe
  bench.table.endAll('shutting_down')
  pipe.stop(STOPPED)
  t.match(pipe, { endReason: 'shutting_down', endFailure: undefined })
})

scene('bytes sent count for every receiver, bytes held back in time only while it streams', {}, (bench, t) => {
  const one = bench.receiver('a', { n: 2, room: 30 })
  const two = bench.receiver('a', { n: 2 })
  bench.turn(50)
  const sender = bench.sender('a', { n: 2 })
  const view = bench.table.get('a')!
  sender.feed(100)
  t.match(view, { bytesSent: 130, heldBackMs: 0 })
  two.leave()
  t.equal(view.bytesSent, 130, 'also what went to one that left')
  bench.turn(40)
  t.equal(view.heldBackMs, 40)
  one.drain(70)
  one.drain()
  bench.turn(1000)
  t.match(view, { bytesSent: 200, heldBackMs: 40 })
  one.sink.room = 5
  sender.feed(10)
  bench.turn(3)
  sender.leave()
  bench.turn(500)
  t.equal(view.heldBackMs, 43, 'the end stops the clock')
})

scene('no slab is left', { maxSlabs: 3 }, (bench, t) => {
  const receiver = bench.receiver('a', { room: 0 })
  const sender = bench.sender('a')
  sender.feed(10)
  sender.feed(3 * 64)
  t.equal(bench.slabs.inUse, 3)
  const other = bench.sender('b')
  other.feed(10)
  t.equal(other.source.ended, undefined, 'a small first piece needs no slab')
  other.feed(1)
  t.equal(other.source.ended, 'overflow')
  sender.feed(1)
  t.equal(receiver.sink.aborted, 'overflow')
  t.equal(bench.slabs.inUse, 0)
})

// --- the catalogues

t.test('every refusal of the core was seen above, and tells the reader what to do', async (t) => {
  const codes = Object.values(CORE_FAILURES).map(({ code }) => code)
  for (const { code, status, message, hint } of Object.values(CORE_FAILURES)) {
    t.match(code, /^[A-Z]+(_[A-Z]+)*$/)
    t.ok(status >= 400 && status < 600)
    t.ok(message.length > 0 && hint.length > 0, code)
  }
  t.equal(new Set(codes).size, codes.length, 'codes are unique')
  t.same([...refusalsSeen].sort(), codes.sort())
})

t.test('every end reason was seen above', async (t) => {
  t.same([...reasonsSeen].sort(), [...END_REASONS].sort())
})
