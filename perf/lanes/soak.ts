import { eventually } from '../../test/support/eventually.js'
import { ClientProcess } from '../clients.js'
import type { Context, Lane } from '../lane.js'
import { openFiles } from '../proc.js'
import { Relay } from '../relay.js'
import { slopePerMinute } from '../stats.js'
import { MemoryWatch } from '../watch.js'

const MIB = 1024 ** 2

export const soak: Lane = {
  name: 'soak',
  title: 'Transfers of all kinds, some of which lose a sender or a receiver on the way',
  deadline: 240,
  async run(context) {
    const { head, report, quick } = context
    const seconds = context.seconds ?? (quick ? 20 : 60)
    const relay = await Relay.start(head)
    const client = new ClientProcess()
    // Node takes what it will need for such a load in its first seconds.
    await client.run('soak', { target: relay.target, seconds: Math.ceil(seconds / 4), parallel: 16, seed: 1 })
    await eventually(() => isAtRest(relay), { timeoutMs: 20_000, everyMs: 100 })
    const filesBefore = openFiles(relay.pid)
    const memory = new MemoryWatch(relay.pid)
    const count = await client.run('soak', { target: relay.target, seconds, parallel: 16, seed: Date.now() % 2 ** 31 })
    memory.stop()
    await checkLeaks(context, relay, filesBefore)
    report.add(head.name, 'complete transfers', '', count.complete)
    report.add(head.name, 'cut transfers', '', count.cut)
    report.add(head.name, 'bytes compared', 'MB', count.bytes / 1e6)
    const secondHalf = memory.points.slice(memory.points.length / 2)
    report.add(head.name, 'memory slope', 'MiB/min', slopePerMinute(secondHalf) / MIB)
    report.add(head.name, 'peak memory', 'MiB', memory.peak / MIB)
    report.memory(head.name, 'soak', memory.points)
    setGoals(context)
    await Promise.all([relay.stop(), client.end()])
  },
}

function setGoals({ head, report, quick }: Context): void {
  report.goal('pipes left', head.name, '', { what: 'pipes left waiting or streaming', target: 0, bound: 'most' })
  report.goal('bytes left', head.name, '', { what: 'bytes still held', target: 0, bound: 'most' })
  report.goal('sockets left', head.name, '', { what: 'sockets left open', target: 0, bound: 'most' })
  if (quick) {
    report.note('a quick run is too short to judge the slope of the memory')
    return
  }
  // Less than the collector's own ups and downs cannot be told from nothing in a minute.
  report.goal('memory slope', head.name, 'MiB/min', {
    what: 'memory slope in the second half',
    target: 4,
    bound: 'most',
  })
}

async function checkLeaks({ head, report }: Context, relay: Relay, filesBefore: number): Promise<void> {
  // A leak is what is still there after the slowest goodbye.
  const rest = eventually(() => isAtRest(relay), { timeoutMs: 20_000, everyMs: 100 })
  await rest.catch((error: Error) => report.note(error.message))
  const files = () => openFiles(relay.pid) - filesBefore
  const closed = eventually(() => files() <= 0 || `${files()} sockets`, { timeoutMs: 20_000, everyMs: 100 })
  await closed.catch((error: Error) => report.note(error.message))
  const { waiting, streaming, heldBytes } = await relay.health()
  report.add(head.name, 'pipes left', '', waiting + streaming)
  report.add(head.name, 'bytes left', '', heldBytes)
  // This question's own connection is kept for a moment.
  report.add(head.name, 'sockets left', '', Math.max(0, files() - 1))
}

async function isAtRest(relay: Relay): Promise<true | string> {
  const health = await relay.health()
  const { waiting, streaming, heldBytes } = health
  return waiting + streaming + heldBytes === 0 || JSON.stringify(health)
}
