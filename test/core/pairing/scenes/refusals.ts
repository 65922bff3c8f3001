/** Sides that cannot join, and what a closed table does. */
import type { Test } from 'tap'
import type { Bench } from '../../fakes/bench.js'
import type { FakeReceiver, FakeSender } from '../../fakes/sides.js'
import { refused, scene, whole } from './scene.js'

/** Completes the transfer of a sender and receivers that a refusal must not have disturbed. */
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

scene('refused: a sender for now, while no receiver waits', {}, (bench, t) => {
  refused(bench.trySender('a', { onlyIfAwaited: true }), 'NOBODY_WAITING', t)
  t.equal(bench.table.get('a'), undefined)
  const first = bench.receiver('a', { n: 2 })
  const sender = bench.sender('a', { n: 2, onlyIfAwaited: true })
  completes(bench, t, sender, [first, bench.receiver('a', { n: 2 })])
})

scene('refused: a receiver for now, while no sender waits', {}, (bench, t) => {
  const first = bench.receiver('a', { n: 2 })
  refused(bench.tryReceiver('a', { n: 2, onlyIfAwaited: true }), 'NOBODY_WAITING', t)
  t.equal(bench.table.get('a')?.receiversPresent, 1)
  const sender = bench.sender('a', { n: 2 })
  completes(bench, t, sender, [first, bench.receiver('a', { n: 2, onlyIfAwaited: true })])
})

scene('refused: any side while a transfer runs', {}, (bench, t) => {
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
  // A side that joins a waiting pipe needs no new place, and a running transfer takes none.
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

scene('close(): waiting sides are told, transfers go on, new sides are refused', {}, (bench, t) => {
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

scene('endAll() ends every pipe, with the reason given', {}, (bench, t) => {
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
