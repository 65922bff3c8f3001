/** The life of a topic, scene by scene; at the end, that every refusal of its own was seen. */
import t from 'tap'
import { Refusal, TOPIC_FAILURES } from '../../../core/index.js'
import { refusalsSeen, refused, scene } from '../pairing/scenes/scene.js'
import { encodings, NUMBERED, publish, stay, subscribe, TestPublisher, trySubscribe } from './sides.js'

const SMALL = { limits: { windowBytes: 20 } }
const topicOf = (bench: Parameters<typeof subscribe>[0], key = 'a') => bench.table.get(key)?.topic

scene('who is there gets every message, and who comes later what comes later', {}, (bench, t) => {
  const early = subscribe(bench, 'a')
  t.equal(publish(bench, 'a', 'one').subscribers, 1)
  const late = subscribe(bench, 'a')
  t.equal(publish(bench, 'a', 'two').subscribers, 2)
  t.same([early.text, late.text], ['one\ntwo\n', 'two\n'])
  t.match(bench.table.get('a'), { kind: 'topic', state: 'streaming', bytesIn: 6, bytesSent: 12, receiversPresent: 2 })
  t.same(topicOf(bench), { subscribers: 2, peak: 2, publishers: 0, waiting: 0, messages: 2, cuts: 0 })
  early.leave()
  t.equal(publish(bench, 'a', 'three').subscribers, 1)
  late.leave()
  t.equal(bench.lastReason, 'complete')
  t.same(bench.observer.lines, ['waiting a', 'paired a', 'ended a complete'])
})

scene('a message that nobody hears and that waits for nobody leaves no trace', {}, (bench, t) => {
  t.equal(publish(bench, 'a', 'one').subscribers, 0)
  t.same(bench.observer.lines, [])
})

scene('an empty message is a message, and one longer than any window as well', SMALL, (bench, t) => {
  const subscriber = subscribe(bench, 'a')
  const body = 'x'.repeat(200)
  for (const text of ['', body]) t.equal(publish(bench, 'a', text).subscribers, 1)
  t.equal(subscriber.text, `\n${body}\n`)
  subscriber.leave()
})

scene('each format is encoded once for all who want it, and all have one order', {}, (bench, t) => {
  const four = [subscribe(bench, 'a'), subscribe(bench, 'a'), subscribe(bench, 'a', { encoding: NUMBERED })]
  four.push(subscribe(bench, 'a', { encoding: NUMBERED }))
  const before = encodings.count
  for (const text of ['a', 'b', 'c']) publish(bench, 'a', text)
  t.equal(encodings.count - before, 6)
  t.same(
    four.map(({ text }) => text),
    ['a\nb\nc\n', 'a\nb\nc\n', '<1:a;2:b;3:c;', '<1:a;2:b;3:c;'],
  )
  four.shift()!.leave()
  const late = subscribe(bench, 'a', { encoding: NUMBERED })
  publish(bench, 'a', 'd')
  t.equal(late.text, '<4:d;')
  for (const each of [...four, late]) each.leave()
})

scene('what is behind is kept once, whoever is how far; and each goes on where it was', {}, (bench, t) => {
  const [one, two, three] = [
    subscribe(bench, 'a', { room: 0 }),
    subscribe(bench, 'a', { room: 3 }),
    subscribe(bench, 'a'),
  ]
  for (const text of ['abcdefg', 'hijklmn']) t.equal(publish(bench, 'a', text).subscribers, 3)
  t.same([one.text, two.text, three.text], ['', 'abc', 'abcdefg\nhijklmn\n'])
  t.ok(bench.slabs.heldBytes <= 64 + 8, 'in one slab, and one message of its own size')
  two.drain(2)
  one.drain(10)
  t.same([one.text, two.text], ['abcdefg\nhi', 'abcde'])
  two.drain()
  t.equal(bench.slabs.heldBytes, 64)
  one.drain()
  t.equal(bench.slabs.heldBytes, 0)
  t.same([one.text, two.text, three.text], Array(3).fill('abcdefg\nhijklmn\n'))
  for (const each of [one, two, three]) each.leave()
})

