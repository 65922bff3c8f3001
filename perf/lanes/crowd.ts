import { setTimeout as sleep } from 'node:timers/promises'
import { ClientProcess } from '../clients.js'
import type { Context, Lane } from '../lane.js'
import { Relay } from '../relay.js'
import { quantile } from '../stats.js'

const RECEIVERS = 256
/** How long small transfers are timed, with and without a crowd beside them. Its first second is the worst. */
const MS = 3000
/** Of a crowd that does not read, the kernel takes some megabytes for each. */
const SLOWLY = 1

/** Both sides are the head: what differs is who is there besides. */
export const crowd: Lane = {
  name: 'crowd',
  title: `Small transfers beside a pipe with ${RECEIVERS} receivers that do not read, from its start on`,
  deadline: 300,
  async run(context) {
    const { head, report, rounds } = context
    const relay = await Relay.start(head)
    const others = new ClientProcess()
    const { target } = relay
    await others.run('churn', { target, prefix: '/warm-', transfers: 2000, parallel: 4, fresh: false, bytes: 1000 })
    for (let round = 0; round < rounds; round++) {
      await time(context, relay, others, `none-${round}`, 0)
      await time(context, relay, others, `crowd-${round}`, RECEIVERS)
    }
    const side = `${RECEIVERS} receivers`
    report.goal('small transfers, p99', side, 'ms', { what: 'p99 of small transfers', target: 20, bound: 'most' })
    report.goal('small transfers, longest', side, 'ms', { what: 'the longest of them', target: 60, bound: 'most' })
    await Promise.all([relay.stop(), others.end()])
  },
}

async function time(context: Context, relay: Relay, others: ClientProcess, name: string, count: number): Promise<void> {
  const { target } = relay
  const receiver = new ClientProcess()
  const sender = new ClientProcess()
  const path = `/${name}?n=${count}`
  const bytes = 1e12
  const crowded =
    count === 0 ? undefined : receiver.start('receive', { target, path, bytes, count, bytesPerSecond: SLOWLY })
  await crowded?.ready
  await relay.settle()
  const trips = others.start('roundTrips', { target, prefix: `/small-${name}-`, bytes: 1000, everyMs: 5 })
  await sleep(100)
  const sent =
    count === 0
      ? undefined
      : sender.start('sendUntilStopped', { target, path, bytes, framing: 'length', piece: 2 ** 20 })
  await Promise.race([sleep(MS), trips.done, ...(crowded === undefined ? [] : [crowded.done, sent!.done])])
  trips.stop()
  const times = await trips.done
  crowded?.stop()
  sent?.stop()
  const received = (await crowded?.done)?.timeline.at(-1)?.[1]
  await sent?.done
  if (received !== undefined && received < count * 1000) throw new Error(`the crowd got ${received} bytes only`)
  const side = count === 0 ? 'none' : `${count} receivers`
  const [p99, longest] = [quantile(times, 0.99), Math.max(...times)]
  context.report.add(side, 'small transfers, p50', 'ms', quantile(times, 0.5))
  context.report.add(side, 'small transfers, p99', 'ms', p99)
  context.report.add(side, 'small transfers, longest', 'ms', longest)
  context.say(`crowd, ${name}: p99 ${p99.toFixed(1)} ms, longest ${longest.toFixed(1)} ms of ${times.length}`)
  await Promise.all([receiver.end(), sender.end()])
}
