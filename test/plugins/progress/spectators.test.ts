/** Spectators by a clock that is turned by hand, with replies that take what the test lets them take. */

import t from 'tap'
import type { PipeView, Reply } from '../../../gateway/host/plugin-api.js'
import { SharedMemories } from '../../../gateway/host/shared-memories.js'
import { Receipts } from '../../../plugins/progress/receipts.js'
import { Spectators } from '../../../plugins/progress/spectators.js'
import { Tally } from '../../../plugins/progress/tally.js'
import { Transfers } from '../../../plugins/progress/transfers.js'

/** A response whose client takes everything, or nothing. */
class ScriptedReply implements Reply {
  text = ''
  takes = true
  closed = false
  wasCut = false
  #drain = () => {}

  get isOver(): boolean {
    return this.closed || this.wasCut
  }

  get kept(): number {
    return 0
  }

  give(): boolean {
    throw new Error('not used')
  }

  open(status: number): boolean {
    this.text += `${status}\n`
    return true
  }

  write(text: string): boolean {
    if (this.isOver) return false
    this.text += text
    return this.takes
  }

  sendNow(): void {}

  close(): boolean {
    this.closed = true
    return true
  }

  cut(): void {
    this.wasCut = true
  }

  onDrain(run: () => void): void {
    this.#drain = run
  }

  takeAll(): void {
    this.takes = true
    this.#drain()
  }