scene('all who are at the same place get the same view', {}, (bench, t) => {
  const many = Array.from({ length: 4 }, () => subscribe(bench, 'a', { room: 0 }))
  publish(bench, 'a', 'one')
  for (const each of many) each.drain()
  t.equal(new Set(many.map(({ sink }) => sink.lastMemory)).size, 1)
  for (const each of many) each.leave()
})

scene(
  'hold: a message waits while somebody is a window behind, and with it all that follow, in order',
  SMALL,
  (bench, t) => {
    const slow = subscribe(bench, 'a', { room: 0 })
    const fast = subscribe(bench, 'a')
    // Within a window and one message.
    t.equal(publish(bench, 'a', '0123456789').subscribers, 2)
    t.equal(publish(bench, 'a', 'abcdefghij').subscribers, 2)
    const held = ['k', 'l', 'm'].map((text) => publish(bench, 'a', text))
    t.same(
      held.map(({ waits }) => waits),
      [true, true, true],
    )
    t.match(topicOf(bench), { waiting: 3, messages: 2 })
    t.equal(bench.table.get('a')!.hasSender, true)
    bench.now += 500
    t.equal(fast.text, '0123456789\nabcdefghij\n')
    slow.drain(5)
    t.same(
      held.map(({ subscribers }) => subscribers),
      [2, 2, undefined],
      'there was room for two',
    )
    fast.leave()
    t.equal(held[2]!.waits, true)
    slow.drain()
    t.equal(held[2]!.subscribers, 1)
    t.equal(slow.text, '0123456789\nabcdefghij\nk\nl\nm\n')
    t.equal(bench.table.get('a')!.heldBackMs, 500)
    slow.leave()
  },
)

scene(
  'a held message goes when the one that held it leaves; with nobody left it has reached nobody',
  SMALL,
  (bench, t) => {
    const slow = subscribe(bench, 'a', { room: 0 })
    const [first, second] = ['0123456789012345678901', 'b'].map((text) => publish(bench, 'a', text)) as [
      TestPublisher,
      TestPublisher,
    ]
    const picky = publish(bench, 'a', 'c', { min: 1, waitMs: 1000 })
    t.same([first.subscribers, second.waits, picky.waits], [1, true, true])
    slow.leave()
    t.equal(second.subscribers, 0)
    t.equal(picky.waits, true, 'it waits for somebody now')
    t.equal(bench.table.get('a')?.hasSender, true)
    const next = subscribe(bench, 'a')
    t.equal(picky.subscribers, 1)
    t.equal(next.text, 'c\n')
    next.leave()
  },
)

scene(
  'a message is held no longer than its wait; then nobody gets it, and the others keep their order',
  SMALL,
  (bench, t) => {
    const slow = subscribe(bench, 'a', { room: 0 })
    publish(bench, 'a', 'x'.repeat(30))
    const short = publish(bench, 'a', 'short', { waitMs: 1000 })
    const long = publish(bench, 'a', 'long', { waitMs: 60_000 })
    bench.pass(1000)
    refused(short.refusal, 'HELD_TOO_LONG', t)
    t.equal(long.waits, true)
    slow.drain()
    t.equal(long.subscribers, 1)
    t.equal(slow.text, `${'x'.repeat(30)}\nlong\n`)
    slow.leave()
  },
)

scene('a publisher that goes takes its message along', SMALL, (bench, t) => {
  const slow = subscribe(bench, 'a', { room: 0 })
  publish(bench, 'a', 'x'.repeat(30))
  const [gone, stays] = ['gone', 'stays'].map((text) => publish(bench, 'a', text)) as [TestPublisher, TestPublisher]
  gone.publication!.withdraw()
  gone.publication!.withdraw()
  slow.drain()
  t.same([gone.calls, stays.subscribers], [0, 1])
  t.notMatch(slow.text, /gone/)
  slow.leave()
})

