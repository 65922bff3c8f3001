/** One sender, one receiver, one stream: what each is told and gets. */
import { curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { counts, countsOf, lastLine, MIB, part, produce, work } from './rig.js'

part('a sender that comes first, and a worker', async (t) => {
  const gateway = await startGateway(t)
  const sender = curl(
    ['-N', '-T', '-', '-H', 'Content-Type: text/x-job', '-H', 'X-Piping: 7', `${gateway.origin}/q?queue`],
    {
      input: 'the job',
    },
  )
  await sender.waitFor('[INFO] Waiting for 1 receiver(s) to connect...\n')
  const { stdout, code } = await curlDone(['-f', '-D', '-', `${gateway.origin}/q?queue`])
  t.equal(code, 0)
  t.match(stdout.toString(), /\r\nContent-Type: text\/x-job\r\n/)
  t.match(stdout.toString(), /\r\nX-Piping: 7\r\n/)
  t.match(stdout.toString(), /\r\nX-Pipe-Transfer-Id: \S+\r\n/)
  t.match(stdout.toString(), /\r\n\r\nthe job$/)
  const told = await sender.result
  t.equal(told.code, 0)
  t.same(told.stdout.toString().trimEnd().split('\n'), [
    '[INFO] Waiting for 1 receiver(s) to connect...',
    '[INFO] A receiver connected, 1 of 1.',
    '[INFO] Streaming to 1 receiver(s)...',
    '[INFO] Upload complete.',
    '[INFO] Transfer complete.',
  ])
  t.equal(gateway.gateway.table.get('q'), undefined, 'the name is free')
  const line = gateway.lines.find(({ msg }) => msg === 'transfer')
  t.match(line, { pipe: 'q', kind: 'queue', reason: 'complete', bytesIn: 7, bytesOut: 7, receivers: 1 })
})

part('a worker that comes first; a digest, a size, an id, one answer at the end', async (t) => {
  const gateway = await startGateway(t)
  const worker = curl(['-N', `${gateway.origin}/q?queue`])
  await counts(gateway, 0, 1)
  const query = 'q?queue&sha256&size=7&reply=end&transfer=my-own-transfer-id'
  const { stdout } = await curlDone(['-w', '%{http_code}', '-T', '-', `${gateway.origin}/${query}`], {
    input: 'the job',
  })
  t.match(stdout.toString(), /\n\[INFO\] SHA-256: [0-9a-f]{64}\n\[INFO\] Transfer complete\.\n200$/)
  t.equal((await worker.result).stdout.toString(), 'the job')
  t.equal(gateway.lines.find(({ msg }) => msg === 'transfer')?.transferId, 'my-own-transfer-id')
})

part('bodies of every length and framing arrive whole', async (t) => {
  const gateway = await startGateway(t)
  const worker = await work(gateway)
  for (const length of [0, 1, 2, 100, 4095, 4096, 4097, 16_384, 65_536, 100_000, 3 * MIB]) {
    for (const isChunked of [false, true]) {
      const body = 'x'.repeat(length)
      const what = `${length} bytes${isChunked ? ', chunked' : ''}`
      if (isChunked && length === 0) continue
      await counts(gateway, 0, 1)
      const sender = await produce(gateway, body, 'q?queue', isChunked)
      const job = await worker.job()
      t.equal(job.body.toString() === body, true, what)
      t.equal(job.framing, isChunked ? 'chunked' : 'length')
      t.equal(await lastLine(sender), '[INFO] Transfer complete.', what)
      sender.destroy()
      await worker.ask()
    }
  }
  worker.client.destroy()
})

part('a body that waits is not read', async (t) => {
  const gateway = await startGateway(t)
  const sender = await gateway.connect()
  void sender.send(`PUT /q?queue HTTP/1.1\r\nHost: x\r\nContent-Length: ${20 * MIB}\r\n\r\n${'x'.repeat(20 * MIB)}`)
  await counts(gateway, 1, 0)
  await sender.waitFor('Waiting for 1 receiver')
  const { table, slabs } = gateway.gateway
  const [match] = [...table.all()]
  t.ok(match!.bytesIn <= 64 * 1024, `${match!.bytesIn} bytes`)
  t.ok(slabs.heldBytes <= 64 * 1024)
  const worker = await work(gateway)
  t.equal((await worker.job(30_000)).body.length, 20 * MIB)
  t.equal(await lastLine(sender), '[INFO] Transfer complete.')
  for (const client of [sender, worker.client]) client.destroy()
})

part('complete is what has arrived: a worker that does not read keeps its sender waiting', async (t) => {
  const gateway = await startGateway(t)
  const frozen = await gateway.connect({ pauseOnConnect: true })
  await frozen.send('GET /q?queue HTTP/1.1\r\nHost: x\r\n\r\n')
  await counts(gateway, 0, 1)
  const sender = curl(['-N', '-T', '-', `${gateway.origin}/q?queue`], { input: Buffer.alloc(12 * MIB) })
  await eventually(() => (gateway.gateway.table.get('q')?.bytesOut ?? 0) > 0 || 'nothing is on its way')
  t.notMatch(sender.stdoutText, 'Transfer complete.')
  t.match(countsOf(gateway), { senders: 0, receivers: 0, running: 1 })
  frozen.resume()
  t.equal((await frozen.waitForResponse({ timeoutMs: 30_000 })).body.length, 12 * MIB)
  t.match((await sender.result).stdout.toString(), /\n\[INFO\] Transfer complete\.\n$/)
  frozen.destroy()
})

part('a worker that goes in the middle: at most once, and the sender is told', async (t) => {
  const gateway = await startGateway(t)
  const other = await (async () => {
    const first = await work(gateway)
    await counts(gateway, 0, 1)
    const second = await work(gateway)
    await counts(gateway, 0, 2)
    const sender = curl(['-N', '-T', '.', `${gateway.origin}/q?queue`])
    sender.stdin.write('the first part')
    await first.client.waitFor('the first part')
    // A machine acknowledges what it has within 40 ms.
    await eventually(() => gateway.gateway.table.get('q')!.bytesOut === 14 || 'it is not known to have arrived')
    first.client.destroy()
    await sender.waitFor('[ERROR] All receivers disconnected before transfer completed.\n')
    sender.stdin.end()
    t.equal((await sender.result).code, 18)
    return second
  })()
  t.match(countsOf(gateway), { senders: 0, receivers: 1, running: 0 }, 'nobody else gets it')
  t.equal(other.client.receivedBytes, 0)
  t.equal(await gateway.ended('q'), 'receivers_left')
  other.client.destroy()
})

part('a sender that goes in the middle: its worker sees that it has not got all', async (t) => {
  const gateway = await startGateway(t)
  const worker = curl(['-N', `${gateway.origin}/q?queue`])
  await counts(gateway, 0, 1)
  const sender = curl(['-N', '-T', '.', `${gateway.origin}/q?queue`])
  sender.stdin.write('a part')
  await worker.waitFor('a part')
  sender.kill()
  // A connection on which nothing is known to have arrived is reset, others are closed.
  t.ok([18, 56].includes((await worker.result).code ?? 0))
  t.equal(await gateway.ended('q'), 'sender_left')
})

part('both sides wait for as long as they say, and with now not at all', async (t) => {
  const gateway = await startGateway(t)
  const status = async (...args: string[]) =>
    (await curlDone(['-o', '/dev/null', '-w', '%{http_code}', ...args], { input: 'x' })).stdout.toString()
  const url = `${gateway.origin}/q?queue`
  t.equal(await status(`${url}&wait=1`), '408')
  t.equal(await status('-T', '-', `${url}&wait=1&reply=end`), '408')
  t.equal(await status(`${url}&now`), '503')
  t.equal(await status('-T', '-', `${url}&now`), '503')
  const worker = curl(['-N', url])
  await counts(gateway, 0, 1)
  t.equal(await status('-T', '-', `${url}&now&reply=end`), '200')
  t.equal((await worker.result).stdout.toString(), 'x')
})

part('forms are jobs as well', async (t) => {
  const gateway = await startGateway(t)
  const worker = curl(['-N', `${gateway.origin}/q?queue`])
  await counts(gateway, 0, 1)
  const { stdout } = await curlDone(['-F', 'file=@-;filename=job.txt', `${gateway.origin}/q?queue`], {
    input: 'in a form',
  })
  t.match(stdout.toString(), /Transfer complete\.\n$/)
  t.equal((await worker.result).stdout.toString(), 'in a form')
})
