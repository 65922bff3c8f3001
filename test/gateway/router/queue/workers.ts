/** Many of both: who comes first is served first. */

import { startGateway } from '../../../support/gateway.js'
import { amount } from '../../../support/thorough.js'
import { counts, lastLine, part, produce, work } from './rig.js'

const SIDES = 64

part(`${SIDES} producers wait, and ${SIDES} workers take their jobs in the order in which they came`, async (t) => {
  const gateway = await startGateway(t)
  const producers = []
  for (let i = 0; i < SIDES; i++) {
    producers.push(await produce(gateway, `job ${i}`))
    await counts(gateway, i + 1, 0)
  }
  for (let i = 0; i < SIDES; i++) {
    const worker = await work(gateway)
    t.equal((await worker.job()).body.toString(), `job ${i}`)
    worker.client.destroy()
  }
  for (const producer of producers) {
    t.equal(await lastLine(producer), '[INFO] Transfer complete.')
    producer.destroy()
  }
})

part(`${SIDES} workers wait, and get what comes in the order in which they came; again and again`, async (t) => {
  const gateway = await startGateway(t)
  const workers = []
  for (let i = 0; i < SIDES; i++) {
    workers.push(await work(gateway))
    await counts(gateway, 0, i + 1)
  }
  const rounds = amount(4, 20)
  for (let round = 0; round < rounds; round++) {
    for (const [i, worker] of workers.entries()) {
      const producer = await produce(gateway, `${round} ${i}`, 'q?queue', i % 2 === 0)
      t.equal((await worker.job()).body.toString(), `${round} ${i}`)
      t.equal(await lastLine(producer), '[INFO] Transfer complete.')
      producer.destroy()
      await worker.ask()
      await counts(gateway, 0, SIDES)
    }
  }
  for (const worker of workers) worker.client.destroy()
})

part('a crowd of both at once: every job is done exactly once', async (t) => {
  const gateway = await startGateway(t)
  const jobs = amount(300, 2000)
  const done: string[] = []
  const loop = async () => {
    const worker = await work(gateway, 'q?queue&wait=2')
    for (;;) {
      const job = await worker.job(20_000)
      if (job.status === 408) break
      done.push(job.body.toString())
      await worker.ask()
    }
    worker.client.destroy()
  }
  const workers = Array.from({ length: 16 }, loop)
  const produced = async (from: number) => {
    for (let i = from; i < jobs; i += 16) {
      const producer = await produce(gateway, `job ${i}`, 'q?queue', i % 3 === 0)
      t.equal(await lastLine(producer), '[INFO] Transfer complete.')
      producer.destroy()
    }
  }
  await Promise.all(Array.from({ length: 16 }, (_, i) => produced(i)))
  await Promise.all(workers)
  t.same(done.sort(), Array.from({ length: jobs }, (_, i) => `job ${i}`).sort())
})

part('workers that close their connection behind each job, and of HTTP/1.0', async (t) => {
  const gateway = await startGateway(t)
  for (const [request, framing] of [
    ['GET /q?queue HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', false],
    ['GET /q?queue HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', true],
    ['GET /q?queue HTTP/1.0\r\nHost: x\r\n\r\n', false],
    ['GET /q?queue HTTP/1.0\r\nHost: x\r\n\r\n', true],
  ] as const) {
    const worker = await gateway.connect()
    await worker.send(request)
    await counts(gateway, 0, 1)
    const producer = await produce(gateway, 'the job', 'q?queue', framing)
    await worker.waitForClose()
    t.match(worker.text, /\r\n(7\r\n)?the job(\r\n0\r\n\r\n)?$/)
    t.equal(await lastLine(producer), '[INFO] Transfer complete.')
    producer.destroy()
  }
})
