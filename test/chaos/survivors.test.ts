/** One of four receivers goes or freezes at a chosen moment: the other three have every byte, and know that it is all. */

import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { type Running, startGateway } from '../support/gateway.js'
import { WAYS, type Way } from '../support/peer.js'
import { Diary } from './participant.js'
import type { Plan, ReceiverPlan } from './plan.js'
import { Receiver } from './receiver.js'
import { Sender } from './sender.js'
import { keepsNothing, openSockets } from './watch.js'

const MIB = 1024 * 1024
const BYTES = 3 * MIB + 12_345
const READER: ReceiverPlan = {
  trouble: { kind: 'none' },
  readBytes: 64 * 1024,
  comesAfter: 0,
  absent: false,
  reuses: false,
}

interface Moment {
  readonly name: string
  /** How much the victim has read when it stops reading; undefined: it reads on. */
  readonly stopsAt: number | undefined
  /** What has to be true besides. */
  readonly fact: (scene: Scene) => boolean
  readonly bytes: number
}

const MOMENTS: readonly Moment[] = [
  { name: 'before the first byte', stopsAt: 0, fact: ({ view }) => view?.state === 'streaming', bytes: BYTES },
  { name: 'in the middle', stopsAt: MIB, fact: ({ victim }) => victim.reader.bodyBytes >= MIB, bytes: BYTES },
  {
    name: 'with the others a window ahead',
    stopsAt: 0,
    // Then the sender is held, and what is kept is all that the others may have before the victim.
    fact: ({ view }) => view !== undefined && view.bytesIn - view.bytesOut >= MIB,
    bytes: 8 * MIB,
  },
  {
    name: 'in the last window',
    stopsAt: BYTES - MIB / 2,
    fact: ({ victim }) => victim.reader.bodyBytes >= BYTES - MIB / 2,
    bytes: BYTES,
  },
  {
    name: 'after the upload is complete',
    stopsAt: 0,
    fact: ({ sender }) => sender.text.includes('Upload complete.'),
    // More than the kernel takes for one who does not read, and less than that and the window.
    bytes: 1.25 * MIB,
  },
]

interface Scene {
  readonly view: ReturnType<Running['gateway']['table']['get']>
  readonly sender: Sender
  readonly victim: Receiver
  readonly others: readonly Receiver[]
}

let names = 0

/** A sender and its receivers, who have not come yet. */
function cast(running: Running, announced: boolean, bytes: number, receivers: readonly ReceiverPlan[]) {
  const name = `survivors-${names++}`
  const n = receivers.length
  const sending = { trouble: { kind: 'none' }, piece: 64 * 1024, comesAfter: 0, readsLines: true } as const
  const terms = { query: `n=${n}`, stallMs: 0, replyAtEnd: false, visitors: 0 }
  const plan: Plan = { seed: names, name, n, bytes, announced, ...terms, sender: sending, receivers }
  const diary = new Diary()
  const door = { port: running.port, tls: running.tls }
  const sender = new Sender(plan, diary, door)
  return { sender, receivers: receivers.map((_, i) => new Receiver(plan, i, diary, door)), name, diary }
}

async function play(
  t: Test,
  running: Running,
  moment: Moment,
  announced: boolean,
  ending: Way | 'thaw',
): Promise<void> {
  const { bytes, stopsAt } = moment
  // A trouble that only stops the reading: the end is chosen here.
  const victimPlan: ReceiverPlan =
    stopsAt === undefined ? READER : { ...READER, trouble: { kind: 'stuck', at: stopsAt } }
  const { sender, receivers, name, diary } = cast(running, announced, bytes, [victimPlan, READER, READER, READER])
  const [victim, ...others] = receivers
  const all = [sender, victim!, ...others]
  try {
    const runs = all.map((each) => each.run())
    const scene = (): Scene => ({ view: running.gateway.table.get(name), sender, victim: victim!, others })
    await eventually(() => moment.fact(scene()) || 'the moment does not come', { timeoutMs: 20_000, everyMs: 1 })
    if (ending === 'thaw') victim!.thaw()
    else victim!.leave(ending, moment.name)
    const staying = ending === 'thaw' ? all : [sender, ...others]
    await eventually(() => staying.every((each) => each.isWhole) || 'somebody has not got all', { timeoutMs: 30_000 })
    await Promise.all(runs)
    for (const each of ending === 'thaw' ? [victim!, ...others] : others)
      t.same([each.wrongAt, each.reader.problem, each.reader.bodyBytes], [undefined, undefined, bytes], each.who)
    t.match(sender.text, /Streaming to [\s\S]*Upload complete\.\n[\s\S]*Transfer complete\.\n$/)
    t.equal(await running.ended(name), 'complete')
  } catch (error) {
    t.fail(`${error}\n${diary.lines.join('\n')}`)
  } finally {
    for (const each of all) each.close()
  }
}

/** Nobody is left: the transfer fails, and its sender knows. */
async function desert(t: Test, running: Running, announced: boolean, way: Way): Promise<void> {
  const frozen: ReceiverPlan = { ...READER, trouble: { kind: 'stuck', at: 0 } }
  const { sender, receivers, name } = cast(running, announced, 8 * MIB, [frozen, frozen, frozen, frozen])
  try {
    const runs = [sender, ...receivers].map((each) => each.run())
    for (let left = 4; left > 0; left--) {
      const view = () => running.gateway.table.get(name)
      await eventually(
        () => (view()?.state === 'streaming' && view()?.receiversPresent === left) || `not ${left} receivers`,
      )
      receivers[left - 1]!.leave(way, 'with the others')
    }
    t.equal(await running.ended(name), 'receivers_left')
    await eventually(() => sender.isOver || 'the sender is not told')
    await Promise.all(runs)
    t.notOk(sender.isWhole, 'no clean end')
    t.match(
      sender.text,
      /(A receiver disconnected\.\n[\s\S]*){3}All receivers disconnected before transfer completed\.\n$/,
    )
  } finally {
    for (const each of [sender, ...receivers]) each.close()
  }
}

// A client that only closes its side may go on reading: it has not gone.
const ways = WAYS.filter((way) => way !== 'halfClose')
for (const tls of [false, true]) {
  for (const announced of [true, false]) {
    t.test(`${announced ? 'with a length' : 'chunked'}, ${tls ? 'TLS' : 'plain'}`, async (t) => {
      const running = await startGateway(t, {}, { tls })
      const sockets = openSockets()
      for (const moment of MOMENTS) {
        for (const ending of [...ways, 'thaw'] as const) {
          await t.test(`${moment.name}: ${ending}`, (t) => play(t, running, moment, announced, ending))
        }
      }
      for (const way of ways)
        await t.test(`all four go, one after the other: ${way}`, (t) => desert(t, running, announced, way))
      await t.resolves(keepsNothing(running, sockets))
    })
  }
}
