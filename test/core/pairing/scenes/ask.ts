/** Questions and their answers: who gets which, and when. */
import type { Test } from 'tap'
import { answer, answerIdOf, asker, type FakeAsker, tryAnswer, tryAsker } from '../../fakes/ask.js'
import type { Bench } from '../../fakes/bench.js'
import type { FakeReceiver, FakeSender } from '../../fakes/sides.js'
import { FakeSink } from '../../fakes/sink.js'
import { refused, scene, whole } from './scene.js'

const serve = { serve: true } as const

const counts = (bench: Bench) => bench.table.get('a')?.ask

/** Answers what the worker has got, in full. */
function reply(bench: Bench, worker: FakeReceiver, bytes = 20): FakeSender {
  const sender = answer(bench, worker)
  sender.feed(bytes)
  sender.end()
  return sender
}

/** The worker answers, and who asked gets that. */
function serves(bench: Bench, worker: FakeReceiver, who: FakeAsker, t: Test, what = 'the answer'): void {
  const answered = reply(bench, worker)
  t.same(who.sink.bytes, whole(answered), what)
}

scene('an asker that comes first: its question waits unread, and its answer comes back to it', {}, (bench, t) => {
  const who = asker(bench, 'a')
  t.same(who.source.log, ['waiting'], 'nothing is read')
  t.same(counts(bench), { askers: 1, workers: 0, unanswered: 0 })
  const worker = bench.receiver('a', serve)
  t.equal(worker.sink.stream, who.stream)
  t.same(counts(bench), { askers: 0, workers: 0, unanswered: 1 })
  who.ask(100)
  t.same(worker.sink.bytes, whole(who))
  t.equal(who.source.ended, 'complete')
  t.same(who.sink.log, [], 'nothing of the answer has begun')
  t.equal(bench.table.unanswered, 1)
  t.equal(bench.table.waiting, 1)
  const answered = answer(bench, worker)
  t.equal(bench.table.unanswered, 0)
  t.same(counts(bench), { askers: 0, workers: 0, unanswered: 1 })
  answered.feed(50)
  answered.end()
  t.same(who.sink.bytes, whole(answered))
  t.same(who.sink.log, ['begin', 'finish'])
  t.same(answered.source.events, ['waiting', 'streaming', 'uploaded', 'end complete'])
  t.same(bench.observer.lines, [
    'waiting a',
    'paired a',
    'ended a complete',
    'waiting a',
    'paired a',
    'ended a complete',
  ])
})

scene('a worker that comes first', {}, (bench, t) => {
  const worker = bench.receiver('a', serve)
  t.same(counts(bench), { askers: 0, workers: 1, unanswered: 0 })
  const who = asker(bench, 'a', { onlyIfAwaited: true }).ask()
  t.same(worker.sink.bytes, whole(who))
  serves(bench, worker, who, t)
})

scene('questions and answers of nothing', {}, (bench, t) => {
  const who = asker(bench, 'a', { length: 0 })
  who.end()
  const worker = bench.receiver('a', serve)
  t.same(worker.sink.log, ['begin', 'finish'])
  answer(bench, worker, 0).end()
  t.same(who.sink.log, ['begin', 'finish'])
})

scene('three at once, answered in another order: each gets its own', { limits: { maxActive: 9 } }, (bench, t) => {
  const askers = [1, 2, 3].map(() => asker(bench, 'a').ask())
  const workers = askers.map(() => bench.receiver('a', serve))
  t.equal(new Set(workers.map(answerIdOf)).size, 3)
  t.same(counts(bench), { askers: 0, workers: 0, unanswered: 3 })
  for (const i of [2, 0, 1]) serves(bench, workers[i]!, askers[i]!, t)
})

scene(
  'one worker answers 10 000 askers that wait, in their order',
  { limits: limitsFor(10_000), maxSlabs: 20_000 },
  (bench, t) => {
    const askers: FakeAsker[] = Array.from({ length: 10_000 }, () => asker(bench, 'a'))
    refused(tryAsker(bench, 'a'), 'QUEUE_FULL', t)
    for (const who of askers) {
      const worker = bench.receiver('a', serve)
      if (worker.sink.stream !== who.stream) t.fail('out of order')
      who.ask(3)
      const answered = reply(bench, worker, 5)
      if (!who.sink.bytes.every((byte, i) => byte === whole(answered)[i]) || who.sink.received !== 5)
        t.fail('wrong answer')
    }
    t.equal(bench.table.get('a'), undefined)
  },
)

function limitsFor(sides: number) {
  return { maxQueued: sides, maxActive: sides, maxWaiting: sides + 1 }
}

scene('an answer may begin, and end, before the question has', {}, (bench, t) => {
  const who = asker(bench, 'a')
  const worker = bench.receiver('a', serve)
  who.feed(10)
  const answered = answer(bench, worker)
  answered.feed(30)
  t.equal(who.sink.received, 30)
  who.feed(10)
  t.equal(worker.sink.received, 20)
  answered.end()
  t.equal(who.sink.finished, true)
  t.same([who.source.ended, worker.sink.aborted], ['answered', 'answered'], 'nobody reads the rest')
})

scene('a question that has been read still gets to its worker when the answer is over', {}, (bench, t) => {
  const who = asker(bench, 'a')
  const worker = bench.receiver('a', { ...serve, room: 5 })
  who.ask(20)
  const answered = reply(bench, worker)
  t.same(who.sink.bytes, whole(answered))
  t.equal(worker.sink.aborted, undefined)
  worker.drain()
  t.same(worker.sink.bytes, whole(who))
  t.same([who.source.ended, answered.source.ended], ['complete', 'complete'])
})

