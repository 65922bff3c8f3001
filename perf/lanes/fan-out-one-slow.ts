import { ClientProcess } from '../clients.js'
import type { Context, Lane } from '../lane.js'
import { Relay } from '../relay.js'
import { MemoryWatch } from '../watch.js'

const RECEIVERS = 8
const MIB = 1024 ** 2
const WINDOW = 1
const ONE_READ = 0.4375
// Health counts whole slabs of 64 KiB, and the bytes held need not begin where a slab does.
const SLAB = 0.0625

export const fanOutOneSlow: Lane = {
  name: 'fan-out-one-slow',
  title: 'One sender, 8 receivers, one of which does not read for 10 seconds',
  deadline: 180,
  async run(context) {
    const { head, report, quick } = context
    const relay = await Relay.start(head)
    const clients = [new ClientProcess(), new ClientProcess()] as const
    const rounds = quick ? Math.min(2, context.rounds) : context.rounds
    for (let round = 0; round < rounds; round++) await runRound(context, relay, clients, round)
    await Promise.all([relay.stop(), ...clients.map((client) => client.end())])
    report.goal('others got meanwhile', head.name, 'MiB', {
      what: 'what each of the others got meanwhile, worst round',
      target: WINDOW,
      bound: 'least',
      always: true,
    })
    report.goal('bytes held', head.name, 'MiB', {
      what: 'bytes held, worst round, in whole slabs',
      target: WINDOW + ONE_READ + SLAB,
      bound: 'most',
      always: true,
    })
  },
}

async function runRound(
  { head, report, quick }: Context,
  relay: Relay,
  [sender, receiver]: readonly [ClientProcess, ClientProcess],
  round: number,
): Promise<void> {
  const { target } = relay
  const path = `/one-slow-${round}?n=${RECEIVERS}`
  const bytes = 256e6
  const pause = { atBytes: 64e6, ms: quick ? 4000 : 10_000 }
  const memory = new MemoryWatch(relay.pid)
  const receiving = receiver.start('receive', { target, path, bytes, count: RECEIVERS, pause })
  await receiving.ready
  const sending = sender.start('send', { target, path, bytes, framing: 'length' })
  const held = watchHeld(relay)
  await Promise.race([receiving.done, sending.done.then(() => receiving.done)])
  await sending.done
  const { othersMeanwhile, timeline } = await receiving.done
  report.add(head.name, 'others got meanwhile', 'MiB', othersMeanwhile! / MIB)
  report.add(head.name, 'bytes held', 'MiB', (await held.most()) / MIB)
  report.add(head.name, 'memory growth', 'MiB', memory.stop().growth / MIB)
  if (round > 0) return
  report.throughput(head.name, 'one does not read', timeline)
  report.memory(head.name, 'one does not read', memory.points)
}

/** Asks for the held bytes every 100 ms, until somebody wants to know the most that was told. */
function watchHeld(relay: Relay): { most(): Promise<number> } {
  let most = 0
  let asking = Promise.resolve()
  const ask = async () => {
    most = Math.max(most, (await relay.health()).heldBytes)
  }
  const tick = setInterval(() => {
    asking = asking.then(ask)
  }, 100)
  return {
    async most() {
      clearInterval(tick)
      await asking
      return most
    },
  }
}
