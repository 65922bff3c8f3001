/** Questions and their answers: every way in which they end. */
import type { EndReason } from '../../../../core/index.js'
import { answer, answerIdOf, asker, tryAnswer } from '../../fakes/ask.js'
import type { Bench } from '../../fakes/bench.js'
import { refused, scene, whole } from './scene.js'

const serve = { serve: true } as const

scene('nobody there: the asker waits for as long as it says', {}, (bench, t) => {
  const who = asker(bench, 'a', { waitMs: 15_000 })
  bench.pass(15_000)
  t.same(who.source.events, ['waiting', 'still_waiting', 'end no_receivers'])
  t.same(who.sink.log, ['abort no_receivers'])
  const worker = bench.receiver('a', { ...serve, waitMs: 1000 })
  bench.pass(1000)
  t.equal(worker.sink.aborted, 'no_sender')
})

scene('no answer within the time: the asker is told, and the answer comes too late', {}, (bench, t) => {
  const who = asker(bench, 'a', { withinMs: 5000 }).ask()
  const worker = bench.receiver('a', serve)
  const answerId = answerIdOf(worker)
  bench.pass(4500)
  t.same(who.sink.log, [])
  bench.pass(500)
  t.same(who.sink.log, ['abort no_answer'])
  refused(tryAnswer(bench, 'a', answerId), 'ANSWER_GONE', t)
})

scene('the time for the answer runs while the question is still on its way', {}, (bench, t) => {
  const who = asker(bench, 'a', { withinMs: 5000 })
  const worker = bench.receiver('a', serve)
  who.feed(10)
  bench.pass(5000)
  t.same([who.source.ended, who.sink.aborted, worker.sink.aborted], ['no_answer', 'no_answer', 'no_answer'])
})

scene('an answer that has begun may take longer', {}, (bench, t) => {
  const who = asker(bench, 'a', { withinMs: 5000 }).ask()
  const answered = answer(bench, bench.receiver('a', serve))
  bench.pass(20_000)
  answered.feed(1)
  answered.end()
  t.same(who.sink.bytes, whole(answered))
})

// --- the worker is gone

scene('a worker that leaves with a part of the question', {}, (bench, t) => {
  const who = asker(bench, 'a')
  const worker = bench.receiver('a', serve)
  const other = bench.receiver('a', serve)
  who.feed(10)
  bench.pass(500)
  const answerId = answerIdOf(worker)
  worker.leave()
  t.same([who.source.ended, who.sink.aborted], ['receivers_left', 'receivers_left'])
  t.same(other.sink.log, [], 'at most once')
  refused(tryAnswer(bench, 'a', answerId), 'ANSWER_GONE', t)
  other.leave()
})

scene('a worker that leaves with the whole question cannot be seen to', {}, (bench, t) => {
  const who = asker(bench, 'a', { withinMs: 5000 }).ask()
  const worker = bench.receiver('a', serve)
  worker.leave()
  t.same(who.sink.log, [])
  bench.pass(5000)
  t.equal(who.sink.aborted, 'no_answer')
})

scene('a worker that leaves in the middle of its answer: cut', {}, (bench, t) => {
  const who = asker(bench, 'a').ask()
  const answered = answer(bench, bench.receiver('a', serve))
  answered.feed(10)
  answered.leave()
  t.same(who.sink.log, ['begin', 'abort sender_left'])
})

scene('an answer that breaks while the question is on its way ends that as well', {}, (bench, t) => {
  const breaks: Record<string, (answered: ReturnType<typeof answer>) => void> = {
    sender_left: (answered) => answered.leave(),
    broken_body: (answered) => answered.endpoint.broken(),
    fault: (answered) => answered.endpoint.fault(),
  }
  for (const [reason, happens] of Object.entries(breaks)) {
    const who = asker(bench, 'a')
    const worker = bench.receiver('a', serve)
    who.feed(10)
    const answered = answer(bench, worker)
    answered.feed(10)
    happens(answered)
    t.equal(who.sink.aborted, reason)
    t.same([who.source.ended, worker.sink.aborted], ['answered', 'answered'])
  }
})

scene('an answer of another length than it announced', {}, (bench, t) => {
  const who = asker(bench, 'a').ask()
  const answered = answer(bench, bench.receiver('a', serve), 20)
  answered.feed(10)
  answered.end()
  t.equal(who.sink.aborted, 'wrong_length')
})

scene('?take: a worker at which nothing arrives loses the question to the next one', {}, (bench, t) => {
  const who = asker(bench, 'a', { takeMs: 2000 })
  const frozen = bench.receiver('a', { ...serve, lags: true, finishesAtOnce: false })
  const worker = bench.receiver('a', serve)
  who.ask()
  bench.pass(3000)
  t.equal(frozen.sink.aborted, 'receivers_stalled')
  t.same(worker.sink.bytes, whole(who))
  answer(bench, worker).end()
})

// --- the asker is gone

scene('an asker that leaves while it waits is out', {}, (bench, t) => {
  const gone = asker(bench, 'a')
  const who = asker(bench, 'a')
  gone.leave()
  t.equal(bench.receiver('a', serve).sink.stream, who.stream)
  who.leave()
  t.same(
    bench.observer.lines.filter((line) => line.startsWith('ended')),
    ['ended a abandoned', 'ended a sender_left'],
  )
})

scene('an asker that leaves in the middle of its question', {}, (bench, t) => {
  const who = asker(bench, 'a')
  const worker = bench.receiver('a', serve)
  who.feed(10)
  const answerId = answerIdOf(worker)
  who.leave()
  t.same(worker.sink.log, ['begin', 'abort sender_left'])
  refused(tryAnswer(bench, 'a', answerId), 'ANSWER_GONE', t)
})