scene('an answer flows as any stream: an asker that does not read holds its worker', {}, (bench, t) => {
  const who = asker(bench, 'a', { sink: new FakeSink(100) }).ask()
  const worker = bench.receiver('a', serve)
  const answered = answer(bench, worker)
  t.equal(answered.source.paused, false)
  answered.feed(100)
  t.equal(answered.source.paused, true)
  who.drain()
  t.equal(answered.source.paused, false)
  answered.end()
  t.same(who.sink.bytes, whole(answered))
})

scene('the name of an answer is good for one answer', {}, (bench, t) => {
  const who = asker(bench, 'a').ask()
  const worker = bench.receiver('a', serve)
  const answerId = answerIdOf(worker)
  refused(tryAnswer(bench, 'b', answerId), 'ANSWER_GONE', t)
  refused(tryAnswer(bench, 'a', 'answer-0'), 'ANSWER_GONE', t)
  const answered = answer(bench, worker)
  refused(tryAnswer(bench, 'a', answerId), 'ANSWER_GONE', t)
  answered.end()
  refused(tryAnswer(bench, 'a', answerId), 'ANSWER_GONE', t)
  t.equal(who.sink.finished, true)
})

scene(
  'a worker that is gone before anything has arrived: the next one gets the question, and another name',
  {},
  (bench, t) => {
    const who = asker(bench, 'a', { withinMs: 10_000 })
    const lost = bench.receiver('a', { ...serve, lags: true, finishesAtOnce: false })
    who.ask(30)
    const late = answerIdOf(lost)
    bench.pass(9000)
    lost.leave()
    t.same(counts(bench), { askers: 1, workers: 0, unanswered: 0 })
    t.same(who.source.events, ['waiting', 'receiver_joined', 'streaming', 'uploaded', 'given_back'])
    refused(tryAnswer(bench, 'a', late), 'ANSWER_GONE', t)
    bench.pass(9000)
    const worker = bench.receiver('a', serve)
    t.same(worker.sink.bytes, whole(who))
    bench.pass(9000)
    serves(bench, worker, who, t, 'its time for the answer began anew')
  },
)

scene('who answers has got the question, whatever is known to have arrived', {}, (bench, t) => {
  const who = asker(bench, 'a')
  const worker = bench.receiver('a', { ...serve, lags: true })
  who.feed(10)
  const answered = answer(bench, worker)
  worker.leave()
  t.equal(who.source.ended, 'receivers_left', 'it does not go to another one')
  answered.feed(5)
  answered.end()
  t.same(who.sink.bytes, whole(answered), 'an answer that has begun goes on')
})

scene('what a name for questions tells of itself and of its transfers', {}, (bench, t) => {
  const who = asker(bench, 'a')
  const worker = bench.receiver('a', serve)
  const name = bench.table.get('a')!
  t.match(name, { kind: 'ask', state: 'streaming', hasSender: true, transferId: '', queue: undefined })
  who.ask(10)
  t.match(name, { state: 'streaming', bytesIn: 10, bytesOut: 10 })
  t.same([...bench.table.all()], [], 'nothing streams while the worker thinks')
  const answered = answer(bench, worker)
  answered.feed(7)
  t.match([...bench.table.all()], [{ kind: 'ask', isAnswer: true, transferId: `transfer-${answered.stream}` }])
  t.match(name, { bytesIn: 17, bytesOut: 17 })
  const other = asker(bench, 'a')
  answered.end()
  t.match(name, { state: 'waiting', bytesIn: 17, bytesOut: 17, ask: { askers: 1, workers: 0, unanswered: 0 } })
  other.leave()
})

scene('a name is one thing at a time', {}, (bench, t) => {
  const who = asker(bench, 'a')
  const { text } = refused(bench.tryReceiver('a', { queue: true }), 'KIND_CLASH', t)
  t.match(text, /This name is a name for questions now, and this request asks for a queue\./)
  refused(bench.trySender('a'), 'KIND_CLASH', t)
  who.leave()
  const job = bench.sender('a', { queue: true })
  refused(tryAsker(bench, 'a'), 'KIND_CLASH', t)
  refused(bench.tryReceiver('a', serve), 'KIND_CLASH', t)
  job.leave()
})

scene('?now, and the places', {}, (bench, t) => {
  refused(tryAsker(bench, 'a', { onlyIfAwaited: true }), 'NOBODY_WAITING', t)
  const askers = [1, 2, 3].map(() => asker(bench, 'a'))
  t.match(refused(tryAsker(bench, 'a'), 'QUEUE_FULL', t).text, /^All 3 places for askers/)
  bench.table.endAll('shutting_down')
  for (const who of askers) t.equal(who.sink.aborted, 'shutting_down')
  const workers = [1, 2, 3].map(() => bench.receiver('a', serve))
  t.match(refused(bench.tryReceiver('a', serve), 'QUEUE_FULL', t).text, /^All 3 places for workers/)
  for (const worker of workers) worker.leave()
})

scene('askers that wait for their answer count among those who wait', {}, (bench, t) => {
  for (let i = 0; i < 4; i++) {
    asker(bench, 'a').ask()
    bench.receiver('a', serve)
  }
  refused(tryAsker(bench, 'a'), 'TOO_MANY_WAITING', t)
  refused(bench.trySender('b'), 'TOO_MANY_WAITING', t)
  bench.table.endAll('fault')
})