scene('min: a message waits for subscribers, holds nobody up, and times out', {}, (bench, t) => {
  const two = publish(bench, 'a', 'for two', { min: 2 })
  const one = publish(bench, 'a', 'for one', { min: 1 })
  t.match(bench.table.get('a'), { state: 'waiting', hasSender: true, kind: 'topic' })
  t.equal(publish(bench, 'a', 'for none').subscribers, 0)
  const first = subscribe(bench, 'a')
  t.same([one.subscribers, two.waits], [1, true])
  const second = subscribe(bench, 'a')
  t.same([first.text, second.text, two.subscribers], ['for one\nfor two\n', 'for two\n', 2])
  first.leave()
  second.leave()
  const late = publish(bench, 'b', 'x', { min: 1, waitMs: 1000 })
  bench.pass(1000)
  t.equal(late.reason, 'no_receivers')
  t.equal(bench.lastReason, 'no_receivers')
  const gone = publish(bench, 'b', 'x', { min: 1 })
  gone.publication!.withdraw()
  t.equal(bench.lastReason, 'abandoned')
})

scene('now: only if the other side is there', {}, (bench, t) => {
  refused(publish(bench, 'a', 'x', { onlyIfAwaited: true }).refusal, 'NOBODY_WAITING', t)
  refused(publish(bench, 'a', 'x', { onlyIfAwaited: true, min: 1 }).refusal, 'NOBODY_WAITING', t)
  refused(trySubscribe(bench, 'a', { onlyIfAwaited: true }), 'NOBODY_WAITING', t)
  const waits = publish(bench, 'a', 'x', { min: 1 })
  refused(publish(bench, 'a', 'y', { onlyIfAwaited: true }).refusal, 'NOBODY_WAITING', t)
  const subscriber = subscribe(bench, 'a', { onlyIfAwaited: true })
  t.equal(waits.subscribers, 1)
  refused(trySubscribe(bench, 'a', { onlyIfAwaited: true }), 'NOBODY_WAITING', t)
  t.equal(publish(bench, 'a', 'y', { onlyIfAwaited: true }).subscribers, 1)
  refused(publish(bench, 'a', 'z', { onlyIfAwaited: true, min: 2 }).refusal, 'NOBODY_WAITING', t)
  subscriber.leave()
})

scene(
  'cut: who is a window behind is cut, the publisher never waits, and the others miss nothing',
  SMALL,
  (bench, t) => {
    const slow = [subscribe(bench, 'a', { room: 0 }), subscribe(bench, 'a', { room: 5 })]
    const fast = subscribe(bench, 'a')
    publish(bench, 'a', 'x'.repeat(30))
    const held = publish(bench, 'a', 'held')
    const cutting = publish(bench, 'a', 'cut', { slow: 'cut' })
    t.same([held.waits, cutting.waits], [true, true], 'nobody has been served in this turn')
    for (const each of slow) each.drain(0)
    t.same([held.subscribers, cutting.subscribers], [1, 1], 'first come, first served')
    for (const { sink } of slow) t.equal(sink.aborted, 'fell_behind')
    t.equal(fast.text, `${'x'.repeat(30)}\nheld\ncut\n`)
    t.match(topicOf(bench), { cuts: 2, subscribers: 1, peak: 3, messages: 3 })
    fast.leave()
  },
)