scene('an asker that leaves when all of its question has been read, and not all has been handed on', {}, (bench, t) => {
  const who = asker(bench, 'a')
  const worker = bench.receiver('a', { ...serve, room: 5 })
  who.ask(20)
  who.leave()
  t.equal(worker.sink.aborted, 'sender_left')
})

scene('an asker that leaves while its worker thinks: the answer comes too late', {}, (bench, t) => {
  const who = asker(bench, 'a').ask()
  const worker = bench.receiver('a', serve)
  const answerId = answerIdOf(worker)
  who.leave()
  t.equal(bench.table.get('a'), undefined, 'the name is free')
  refused(tryAnswer(bench, 'a', answerId), 'ANSWER_GONE', t)
})

for (const isWhole of [false, true]) {
  scene(
    `an asker that leaves in the middle of the answer, its question ${isWhole ? '' : 'not '}over`,
    {},
    (bench, t) => {
      const who = asker(bench, 'a')
      const worker = bench.receiver('a', serve)
      if (isWhole) who.ask()
      else who.feed(10)
      const answered = answer(bench, worker)
      answered.feed(10)
      who.leave()
      t.equal(answered.source.ended, 'receivers_left')
      t.equal(worker.sink.aborted, isWhole ? undefined : 'sender_left')
    },
  )
}

scene('a question that is broken takes its answer along', {}, (bench, t) => {
  for (const hasBegun of [false, true]) {
    const who = asker(bench, 'a')
    const worker = bench.receiver('a', serve)
    who.feed(10)
    const answered = hasBegun ? answer(bench, worker) : undefined
    who.endpoint.broken()
    t.same([who.sink.aborted, worker.sink.aborted], ['broken_body', 'broken_body'])
    t.equal(answered?.source.ended, hasBegun ? 'broken_body' : undefined)
  }
})

// --- limits, and the end of everything

scene('what is too large, on either way', {}, (bench, t) => {
  const who = asker(bench, 'a', { limits: { maxBytes: 15 } })
  bench.receiver('a', serve)
  who.feed(16)
  t.same([who.source.ended, who.sink.aborted], ['too_large', 'too_large'])
  const other = asker(bench, 'a', { limits: { maxBytes: 15 } }).ask()
  const answered = answer(bench, bench.receiver('a', serve))
  answered.feed(16)
  t.equal(other.sink.aborted, 'too_large')
})

scene('the most transfers at once hold for answers as well', { limits: { maxActive: 1 } }, (bench, t) => {
  const who = asker(bench, 'a').ask()
  const worker = bench.receiver('a', serve)
  const other = asker(bench, 'a')
  const busy = bench.receiver('a', serve)
  const answered = answer(bench, worker)
  t.same([answered.source.ended, who.sink.aborted], ['too_many_active', 'too_many_active'])
  other.ask()
  answer(bench, busy).end()
})

/** One ask in each of its states. */
function inEachState(bench: Bench) {
  const waiting = asker(bench, 'a')
  const thinking = waiting.ask()
  const thinker = bench.receiver('a', serve)
  const asking = asker(bench, 'a')
  bench.receiver('a', serve)
  asking.feed(5)
  const answering = asker(bench, 'a').ask()
  const answered = answer(bench, bench.receiver('a', serve))
  answered.feed(5)
  const alone = asker(bench, 'a')
  return { thinking, thinker, asking, answering, answered, alone }
}

scene('a shutdown: who waits is told, and a worker that has a question may answer it', {}, (bench, t) => {
  const { thinking, thinker, asking, answering, answered, alone } = inEachState(bench)
  bench.table.close()
  t.equal(alone.sink.aborted, 'shutting_down')
  t.same(
    [thinking, asking, answering].map(({ sink }) => sink.aborted),
    [undefined, undefined, undefined],
  )
  answer(bench, thinker).end()
  answered.end()
  t.same([thinking.sink.finished, answering.sink.finished], [true, true])
  bench.table.endAll('shutting_down')
  t.equal(asking.sink.aborted, 'shutting_down')
})

scene('everything ends at once, or is stopped by an operator', {}, (bench, t) => {
  const failure = { code: 'MY_REASON', status: 409, message: 'Not today.', hint: 'Come back.' }
  const ends: [EndReason, () => void][] = [
    ['shutting_down', () => bench.table.endAll('shutting_down')],
    ['stopped', () => t.equal(bench.table.stop('a', failure), true)],
  ]
  for (const [reason, end] of ends) {
    const { thinking, asking, answering, answered, alone } = inEachState(bench)
    end()
    const askers = [thinking, asking, answering, alone]
    t.same(
      askers.map(({ sink }) => sink.aborted),
      Array(4).fill(reason),
    )
    t.equal(answered.source.ended, reason)
  }
})

scene('a defect ends what it met, on either way', {}, (bench, t) => {
  const who = asker(bench, 'a')
  who.answer.fault()
  t.same([who.source.ended, who.sink.aborted], ['fault', 'fault'])
  const other = asker(bench, 'a').ask()
  bench.receiver('a', serve)
  other.answer.fault()
  t.equal(other.sink.aborted, 'fault')
})

scene('a defect with the response of a worker that is done with its question concerns nobody', {}, (bench, t) => {
  const who = asker(bench, 'a')
  const lost = bench.receiver('a', { ...serve, lags: true, finishesAtOnce: false })
  lost.leave()
  lost.endpoint.fault()
  t.equal(bench.table.get('a')?.ask?.askers, 1, 'given back, and not ended')
  const worker = bench.receiver('a', serve)
  who.ask()
  worker.endpoint.fault()
  t.same(who.sink.log, [], 'who asked waits on')
  answer(bench, worker).end()
  t.same(who.sink.log, ['begin', 'finish'])
})
