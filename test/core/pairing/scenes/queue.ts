/** Queues: each stream to exactly one receiver, first come, first served. */
import type { Bench } from '../../fakes/bench.js'
import type { FakeReceiver, FakeSender } from '../../fakes/sides.js'
import { refused, scene, whole } from './scene.js'

const job = { queue: true } as const

/** Sends its body, and is done. */
function send(sender: FakeSender, bytes = 10): FakeSender {
  sender.feed(bytes)
  sender.end()
  return sender
}

/** The number of the stream that this receiver has got, whole. */
function got({ sink }: FakeReceiver): number {
  return sink.finished ? sink.stream : Number.NaN
}

const counts = (bench: Bench) => bench.table.names().next().value?.queue

scene('senders wait in their order, unread, and each receiver takes the next one', {}, (bench, t) => {
  const senders = [1, 2, 3].map(() => bench.sender('a', job))
  for (const { source } of senders) t.same(source.log, ['waiting'], 'nothing is read')
  t.match(counts(bench), { senders: 3, receivers: 0, running: 0 })
  t.equal(bench.table.waiting, 3)
  for (const [i, sender] of senders.entries()) {
    const receiver = bench.receiver('a', job)
    t.equal(receiver.sink.stream, sender.stream, 'the one that came first')
    t.match(counts(bench), { senders: 2 - i, receivers: 0, running: 1 })
    send(sender)
    t.same(sender.source.events, ['waiting', 'receiver_joined', 'streaming', 'uploaded', 'end complete'])
    t.same(receiver.sink.log, ['begin', 'finish'])
    t.same(receiver.sink.bytes, whole(sender))
  }
  t.same(
    bench.observer.lines.filter((line) => !line.startsWith('waiting')),
    ['paired a', 'ended a complete', 'paired a', 'ended a complete', 'paired a', 'ended a complete'],
  )
})

scene('receivers wait in their order, and each sender goes to the next one', {}, (bench, t) => {
  const receivers = [1, 2, 3].map(() => bench.receiver('a', job))
  t.match(counts(bench), { senders: 0, receivers: 3, running: 0 })
  t.equal(bench.table.waiting, 3)
  t.same(bench.observer.lines, [], 'a receiver that only waits is no transfer')
  const senders = receivers.map(() => bench.sender('a', job))
  t.equal(bench.table.streaming, 3, 'all at once')
  t.same(
    receivers.map(({ sink }) => sink.stream),
    senders.map(({ stream }) => stream),
  )
  for (const sender of senders.toReversed()) send(sender)
  t.same(
    receivers.map(got),
    senders.map(({ stream }) => stream),
  )
})

scene('64 workers and 64 producers: nobody is passed over', { limits: limitsFor(64) }, (bench, t) => {
  const order: number[] = []
  const workers = Array.from({ length: 64 }, () => bench.receiver('a', job))
  for (let round = 0; round < 20; round++) {
    const producers = workers.map(() => bench.sender('a', job))
    // Those who are done come again, in the order in which they are.
    for (const [i, producer] of producers.entries()) {
      send(producer)
      t.equal(got(workers[i]!), producer.stream, `round ${round}`)
      order.push(workers[i]!.sink.stream)
      workers[i] = bench.receiver('a', job)
    }
  }
  t.same(
    order,
    [...order].sort((a, b) => a - b),
    'first come, first served',
  )
  for (const worker of workers) worker.leave()
})

function limitsFor(sides: number) {
  return { maxQueued: sides, maxActive: sides, maxWaiting: 2 * sides }
}

scene('each match is a transfer of its own, with its own id', {}, (bench, t) => {
  const senders = [bench.sender('a', job), bench.sender('a', job)]
  const receivers = [bench.receiver('a', job), bench.receiver('a', job)]
  const views = [...bench.table.all()]
  t.same(
    views.map(({ kind, transferId, state }) => [kind, transferId, state]),
    [
      ['queue', 'transfer-0', 'streaming'],
      ['queue', 'transfer-1', 'streaming'],
    ],
  )
  t.not(views[0]!.id, views[1]!.id)
  const name = bench.table.get('a')!
  t.match(name, { kind: 'queue', state: 'streaming', hasSender: true, transferId: '', receiversPresent: 2 })
  senders[0]!.feed(10)
  senders[1]!.feed(5)
  t.match(name, { bytesIn: 0, bytesOut: 0 }, 'what may be given back does not count')
  bench.pass(500)
  t.match(name, { bytesIn: 15, bytesOut: 15 })
  senders[0]!.end()
  t.match(name, { bytesIn: 15, bytesOut: 15, queue: { senders: 0, receivers: 0, running: 1 } })
  senders[1]!.leave()
  t.equal(receivers[1]!.sink.aborted, 'sender_left', 'it has begun, and does not go to another one')
})

