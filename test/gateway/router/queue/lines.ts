/** `?queue&lines`: many jobs in one request, on either side, and what each gets. */
import { setTimeout as sleep } from 'node:timers/promises'
import { curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { startGateway } from '../../../support/gateway.js'
import { hasLines, hires, linesOf, numbers, pours } from './lines-rig.js'
import { countsOf, lastLine, MIB, part, produce, work } from './rig.js'

part('each line of an upload is a job, and each job a line of the response', async (t) => {
  const gateway = await startGateway(t)
  const worker = curl(['-N', '-D', '-', `${gateway.origin}/q?queue&lines`])
  await eventually(() => countsOf(gateway)?.receivers === 1 || 'nobody waits')
  const producer = curl(['-N', '-T', '-', `${gateway.origin}/q?queue&lines`])
  producer.stdin.write('one\ntw')
  await worker.waitFor('\r\n\r\none\n')
  t.match(worker.stdoutText, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(worker.stdoutText, /\r\nContent-Type: text\/plain; charset=utf-8\r\n/)
  t.notMatch(worker.stdoutText, /Transfer-Id/i)
  t.match(gateway.gateway.table.get('q')?.queue, { producers: 1, workers: 1 })
  producer.stdin.write('o\r\n\nlast')
  await worker.waitFor('one\ntwo\n\n')
  producer.stdin.end()
  const { stdout, code } = await producer.result
  t.same([stdout.toString(), code], ['[INFO] Delivered 4 job(s).\n', 0])
  await worker.waitFor('\r\n\r\none\ntwo\n\nlast\n')
  t.match(gateway.gateway.table.get('q')?.queue, { producers: 0, workers: 1, receivers: 1, running: 0 })
  worker.kill()
  await eventually(() => gateway.gateway.table.get('q') === undefined || 'the name is not free')
  t.same(
    gateway.lines.filter(({ msg }) => msg === 'transfer'),
    [],
    'no line of the log for each line of an upload',
  )
})

part('an idle producer and an idle worker hold the name', async (t) => {
  const gateway = await startGateway(t)
  const producer = curl(['-N', '-T', '-', `${gateway.origin}/q?queue&lines`])
  await eventually(() => gateway.gateway.table.get('q')?.queue?.producers === 1 || 'it is not there')
  const { stdout } = await curlDone(['-w', '%{http_code}', `${gateway.origin}/q`])
  t.match(stdout.toString(), /This name is a queue now.*\n409$/)
  producer.stdin.end()
  t.equal((await producer.result).stdout.toString(), '[INFO] Delivered 0 job(s).\n')
  t.equal(gateway.gateway.table.get('q'), undefined)
})

part('lines for workers that take one job a request, with the type that their producer says', async (t) => {
  const gateway = await startGateway(t)
  const upload = curl(['-T', '-', '-H', 'Content-Type: text/x-job', `${gateway.origin}/q?queue&lines`], {
    input: 'first\r\n\nthird',
  })
  for (const wanted of ['first', '', 'third']) {
    const worker = await work(gateway)
    const { body, headers } = await worker.job()
    t.same(
      [body.toString(), headers['content-length'], headers['content-type']],
      [wanted, [`${wanted.length}`], ['text/x-job']],
    )
    t.match(headers['x-pipe-transfer-id']?.[0], /^[\w-]{16,}-\d$/)
    worker.client.destroy()
  }
  t.equal((await upload.result).stdout.toString(), '[INFO] Delivered 3 job(s).\n')
})

part('jobs that are one line, for a worker that takes lines; others wait for one that does not', async (t) => {
  const gateway = await startGateway(t)
  const worker = await hires(gateway, '&lines', { accept: 'application/x-ndjson' })
  const big = 'x'.repeat(64 * 1024 - 1)
  const fit = ['plain', 'with a break\n', '', big]
  for (const isChunked of [false, true]) {
    for (const body of fit) {
      if (isChunked && body === '') continue
      const producer = await produce(gateway, body, 'q?queue', isChunked)
      t.equal(await lastLine(producer), '[INFO] Transfer complete.')
      producer.destroy()
    }
  }
  await hasLines(worker, ['plain', 'with a break', '', big, 'plain', 'with a break', big])
  t.match(worker.text, /\r\nContent-Type: application\/x-ndjson\r\n/)
  const unfit = ['two\nlines', '\n\n', `${big}xx`]
  for (const isChunked of [false, true]) {
    for (const body of unfit) {
      const producer = await produce(gateway, body, 'q?queue', isChunked)
      await eventually(() => countsOf(gateway)?.senders === 1 || 'it does not wait')
      // The others go past it.
      const other = await produce(gateway, 'fits')
      t.equal(await lastLine(other), '[INFO] Transfer complete.')
      const plain = await work(gateway)
      t.equal((await plain.job()).body.toString() === body, true)
      t.equal(await lastLine(producer), '[INFO] Transfer complete.')
      for (const client of [producer, other, plain.client]) client.destroy()
    }
  }
  t.equal(linesOf(worker).slice(7).join(), 'fits,fits,fits,fits,fits,fits')
  worker.destroy()
})

part('a line of 1 MiB is a job, and a longer one ends the upload', async (t) => {
  const gateway = await startGateway(t)
  const worker = await hires(gateway)
  const line = 'x'.repeat(MIB)
  const upload = await pours(gateway, `first\n${line}\nlast\n`)
  t.same([upload.status, upload.body.toString()], [200, '[INFO] Delivered 3 job(s).\n'])
  await hasLines(worker, ['first', line, 'last'])
  for (const tooLong of [`x${line}\n`, `x${line}`, `${line}${line}${line}`]) {
    const { status, headers, body } = await pours(gateway, `before\n${tooLong}`)
    t.same([status, headers['x-pipe-code']], [413, ['LINE_TOO_LONG']])
    const found =
      /has (\d+) bytes or more, and may have 1048576\..* Before that 1 job\(s\) were delivered, and 0 lost\.\n$/
    t.ok(Number(found.exec(body.toString())?.[1]) > MIB, body.toString())
  }
  worker.destroy()
})

part('both sides wait as long as they say, for each job; a worker that has got some ends in order', async (t) => {
  const gateway = await startGateway(t)
  const url = `${gateway.origin}/q?queue&lines`
  const { stdout } = await curlDone(['-w', '%{http_code}', `${url}&wait=1`])
  t.equal(stdout.toString(), '[ERROR] Timed out waiting for sender.\n408')
  const worker = curl(['-fsSN', `${url}&wait=1`])
  await eventually(() => countsOf(gateway)?.receivers === 1 || 'nobody waits')
  const upload = curl(['-w', '%{http_code}', '-T', '.', `${url}&wait=1`])
  upload.stdin.write('a\nb\n')
  await worker.waitFor('a\nb\n')
  t.equal((await worker.result).code, 0, 'a clean end')
  upload.stdin.write('for nobody\nc\n')
  const lines = (await upload.result).stdout.toString()
  t.match(
    lines,
    /^\[ERROR\] Timed out waiting for receivers\. Before that 2 job\(s\) were delivered, and 0 lost\.\n408$/,
  )
  for (const args of [[`${url}&now`], ['-T', '-', `${url}&now`]]) {
    const now = await curlDone(['-o', '/dev/null', '-w', '%{http_code}', ...args], { input: 'x' })
    t.equal(now.stdout.toString(), '503')
  }
})

part('a producer with many lines and one with few take turns', async (t) => {
  const gateway = await startGateway(t)
  const many = pours(gateway, numbers(3000, 'many'))
  await eventually(() => countsOf(gateway)?.senders === 1 || 'it does not wait')
  const few = pours(gateway, numbers(20, 'few'))
  await eventually(() => countsOf(gateway)?.senders === 2 || 'it does not wait')
  const worker = await hires(gateway)
  t.equal((await few).body.toString(), '[INFO] Delivered 20 job(s).\n')
  t.equal((await many).body.toString(), '[INFO] Delivered 3000 job(s).\n')
  await eventually(() => linesOf(worker).length === 3020 || `${linesOf(worker).length} lines`)
  const order = linesOf(worker).map((line) => line.split(' ')[0])
  t.ok(order.lastIndexOf('few') <= 45, `the last of the few is number ${order.lastIndexOf('few')}`)
  worker.destroy()
})

part('a producer that leaves takes along what nobody has begun', async (t) => {
  const gateway = await startGateway(t)
  const { table } = gateway.gateway
  const producer = curl(['-N', '-T', '.', `${gateway.origin}/q?queue&lines`])
  producer.stdin.write('a\nb\nc\n')
  await eventually(() => countsOf(gateway)?.senders === 1 || 'it does not wait')
  producer.kill()
  await eventually(() => table.get('q') === undefined || JSON.stringify(table.get('q')?.queue))
  t.equal(gateway.gateway.slabs.heldBytes, 0)
})

part('a shutdown: a worker gets a clean end, and a producer is told', async (t) => {
  const gateway = await startGateway(t)
  const worker = await hires(gateway)
  const producer = curl(['-w', '%{http_code}', '-T', '.', `${gateway.origin}/q?queue&lines`])
  producer.stdin.write('a\n')
  await hasLines(worker, ['a'])
  const stopped = gateway.gateway.stop(5000)
  const { body, complete } = await worker.waitForResponse()
  t.same([body.toString(), complete], ['a\n', true])
  const { stdout } = await producer.result
  t.match(
    stdout.toString(),
    /^\[ERROR\] Server shutting down\. Before that 1 job\(s\) were delivered, and 0 lost\.\n503$/,
  )
  worker.destroy()
  await stopped
})

part('an operator stops the queue', async (t) => {
  const gateway = await startGateway(t)
  const worker = await hires(gateway)
  const producer = curl(['-w', '%{http_code}', '-T', '.', `${gateway.origin}/q?queue&lines`])
  producer.stdin.write('a\n')
  await hasLines(worker, ['a'])
  await sleep(0)
  gateway.gateway.table.stop('q', { code: 'MINE', status: 409, message: 'Not today.', hint: 'Come back.' })
  t.match((await producer.result).stdout.toString(), /Not today\. Before that \d job\(s\) were delivered.*\n409$/)
  await worker.waitForClose()
  t.notOk(worker.text.endsWith('0\r\n\r\n'), 'no clean end')
})