scene(
  'cut: thousands who are behind are cut at once, and are not counted among those who have the message',
  {
    limits: { windowBytes: 20, topic: { maxSubscribers: 10_000, slow: 'hold', stallMs: 0, silenceMs: 15_000 } },
    turn: [Number.POSITIVE_INFINITY],
  },
  (bench, t) => {
    const slow = Array.from({ length: 5000 }, () => subscribe(bench, 'a', { room: 5 }))
    const slowest = subscribe(bench, 'a', { room: 0 })
    const fast = subscribe(bench, 'a')
    for (const letter of ['x', 'y']) publish(bench, 'a', letter.repeat(10))
    slowest.drain(0)
    const held = publish(bench, 'a', 'held')
    // The slowest is cut for it, and with what was held all others are behind.
    const cutting = publish(bench, 'a', 'cut', { slow: 'cut' })
    t.same([held.subscribers, cutting.waits], [5001, true])
    bench.pass(1000)
    t.equal(cutting.subscribers, 1)
    t.equal(slow.filter(({ sink }) => sink.aborted === 'fell_behind').length, slow.length)
    t.match(topicOf(bench), { cuts: 5001, subscribers: 1, messages: 4 })
    t.equal(fast.text, `${'x'.repeat(10)}\n${'y'.repeat(10)}\nheld\ncut\n`)
    fast.leave()
  },
)

scene('cut: a message that has waited for somebody waits for nobody else', SMALL, (bench, t) => {
  const slow = subscribe(bench, 'a', { room: 0 })
  const picky = publish(bench, 'a', 'for two', { min: 2, slow: 'cut' })
  publish(bench, 'a', 'x'.repeat(30))
  slow.drain(0)
  const second = subscribe(bench, 'a')
  t.same([slow.sink.aborted, picky.waits], ['fell_behind', true], 'the one that is behind is no second one')
  const third = subscribe(bench, 'a')
  t.equal(picky.subscribers, 2)
  t.same([second.text, third.text], ['for two\n', 'for two\n'])
  for (const each of [second, third]) each.leave()
})

scene('cut: who is behind is cut for the message that says so, and not for one behind it', SMALL, (bench, t) => {
  const [slow, other] = [subscribe(bench, 'a', { room: 0 }), subscribe(bench, 'a', { room: 30 })]
  publish(bench, 'a', 'a'.repeat(24))
  const urgent = publish(bench, 'a', 'b'.repeat(24), { slow: 'cut' })
  const patient = publish(bench, 'a', 'c')
  bench.advance(1)
  t.same([slow.sink.aborted, urgent.subscribers], ['fell_behind', 1])
  bench.pass(3000)
  t.same([other.sink.aborted, patient.waits], [undefined, true])
  other.drain()
  t.equal(patient.subscribers, 1)
  other.leave()
})

scene('cut: a message that has been withdrawn cuts nobody any more', SMALL, (bench, t) => {
  const slow = subscribe(bench, 'a', { room: 0 })
  publish(bench, 'a', 'a'.repeat(24))
  const patient = publish(bench, 'a', 'b')
  publish(bench, 'a', 'c', { slow: 'cut' }).publication!.withdraw()
  bench.advance(500)
  t.same([slow.sink.aborted, patient.waits], [undefined, true])
  slow.drain()
  t.equal(slow.text, `${'a'.repeat(24)}\nb\n`)
  slow.leave()
})

scene('cut: who has taken nothing since the last tick has been served, even if nobody says so', SMALL, (bench, t) => {
  const [slow, fast] = [subscribe(bench, 'a', { room: 0 }), subscribe(bench, 'a')]
  publish(bench, 'a', 'x'.repeat(30))
  const cutting = publish(bench, 'a', 'cut', { slow: 'cut' })
  t.equal(cutting.waits, true)
  bench.advance(1)
  t.same([cutting.subscribers, slow.sink.aborted], [1, 'fell_behind'])
  fast.leave()
})

