/** Nobody waits much longer than the others. */
import { startGateway } from '../../../support/gateway.js'
import type { RawClient } from '../../../support/raw.js'
import { amount } from '../../../support/thorough.js'
import { part, Worker } from './rig.js'

const SIDES = 64

/** The sum of its waits, and how many there were. */
interface Waits {
  ms: number
  count: number
}

/** The mean of all, and that of the one whose mean is longest. */
function means(all: readonly Waits[]): { readonly mean: number; readonly longest: number } {
  const each = all.map(({ ms, count }) => ms / Math.max(1, count))
  return { mean: each.reduce((sum, ms) => sum + ms, 0) / each.length, longest: Math.max(...each) }
}

part(`${SIDES} workers and ${SIDES} producers: nobody's mean wait is twice that of all`, async (t) => {
  const gateway = await startGateway(t)
  const jobs = amount(12, 200)
  const left = { jobs: SIDES * jobs }
  const clients: RawClient[] = []

  const work = async (waits: Waits) => {
    const client = await gateway.connect()
    clients.push(client)
    const worker = new Worker(client, 'q?queue')
    while (left.jobs > 0) {
      const from = performance.now()
      await worker.ask()
      if (left.jobs <= 0) return
      try {
        await worker.job()
      } catch (error) {
        // It waited for one more when all were done.
        if (left.jobs > 0) throw error
        return
      }
      left.jobs--
      waits.ms += performance.now() - from
      waits.count++
      if (left.jobs === 0) for (const each of clients) each.destroy()
    }
  }

  const produce = async (waits: Waits) => {
    const client = await gateway.connect()
    let from = 0
    for (let i = 0; i < jobs; i++) {
      const at = performance.now()
      await client.send('PUT /q?queue&reply=end HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\njob')
      from += (await client.waitForResponse({ from, timeoutMs: 60_000 })).end
      waits.ms += performance.now() - at
      waits.count++
    }
    client.destroy()
  }

  const none = () => Array.from({ length: SIDES }, (): Waits => ({ ms: 0, count: 0 }))
  const [workers, producers] = [none(), none()]
  const working = workers.map(work)
  await Promise.all(producers.map(produce))
  for (const client of clients) client.destroy()
  working.forEach((each) => void each.catch(() => {}))
  for (const [who, all] of [
    ['workers', workers],
    ['producers', producers],
  ] as const) {
    const { mean, longest } = means(all)
    t.comment(`${who}: ${mean.toFixed(1)} ms, the longest mean ${longest.toFixed(1)} ms`)
    t.ok(longest <= 2 * mean, `${who}: ${longest} ms of ${mean} ms`)
    t.ok(
      all.every(({ count }) => count > 0),
      'everybody had its turn',
    )
  }
  t.equal(
    producers.reduce((sum, { count }) => sum + count, 0),
    SIDES * jobs,
  )
})