  /** What was written since the last call: the names of events, and of states. */
  since(): string {
    const said = [...this.text.matchAll(/^(?:event: (?!state)(\w+)|data: \{"state":"(\w+)","kind"|(: ))/gm)]
    this.text = ''
    return said.map(([, event, state]) => event ?? state ?? 'comment').join(' ')
  }
}

type Scripted = { -readonly [K in keyof PipeView]: PipeView[K] }

function rig({ perName = 2, names = 2 } = {}) {
  const clock = { now: 5000 }
  const now = () => clock.now
  const wallClock = () => 1_700_000_000_000 + clock.now
  const table = new Map<string, Scripted>()
  const pipes = { get: (key: string) => table.get(key), all: () => table.values() }
  const receipts = new Receipts({ most: 10, keepMs: 86_400_000, now, wallClock })
  const transfers = new Transfers(pipes, receipts, { lingerMs: 30_000, now, wallClock })
  const memories = new SharedMemories()
  const shared = (name: string, bytes: number) => memories.get('progress', name, bytes)
  const watched = new Tally({ sharedMemory: shared, thread: { number: 0, count: 1 } }, 'watched')
  const spectators = new Spectators(transfers, { perName, names, watched, lifeMs: 1_800_000, frozenMs: 60_000, now })
  let id = 0
  return {
    clock,
    receipts,
    transfers,
    spectators,
    join(key: string, withHistory = false) {
      const reply = new ScriptedReply()
      return { reply, leave: spectators.add(key, reply, withHistory) }
    },
    stream(key: string): Scripted {
      const pipe: Scripted = {
        id: ++id,
        key,
        state: 'streaming',
        transferId: `transfer-${id}-0123456789`,
        hasSender: true,
        head: undefined,
        receiversWanted: 1,
        receiversPresent: 1,
        bytesIn: 0,
        bytesOut: 0,
        fanOut: undefined,
        bytesSent: 0,
        bytesSkipped: 0,
        heldBackMs: 0,
        expectedBytes: undefined,
        openedAt: clock.now,
        pairedAt: clock.now,
        endedAt: undefined,
        endReason: undefined,
        endFailure: undefined,
        kind: 'pipe',
        live: undefined,
        looks: 0,
        sha256: undefined,
      }
      table.set(key, pipe)
      spectators.changed(key)
      return pipe
    },
    end(pipe: Scripted, reason: PipeView['endReason'] = 'complete') {
      table.delete(pipe.key)
      Object.assign(pipe, { state: 'ended', endReason: reason, endedAt: clock.now })
      spectators.ended(receipts.add(pipe))
    },
    move(pipe: Scripted, bytes: number, ms = 250) {
      clock.now += ms
      pipe.bytesOut += bytes
      spectators.tick()
    },
  }
}

t.test('figures while bytes flow, and until the speed is 0', async (t) => {
  const { join, stream, move, end } = rig()
  const { reply } = join('a')
  const other = join('b').reply
  t.equal(reply.since(), 'idle')
  const pipe = stream('a')
  t.equal(reply.since(), 'streaming')
  for (let i = 0; i < 4; i++) move(pipe, 1000)
  t.equal(reply.since(), 'progress progress progress progress')
  for (let i = 0; i < 40; i++) move(pipe, 0)
  t.equal(reply.since().split(' ').length, 12, 'three seconds until the speed is 0')
  move(pipe, 1)
  t.equal(reply.since(), 'progress')
  end(pipe)
  t.equal(reply.since(), 'complete done')
  t.ok(reply.closed)
  t.equal(other.since(), 'idle', 'another name hears nothing of it')
})

t.test('who does not take it misses figures, never a state, and is cut in the end', async (t) => {
  const { join, stream, move, spectators, clock } = rig()
  const { reply } = join('a')
  const { reply: fine } = join('a')
  const pipe = stream('a')
  reply.since()
  reply.takes = false
  for (let i = 0; i < 100; i++) move(pipe, 1000)
  t.equal(reply.since(), 'progress', 'one, which it did not take')
  pipe.receiversPresent = 0
  spectators.changed('a')
  spectators.changed('a')
  t.equal(reply.since(), '')
  reply.takeAll()
  t.equal(reply.since(), 'streaming', 'as it is now, once')
  move(pipe, 1000)
  t.equal(reply.since(), 'progress')

  reply.takes = false
  move(pipe, 1000)
  clock.now += 60_000
  spectators.keepAlive()
  t.notOk(reply.wasCut)
  clock.now += 1
  spectators.keepAlive()
  t.ok(reply.wasCut)
  t.notOk(fine.wasCut)
})

t.test('frozen when the transfer ends: the last words wait for it, and not for ever', async (t) => {
  const { join, stream, move, end, spectators, clock } = rig()
  const { reply, leave } = join('a')
  const pipe = stream('a')
  reply.takes = false
  move(pipe, 1000)
  reply.since()
  end(pipe)
  t.equal(reply.since(), 'complete done')
  t.ok(reply.closed)
  clock.now += 60_001
  spectators.keepAlive()
  t.ok(reply.wasCut)
  leave()
})

t.test('a word now and then, and half an hour at most', async (t) => {
  const { join, spectators, clock } = rig()
  const { reply, leave } = join('a')
  reply.since()
  for (let i = 0; i < 120; i++) {
    clock.now += 15_000
    spectators.keepAlive()
  }
  t.equal(reply.since().split(' ').length, 120)
  t.notOk(reply.isOver)
  clock.now += 15_000
  spectators.keepAlive()
  t.equal(reply.since(), '')
  t.ok(reply.closed)
  leave()
})

t.test('places are counted, and given back', async (t) => {
  const { join, spectators } = rig()
  const a = [join('a'), join('a')]
  t.equal(spectators.full('a')?.what, 'spectators')
  t.equal(spectators.full('b'), undefined)
  const b = join('b')
  t.equal(spectators.full('c')?.what, 'names')
  t.equal(spectators.full('b'), undefined, 'a name that is watched already may be watched by more')
  a[0]!.leave()
  t.equal(spectators.full('a'), undefined)
  a[1]!.leave()
  a[1]!.leave()
  t.equal(spectators.full('c'), undefined)
  b.leave()
})

t.test('after the end: who watched is gone, and the next ones are counted anew', async (t) => {
  const { join, stream, end, spectators, clock } = rig()
  const before = join('a')
  end(stream('a'))
  const late = join('a')
  t.equal(late.reply.since(), 'complete done')
  t.ok(late.reply.closed)
  clock.now += 30_001
  const idle = [join('a'), join('a')]
  before.leave()
  late.leave()
  t.equal(spectators.full('a')?.what, 'spectators', 'those who left late take nobody along')
  t.match(idle[0]!.reply.text, /"state":"idle".*"last":\{"state":"complete"/)
})

t.test('a second transfer within the linger time is watched like the first', async (t) => {
  const { join, stream, end } = rig()
  end(stream('a'))
  const pipe = stream('a')
  const { reply } = join('a')
  t.equal(reply.since(), 'streaming')
  t.notOk(reply.closed)
  end(pipe, 'sender_left')
  t.equal(reply.since(), 'failed done')
})

t.test('history for those who ask', async (t) => {
  const { join, stream, move } = rig({ perName: 10 })
  t.equal(join('a', true).reply.since(), 'idle', 'none before it streams')
  const pipe = stream('a')
  for (let i = 0; i < 12; i++) move(pipe, 1000)
  t.equal(join('a').reply.since(), 'streaming')
  const { reply } = join('a', true)
  t.match(reply.text, 'event: history\ndata: {"everySec":1,"speeds":[4000,4000,4000]}\n\n')
})

t.test('a hint that was too small is none', async (t) => {
  const { stream, transfers } = rig()
  const pipe = stream('a')
  pipe.expectedBytes = 1000
  pipe.bytesOut = 1000
  t.equal(transfers.snapshot('a').totalBytes, 1000)
  pipe.bytesOut = 1001
  t.equal(transfers.snapshot('a').totalBytes, null)
})

t.test('receipts: not too many, not too old, and none twice', async (t) => {
  const { stream, end, receipts, clock, transfers } = rig()
  for (let i = 0; i < 15; i++) end(stream(`name-${i % 12}`))
  t.equal(receipts.size, 10)
  const first = receipts.last('name-0')!
  t.equal(first.transferId, 'transfer-13-0123456789')
  const again = stream('name-0')
  again.transferId = first.transferId
  end(again, 'idle')
  t.equal(receipts.size, 10)
  t.equal(transfers.byId('name-0', again.transferId)?.reason, 'idle')
  t.equal(transfers.byId('name-1', again.transferId), undefined)
  clock.now += 86_400_000
  receipts.sweep()
  t.equal(receipts.size, 10)
  clock.now += 1
  t.equal(receipts.last('name-0'), undefined, 'too old before it is swept')
  receipts.sweep()
  t.equal(receipts.size, 0)
})