scene('cut: when nobody is left the topic is over, and one that wanted somebody waits', SMALL, (bench, t) => {
  const slow = subscribe(bench, 'a', { room: 0 })
  publish(bench, 'a', 'x'.repeat(30))
  slow.drain(0)
  t.equal(publish(bench, 'a', 'y', { slow: 'cut' }).subscribers, 0)
  t.equal(slow.sink.aborted, 'fell_behind')
  t.equal(bench.lastReason, 'complete')
  const other = subscribe(bench, 'a', { room: 0 })
  publish(bench, 'a', 'x'.repeat(30))
  other.drain(0)
  const picky = publish(bench, 'a', 'y', { slow: 'cut', min: 1, waitMs: 1000 })
  t.equal(other.sink.aborted, 'fell_behind')
  t.equal(picky.waits, true)
  bench.pass(1000)
  t.equal(picky.reason, 'no_receivers')
})

scene(
  'cut can be what the configuration says, and a publisher may hold all the same',
  { limits: { windowBytes: 20, topic: { maxSubscribers: 4, slow: 'cut', stallMs: 0, silenceMs: 15_000 } } },
  (bench, t) => {
    const slow = subscribe(bench, 'a', { room: 0 })
    publish(bench, 'a', 'x'.repeat(30))
    slow.drain(0)
    const held = publish(bench, 'a', 'y', { slow: 'hold' })
    t.equal(held.waits, true)
    t.equal(publish(bench, 'a', 'z').subscribers, 0)
    t.same([held.subscribers, slow.sink.aborted], [0, 'fell_behind'])
  },
)

scene(
  'a subscriber that takes nothing for the stall limit is cut, and who has nothing to take is not',
  { limits: { windowBytes: 20, topic: { maxSubscribers: 4, slow: 'hold', stallMs: 3000, silenceMs: 15_000 } } },
  (bench, t) => {
    const [slow, fast] = [subscribe(bench, 'a', { room: 0 }), subscribe(bench, 'a')]
    bench.pass(10_000)
    t.equal(slow.sink.aborted, undefined)
    publish(bench, 'a', 'x'.repeat(30))
    const held = publish(bench, 'a', 'y')
    bench.pass(2000)
    slow.drain(1)
    bench.pass(3000)
    t.equal(slow.sink.aborted, undefined, 'it has taken a byte')
    bench.pass(2000)
    t.equal(slow.sink.aborted, 'receivers_stalled')
    t.same([held.subscribers, fast.sink.aborted], [1, undefined])
    fast.leave()
  },
)

scene('silence is told to those who can hear it and have read the rest', {}, (bench, t) => {
  const [lines, numbered] = [subscribe(bench, 'a'), subscribe(bench, 'a', { encoding: NUMBERED })]
  bench.pass(14_000)
  t.equal(numbered.text, '<')
  bench.pass(1000)
  t.same([lines.text, numbered.text], ['', '<~'])
  numbered.sink.room = 0
  publish(bench, 'a', 'x')
  bench.pass(60_000)
  t.equal(numbered.text, '<~')
  numbered.drain()
  bench.pass(15_000)
  t.equal(numbered.text, '<~1:x;~')
  for (const each of [lines, numbered]) each.leave()
})

scene('silence counts from the last message, and not from the last look', {}, (bench, t) => {
  const numbered = subscribe(bench, 'a', { encoding: NUMBERED })
  bench.pass(1000)
  publish(bench, 'a', 'x')
  bench.pass(14_000)
  t.equal(numbered.text, '<1:x;')
  bench.pass(1000)
  t.equal(numbered.text, '<1:x;~')
  bench.pass(15_000)
  t.equal(numbered.text, '<1:x;~~')
  numbered.leave()
})

scene('an opening comes first, whatever is published meanwhile', {}, (bench, t) => {
  const subscriber = subscribe(bench, 'a', { encoding: NUMBERED, room: 0 })
  publish(bench, 'a', 'x')
  t.equal(subscriber.text, '')
  subscriber.drain()
  t.equal(subscriber.text, '<1:x;')
  subscriber.leave()
})