scene('who leaves while it waits is out at once', {}, (bench, t) => {
  const receivers = [1, 2, 3].map(() => bench.receiver('a', job))
  receivers[1]!.leave()
  receivers[0]!.leave()
  const sender = bench.sender('a', job)
  t.equal(receivers[2]!.sink.stream, sender.stream)
  const others = [1, 2, 3].map(() => bench.sender('a', job))
  others[0]!.leave()
  others[2]!.leave()
  const next = bench.receiver('a', job)
  t.equal(next.sink.stream, others[1]!.stream)
  send(sender)
  send(others[1]!)
  t.same(bench.observer.lines.filter((line) => line.endsWith('abandoned')).length, 2)
})

scene('who is seen to be gone gets nothing, and keeps its place in case that it is not', {}, (bench, t) => {
  const doubtful = bench.receiver('a', job)
  const good = bench.receiver('a', job)
  doubtful.sink.here = false
  const first = bench.sender('a', job)
  t.equal(good.sink.stream, first.stream)
  const second = bench.sender('a', job)
  t.same(doubtful.sink.log, [], 'nothing for it yet')
  t.same(second.source.log, ['waiting'])
  t.equal(bench.trySender('a', { ...job, onlyIfAwaited: true }) instanceof bench.core.Refusal, true)
  bench.pass(1000)
  t.same(doubtful.sink.log, [])
  doubtful.sink.here = true
  bench.pass(500)
  t.equal(doubtful.sink.stream, second.stream, 'it is looked at again')
  send(first)
  send(second)
})

scene('a dead one that was passed over leaves, and the sender waits on', {}, (bench, t) => {
  const dead = bench.receiver('a', job)
  dead.sink.here = false
  const sender = bench.sender('a', job)
  dead.leave()
  t.same(sender.source.log, ['waiting'])
  t.equal(bench.receiver('a', job).sink.stream, sender.stream)
  send(sender)
})

scene('each waits for its own time', {}, (bench, t) => {
  const patient = bench.receiver('a', { ...job, waitMs: 60_000 })
  const hasty = bench.receiver('a', { ...job, waitMs: 1000 })
  bench.pass(1000)
  t.same([hasty.sink.aborted, patient.sink.aborted], ['no_sender', undefined])
  patient.leave()
  const sender = bench.sender('a', { ...job, waitMs: 15_000 })
  const other = bench.sender('a', job)
  bench.pass(15_000)
  t.same(sender.source.events, ['waiting', 'still_waiting', 'end no_receivers'])
  t.equal(bench.receiver('a', job).sink.stream, other.stream)
  send(other)
})

scene('?now: only if somebody of the other side waits', {}, (bench, t) => {
  const now = { ...job, onlyIfAwaited: true }
  refused(bench.trySender('a', now), 'NOBODY_WAITING', t)
  refused(bench.tryReceiver('a', now), 'NOBODY_WAITING', t)
  const sender = bench.sender('a', job)
  refused(bench.trySender('a', now), 'NOBODY_WAITING', t)
  t.equal(bench.receiver('a', now).sink.stream, sender.stream)
  refused(bench.tryReceiver('a', now), 'NOBODY_WAITING', t)
  bench.receiver('a', job)
  send(bench.sender('a', now))
  send(sender)
})

scene('the places of each side are limited, and who does not have to wait needs none', {}, (bench, t) => {
  const receivers = [1, 2, 3].map(() => bench.receiver('a', job))
  const full = refused(bench.tryReceiver('a', job), 'QUEUE_FULL', t)
  t.match(full.text, /^All 3 places for receivers that wait on this queue are taken\./)
  const running = receivers.map(() => bench.sender('a', job))
  for (let i = 0; i < 3; i++) bench.sender('a', job)
  t.match(refused(bench.trySender('a', job), 'QUEUE_FULL', t).text, /^All 3 places for senders/)
  bench.table.endAll('shutting_down')
  t.equal(running[0]!.source.ended, 'shutting_down')
})

scene('all names together have their limit, in which waiting receivers count', {}, (bench, t) => {
  for (let i = 0; i < 3; i++) bench.receiver('a', job)
  bench.receiver('b', job)
  refused(bench.tryReceiver('b', job), 'TOO_MANY_WAITING', t)
  refused(bench.trySender('c', job), 'TOO_MANY_WAITING', t)
  t.equal(bench.sender('b', job).source.paused, false, 'it does not wait')
  bench.table.endAll('fault')
})

