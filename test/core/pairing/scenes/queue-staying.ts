/** Who stays on a queue for many jobs. */
import { Refusal, type Staying } from '../../../../core/index.js'
import type { Bench } from '../../fakes/bench.js'
import { refused, scene } from './scene.js'

const job = { queue: true } as const
const stays = { ...job, stays: true } as const

const ROOMY = { maxQueued: 8, maxWaiting: 20, maxActive: 8 }

class Stayer implements Staying {
  readonly told: string[] = []
  leave: () => void = () => {}

  ended(reason: string): void {
    this.told.push(reason)
  }
}

function stay(bench: Bench, side: 'sender' | 'receiver', onlyIfAwaited?: boolean): Stayer | Refusal {
  const stayer = new Stayer()
  const place = bench.table.stay('a', side, stayer, { kind: 'queue', receivers: 1, waitMs: 1000, onlyIfAwaited })
  if (place instanceof Refusal) return place
  stayer.leave = place
  return stayer
}

const stayed = (bench: Bench, side: 'sender' | 'receiver') => stay(bench, side) as Stayer

scene('the name is theirs, whether they wait or not', {}, (bench, t) => {
  const [producer, worker] = [stayed(bench, 'sender'), stayed(bench, 'receiver')]
  t.match(bench.table.get('a'), { kind: 'queue', queue: { producers: 1, workers: 1, senders: 0, receivers: 0 } })
  refused(bench.tryReceiver('a'), 'KIND_CLASH', t)
  producer.leave()
  refused(bench.trySender('a'), 'KIND_CLASH', t)
  const [receiver, sender] = [bench.receiver('a', stays), bench.sender('a', stays)]
  worker.leave()
  worker.leave()
  t.equal(bench.table.get('a')?.queue?.running, 1, 'what runs holds it')
  sender.feed(1)
  sender.end()
  t.equal(receiver.sink.finished, true)
  t.equal(bench.table.get('a'), undefined)
})

scene('nobody stays where something else is, and with now only where somebody waits', {}, (bench, t) => {
  const pipe = bench.sender('a')
  refused(stay(bench, 'sender'), 'KIND_CLASH', t)
  pipe.leave()
  refused(stay(bench, 'sender', true), 'NOBODY_WAITING', t)
  refused(stay(bench, 'receiver', true), 'NOBODY_WAITING', t)
  const receiver = bench.receiver('a', job)
  const producer = stay(bench, 'sender', true) as Stayer
  t.same(producer.told, [])
  receiver.leave()
  producer.leave()
})

scene('their places are limited, and with one they come back whoever waits', {}, (bench, t) => {
  const producers = [1, 2, 3].map(() => stayed(bench, 'sender'))
  refused(stay(bench, 'sender'), 'QUEUE_FULL', t)
  const senders = producers.map(() => bench.sender('a', job))
  refused(bench.trySender('a', job), 'QUEUE_FULL', t)
  const back = bench.sender('a', stays)
  for (const each of [...senders, back]) each.leave()
  for (const producer of producers) producer.leave()
})

for (const [how, reason] of [
  ['close', 'shutting_down'],
  ['stop', 'stopped'],
  ['end', 'fault'],
] as const) {
  scene(`all who stay are told of its end, once: ${how}`, {}, (bench, t) => {
    const all = [stayed(bench, 'sender'), stayed(bench, 'receiver')]
    const waiting = bench.receiver('a', stays)
    if (how === 'close') bench.table.close()
    else if (how === 'stop') bench.table.stop('a', { code: 'MINE', status: 409, message: 'No.', hint: 'Later.' })
    else bench.table.endAll('fault')
    t.equal(waiting.sink.aborted, reason)
    for (const each of all) {
      t.same(each.told, [reason])
      each.leave()
    }
    t.equal(bench.table.get('a'), undefined)
    if (how === 'close') refused(stay(bench, 'sender'), 'SHUTTING_DOWN', t)
  })
}

scene('who takes only some is passed over by the others, and by nobody else', { limits: ROOMY }, (bench, t) => {
  const odd = { ...job, takes: ({ transferId }: { transferId: string }) => Number(transferId.at(-1)) % 2 === 1 }
  const [zero, one, two, three] = [0, 1, 2, 3].map(() => bench.sender('a', job))
  const picky = bench.receiver('a', odd)
  t.equal(picky.sink.stream, one!.stream)
  const again = bench.receiver('a', odd)
  t.equal(again.sink.stream, three!.stream)
  const waits = bench.receiver('a', odd)
  t.same(waits.sink.log, [])
  t.equal(bench.receiver('a', job).sink.stream, zero!.stream, 'the first one, past the one that takes some')
  two!.leave()
  const [four, five] = [bench.sender('a', job), bench.sender('a', job)]
  t.equal(waits.sink.stream, five.stream)
  for (const sender of [zero!, one!, three!, four, five]) {
    if (sender === four) t.equal(bench.receiver('a', job).sink.stream, four.stream)
    sender.feed(1)
    sender.end()
  }
})

scene('one line of many is known as such, also when its sender has gone', {}, (bench, t) => {
  const plain = bench.sender('a', job)
  const line = bench.sender('a', { ...job, isLine: true })
  t.same(
    [...bench.table.all()].map(({ isLine }) => isLine),
    [false, true],
  )
  line.leave()
  plain.leave()
})