scene('the places for subscribers, and for topics; another kind of name', { limits: { maxWaiting: 2 } }, (bench, t) => {
  const four = Array.from({ length: 4 }, () => subscribe(bench, 'a'))
  refused(trySubscribe(bench, 'a'), 'SUBSCRIBERS_FULL', t)
  four.pop()!.leave()
  four.push(subscribe(bench, 'a'))
  const other = subscribe(bench, 'b')
  refused(trySubscribe(bench, 'c'), 'TOO_MANY_TOPICS', t)
  refused(publish(bench, 'c', 'x', { min: 1 }).refusal, 'TOO_MANY_TOPICS', t)
  other.leave()
  for (const attempt of [bench.trySender('a'), bench.tryReceiver('a'), bench.trySender('a', { live: {} })]) {
    const { text } = refused(attempt, 'KIND_CLASH', t)
    t.match(text, /^This name is a topic now/)
  }
  const waiting = bench.receiver('d')
  for (const attempt of [
    trySubscribe(bench, 'd'),
    publish(bench, 'd', 'x').refusal,
    publish(bench, 'd', 'x', { min: 1 }).refusal,
    bench.table.topics.stay('d', { newTransferId: () => '' }, new TestPublisher()),
  ]) {
    const { text } = refused(attempt, 'KIND_CLASH', t)
    t.match(text, /^This name is a pipe now, and this request asks for a topic\./)
  }
  waiting.leave()
  for (const each of four) each.leave()
  bench.receiver('a').leave()
})

scene('a publisher that stays holds the name, and is told when the topic is over', {}, (bench, t) => {
  const leave = stay(bench, 'a')
  t.match(bench.table.get('a'), { kind: 'topic', state: 'waiting', hasSender: true })
  refused(bench.tryReceiver('a'), 'KIND_CLASH', t)
  const subscriber = subscribe(bench, 'a')
  publish(bench, 'a', 'x')
  subscriber.leave()
  t.equal(bench.table.get('a')?.hasSender, true)
  leave()
  leave()
  t.equal(bench.lastReason, 'complete')
  stay(bench, 'a')()
  t.equal(bench.lastReason, 'abandoned')
  const told = new TestPublisher()
  stay(bench, 'a', told)
  bench.table.stop('a', { code: 'X', status: 400, message: 'Enough.', hint: '' })
  t.equal(told.reason, 'stopped')
})

scene(
  'one that publishes the next message as soon as the one before is delivered goes to the end of the queue',
  SMALL,
  (bench, t) => {
    const slow = subscribe(bench, 'a', { room: 0 })
    publish(bench, 'a', 'x'.repeat(30))
    const first = publish(bench, 'a', 'a1')
    let next: TestPublisher | undefined
    first.onDelivered = () => {
      next = publish(bench, 'a', 'a2')
    }
    const other = publish(bench, 'a', 'b1')
    slow.drain()
    t.match(slow.text, /\na1\nb1\na2\n$/)
    t.same([next?.subscribers, other.subscribers], [1, 1])
    slow.leave()
  },
)

scene(
  'memory: a message that nobody can keep is refused, and nobody gets a part of it',
  { maxSlabs: 8, limits: { windowBytes: 4096, holdBytes: 4096 } },
  (bench, t) => {
    const slow = subscribe(bench, 'a', { room: 0 })
    const fast = subscribe(bench, 'a', { encoding: NUMBERED })
    let accepted = 0
    let last: TestPublisher
    do last = publish(bench, 'a', 'x'.repeat(50))
    while (last.subscribers === 2 && ++accepted < 100)
    t.ok(accepted > 0 && accepted < 100)
    if (last.waits) last.publication!.withdraw()
    else refused(last.refusal, 'NO_MEMORY', t)
    refused(publish(bench, 'b', 'x'.repeat(600), { min: 1 }).refusal, 'NO_MEMORY', t)
    t.equal(topicOf(bench, 'b'), undefined, 'it has left nothing')
    refused(publish(bench, 'c', 'x'.repeat(600), { min: 1 }).refusal, 'NO_MEMORY', t)
    const before = fast.text.length
    slow.drain()
    t.equal(slow.text.length, accepted * 51)
    t.equal(fast.text.length, before)
    t.equal(publish(bench, 'a', 'x').subscribers, 2)
    for (const each of [slow, fast]) each.leave()
  },
)