scene('a name is one thing at a time', {}, (bench, t) => {
  const sender = bench.sender('a', job)
  const text = refused(bench.tryReceiver('a'), 'KIND_CLASH', t).text
  t.match(text, /This name is a queue now, and this request asks for a pipe\./)
  refused(bench.trySender('a'), 'KIND_CLASH', t)
  refused(bench.tryReceiver('a', { orLive: true }), 'KIND_CLASH', t)
  refused(bench.tryReceiver('a', { live: {} }), 'KIND_CLASH', t)
  const receiver = bench.receiver('a', job)
  refused(bench.tryReceiver('a'), 'KIND_CLASH', t)
  send(sender)
  t.equal(receiver.sink.finished, true)
  t.equal(bench.table.get('a'), undefined, 'free with the last who goes')
  const pipe = bench.sender('a')
  refused(bench.tryReceiver('a', job), 'KIND_CLASH', t)
  refused(bench.trySender('a', job), 'KIND_CLASH', t)
  pipe.leave()
})

scene('the most transfers at once hold for queues as well', {}, (bench, t) => {
  const running = [1, 2, 3].map(() => [bench.receiver('a', job), bench.sender('a', job)] as const)
  const receiver = bench.receiver('a', job)
  t.equal(bench.sender('a', job).source.ended, 'too_many_active')
  t.equal(receiver.sink.aborted, 'too_many_active')
  for (const [, sender] of running) send(sender)
})

scene('a shutdown: who waits is told, what runs goes on', {}, (bench, t) => {
  const running = [bench.receiver('a', job), bench.sender('a', job)] as const
  const waiting = bench.sender('a', job)
  const idle = bench.receiver('b', job)
  bench.table.close()
  t.same([waiting.source.ended, idle.sink.aborted], ['shutting_down', 'shutting_down'])
  refused(bench.tryReceiver('a', job), 'SHUTTING_DOWN', t)
  send(running[1])
  t.equal(got(running[0]), running[1].stream)
})

scene('an operator stops all of it', {}, (bench, t) => {
  const failure = { code: 'MY_REASON', status: 409, message: 'Not today.', hint: 'Come back.' }
  const [receiver, running] = [bench.receiver('a', job), bench.sender('a', job)]
  const waiting = bench.sender('a', job)
  const alone = bench.receiver('b', job)
  t.equal(bench.table.stop('a', failure), true)
  t.equal(bench.table.stop('b', failure), true)
  t.same([receiver.sink.aborted, running.source.ended, waiting.source.ended], ['stopped', 'stopped', 'stopped'])
  t.equal(alone.sink.aborted, 'stopped')
})

scene('a sender whose head comes later keeps its place and holds nobody up', {}, (bench, t) => {
  const form = bench.sender('a', { ...job, headLater: true })
  const plain = bench.sender('a', job)
  const first = bench.receiver('a', job)
  t.equal(first.sink.stream, plain.stream)
  const second = bench.receiver('a', job)
  t.same(second.sink.log, [])
  form.open()
  t.equal(second.sink.stream, form.stream)
  send(form)
  send(plain)
})

scene('a part of what comes cannot be had', {}, (bench, t) => {
  const receiver = bench.receiver('a', { ...job, offset: 50 })
  const sender = bench.sender('a', { ...job, length: 20 })
  t.equal(receiver.sink.refused, undefined)
  send(sender, 20)
  t.same(receiver.sink.bytes, whole(sender))
})

scene('a defect ends what it met, and nothing else', {}, (bench, t) => {
  const waiting = bench.receiver('a', job)
  waiting.endpoint.fault()
  t.equal(waiting.sink.aborted, 'fault')
  waiting.endpoint.fault()
  const [receiver, sender] = [bench.receiver('a', job), bench.sender('a', job)]
  const other = bench.sender('a', job)
  receiver.endpoint.fault()
  t.same([receiver.sink.aborted, sender.source.ended, other.source.ended], ['fault', 'fault', undefined])
  other.leave()
})

scene('many come and go: nothing is left of them', { limits: limitsFor(50) }, (bench, t) => {
  for (let i = 0; i < 500; i++) {
    const workers = Array.from({ length: i % 5 }, () => bench.receiver('a', job))
    const producers = Array.from({ length: i % 7 }, () => bench.sender('a', job))
    for (const worker of workers.slice(0, i % 3)) worker.leave()
    for (const producer of producers.slice(i % 4)) producer.leave()
    bench.table.endAll('shutting_down')
  }
  t.equal(bench.table.get('a'), undefined)
})