scene(
  'a crowd is served over several turns, and everybody gets everything',
  { turn: [100, 2, 10], limits: { topic: { maxSubscribers: 300, slow: 'hold', stallMs: 0, silenceMs: 15_000 } } },
  (bench, t) => {
    const crowd = Array.from({ length: 30 }, () => subscribe(bench, 'a'))
    publish(bench, 'a', '0123456789')
    t.ok(crowd.some(({ sink }) => sink.postponed))
    let turns = 0
    for (; crowd.some(({ sink }) => sink.postponed); turns++) {
      bench.turn.begin()
      for (const each of crowd) if (each.sink.postponed && !bench.turn.isSpent) each.drain()
    }
    t.ok(turns > 3, `${turns} turns`)
    for (const each of crowd) t.equal(each.text, '0123456789\n')
    bench.turn.begin()
    for (const each of crowd) each.leave()
  },
)

scene('closing: what was accepted arrives, then a clean end; what waits is told', SMALL, (bench, t) => {
  const [slow, fast] = [
    subscribe(bench, 'a', { room: 0 }),
    subscribe(bench, 'a', { encoding: NUMBERED, finishesAtOnce: false }),
  ]
  const staying = new TestPublisher()
  stay(bench, 'a', staying)
  publish(bench, 'a', 'x'.repeat(30))
  const held = publish(bench, 'a', 'y')
  const waits = publish(bench, 'b', 'z', { min: 1 })
  bench.table.close()
  t.same([held.reason, waits.reason, staying.reason], Array(3).fill('shutting_down'))
  for (const attempt of [trySubscribe(bench, 'a'), trySubscribe(bench, 'c'), publish(bench, 'a', 'x').refusal]) {
    refused(attempt, 'SHUTTING_DOWN', t)
  }
  t.equal(bench.table.resting, 1)
  t.same([slow.sink.log, fast.sink.log], [['begin'], ['begin', 'finish']])
  fast.handOn()
  slow.drain()
  t.same(slow.sink.log, ['begin', 'finish'])
  t.equal(slow.text, `${'x'.repeat(30)}\n`)
  t.match(fast.text, /^<1:x+;>$/)
  t.equal(bench.lastReason, 'shutting_down')
})

scene('closing: who has not taken the rest in time is cut', SMALL, (bench, t) => {
  const slow = subscribe(bench, 'a', { room: 0 })
  publish(bench, 'a', 'x')
  bench.table.close()
  bench.table.endAll('shutting_down')
  t.same(slow.sink.log, ['begin', 'abort shutting_down'])
  slow.place.drained()
  slow.place.left()
})

scene('a defect while one is served cuts that one alone; stopping cuts all', {}, (bench, t) => {
  const [bad, good] = [subscribe(bench, 'a'), subscribe(bench, 'a')]
  bad.place.fault()
  bad.place.fault()
  t.equal(bad.sink.aborted, 'fault')
  t.equal(publish(bench, 'a', 'x').subscribers, 1)
  bench.table.stop('a', { code: 'X', status: 400, message: 'Enough.', hint: '' })
  t.same([good.text, good.sink.aborted, bench.lastReason], ['x\n', 'stopped', 'stopped'])
})

t.test('every refusal of a topic was seen above, and tells the reader what to do', async (t) => {
  const rows = Object.values(TOPIC_FAILURES)
  for (const { code, status, message, hint } of rows) {
    t.ok(refusalsSeen.has(code), code)
    t.match(code, /^[A-Z]+(_[A-Z]+)*$/)
    t.ok(status >= 400 && status < 600)
    t.ok(message.length > 0 && hint.length > 0)
  }
  t.ok(new Refusal(TOPIC_FAILURES.subscribersFull, { expected: 3 }).text.includes('3'))
})
