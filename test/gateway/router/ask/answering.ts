/** Questions and answers that get through: what each side is told and gets. */
import { curl, curlDone } from '../../../support/curl.js'
import { startGateway } from '../../../support/gateway.js'
import { amount } from '../../../support/thorough.js'
import { answerId, answers, answerTo, counts, nothingLeft, open, part, serves } from './rig.js'

const MIB = 1024 * 1024

part('with curl: a question, a worker, and its answer with type, disposition and status', async (t) => {
  const gateway = await startGateway(t)
  const asker = curl(
    ['-si', '--data-binary', '@-', '-H', 'Content-Type: text/x-question', '-H', 'X-Piping: 7', gateway.url('q?ask')],
    {
      input: 'how many?',
    },
  )
  await counts(gateway, 1, 0)
  const question = (await curlDone(['-si', gateway.url('q?serve')])).stdout.toString()
  t.match(question, /\r\nContent-Type: text\/x-question\r\n/)
  t.match(question, /\r\nX-Piping: 7\r\n/)
  t.match(question, /\r\nX-Pipe-Ask-Method: POST\r\n/)
  t.match(question, /\r\nAccess-Control-Expose-Headers: X-Piping, X-Pipe-Ask-Method, X-Pipe-Answer\r\n/)
  t.match(question, /\r\n\r\nhow many\?$/)
  const address = /\r\nX-Pipe-Answer: (\S+)\r\n/.exec(question)?.[1]
  t.match(address, new RegExp(`^${gateway.url('q')}\\?answer=[\\w-]{32}$`), 'the whole address')
  const told = await curlDone(
    [
      ...[
        '-T',
        '-',
        '-H',
        'Content-Type: application/json',
        '-H',
        'Content-Disposition: attachment; filename="n.json"',
      ],
      ...['-H', 'X-Pipe-Answer-Status: 422', address!],
    ],
    { input: '{"n":3}' },
  )
  t.match(told.stdout.toString(), /\[INFO\] Upload complete\.\n\[INFO\] Transfer complete\.\n$/)
  const answer = (await asker.result).stdout.toString()
  t.match(answer, /^HTTP\/1\.1 422 Unprocessable Entity\r\n/)
  t.match(answer, /\r\nContent-Type: application\/json\r\n/)
  t.match(answer, /\r\nContent-Disposition: attachment; filename=n\.json\r\n/)
  t.notMatch(answer, /X-Pipe-Code/i, 'a failure that the worker tells is none of the gateway')
  t.match(answer, /\r\n\r\n\{"n":3\}$/)
  await nothingLeft(gateway)
  const lines = gateway.lines.filter(({ msg }) => msg === 'transfer')
  t.match(lines, [
    { pipe: 'q', kind: 'ask', reason: 'complete', bytesIn: 9 },
    { pipe: 'q', kind: 'ask', reason: 'complete', bytesIn: 7, answer: true },
  ])
})

part('each method asks, and one with nothing to say as well', async (t) => {
  const gateway = await startGateway(t)
  const worker = await open(gateway)
  for (const [method, body] of [
    ['GET', undefined],
    ['POST', ''],
    ['POST', 'a'],
    ['PUT', 'b'],
  ] as const) {
    await worker.request('GET', 'q?serve')
    const asker = await open(gateway)
    await asker.request(method, 'q?ask', body)
    const question = await worker.response()
    t.equal(question.headers['x-pipe-ask-method']?.[0], method)
    t.equal(question.body.toString(), body ?? '')
    await answers(gateway, answerTo(question), `${method} it is`)
    t.equal((await asker.response()).body.toString(), `${method} it is`)
    asker.raw.destroy()
  }
  worker.raw.destroy()
})

part('questions and answers of every length and framing, and large ones under backpressure', async (t) => {
  const gateway = await startGateway(t)
  for (const length of [0, 1, 4096, 4097, 100_000, 3 * MIB]) {
    for (const isChunked of [false, true]) {
      const text = 'x'.repeat(length)
      const how = isChunked ? ['-H', 'Transfer-Encoding: chunked'] : []
      const asker = curl(['-s', '--data-binary', '@-', ...how, gateway.url('q?ask')], { input: text })
      const worker = await serves(gateway)
      const question = await worker.response(30_000)
      const told = await curlDone(['-s', '-X', 'PUT', '--data-binary', '@-', ...how, gateway.url(answerTo(question))], {
        input: question.body,
      })
      t.match(told.stdout.toString(), /Transfer complete\.\n$/)
      t.equal((await asker.result).stdout.toString() === text, true, `${length} bytes${isChunked ? ', chunked' : ''}`)
      worker.raw.destroy()
    }
  }
  await nothingLeft(gateway)
})

part('an answer begins before the question has ended, and both go on', async (t) => {
  const gateway = await startGateway(t)
  const asker = await open(gateway)
  await asker.request('POST', 'q?ask', undefined, 'Transfer-Encoding: chunked')
  await asker.raw.send('5\r\nfirst\r\n')
  const worker = await serves(gateway)
  await worker.raw.waitFor('first')
  const answering = await open(gateway)
  await answering.request('PUT', answerTo(await worker.head()), undefined, 'Transfer-Encoding: chunked')
  await answering.raw.send('3\r\none\r\n')
  await asker.raw.waitFor('one')
  await asker.raw.send('6\r\nsecond\r\n')
  await worker.raw.waitFor('second')
  await answering.raw.send('3\r\ntwo\r\n')
  await asker.raw.waitFor('two')
  await asker.raw.send('0\r\n\r\n')
  t.equal((await worker.response()).body.toString(), 'firstsecond')
  await answering.raw.send('0\r\n\r\n')
  t.equal((await asker.response()).body.toString(), 'onetwo')
  await answering.raw.waitFor('Transfer complete.')
  for (const client of [asker, worker, answering]) client.raw.destroy()
  await nothingLeft(gateway)
})

part(
  'an answer that ends before the question: the asker has it whole, and the worker sees that there was more',
  async (t) => {
    const gateway = await startGateway(t)
    for (const length of [undefined, 1000]) {
      const asker = await open(gateway)
      const framing = length === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
      await asker.request('POST', 'q?ask', undefined, framing)
      await asker.raw.send(length === undefined ? '5\r\nfirst\r\n' : 'first')
      const worker = await serves(gateway)
      await worker.raw.waitFor('first')
      const told = await answers(gateway, answerTo(await worker.head()), 'enough', 'X-Pipe-Answer-Status: 413')
      t.match(told.body.toString(), /Transfer complete\.\n$/)
      const answer = await asker.response()
      t.same([answer.status, answer.body.toString()], [413, 'enough'])
      t.equal(answer.headers.connection?.[0], 'close', 'what is left of its question is no request')
      await worker.raw.waitForClose()
      asker.raw.destroy()
      await nothingLeft(gateway)
    }
  },
)

part('an early answer to curl, whose upload is large: it is shown, and all of it', async (t) => {
  const gateway = await startGateway(t)
  const asker = curl(['-s', '-w', '%{http_code}', '-X', 'POST', '-T', '-', gateway.url('q?ask')], {
    input: Buffer.alloc(20 * MIB),
  })
  const worker = await serves(gateway)
  await answers(gateway, answerTo(await worker.head()), 'no, thank you', 'X-Pipe-Answer-Status: 413')
  t.equal((await asker.result).stdout.toString(), 'no, thank you413')
  worker.raw.destroy()
  await nothingLeft(gateway)
})

part(
  'statuses without a body: what the worker sends is dropped, and the connection is as good as before',
  async (t) => {
    const gateway = await startGateway(t)
    const asker = await open(gateway)
    for (const [status, body, isBare] of [
      ['204', '', true],
      ['204', 'dropped', true],
      ['304', 'dropped', true],
      ['201', '', false],
      ['599', 'kept', false],
    ] as const) {
      for (const isChunked of [false, true]) {
        await asker.request('GET', 'q?ask')
        const worker = await serves(gateway)
        const to = answerTo(await worker.response())
        const how = [
          '-H',
          `X-Pipe-Answer-Status: ${status}`,
          ...(isChunked ? ['-H', 'Transfer-Encoding: chunked'] : []),
        ]
        const told = await curlDone(['-s', '-X', 'PUT', '--data-binary', '@-', ...how, gateway.url(to)], {
          input: body,
        })
        t.match(told.stdout.toString(), /Transfer complete\.\n$/)
        const answer = await asker.response(10_000, isBare)
        t.equal(answer.status, Number(status))
        if (isBare)
          t.same(
            Object.keys(answer.headers).filter((name) => /length|encoding/.test(name)),
            [],
          )
        else t.equal(answer.body.toString(), body)
        worker.raw.destroy()
      }
    }
    asker.raw.destroy()
    await nothingLeft(gateway)
  },
)

part('POST ?serve&answer=ID answers one and takes the next, on one connection', async (t) => {
  const gateway = await startGateway(t)
  const worker = await serves(gateway)
  const asker = await open(gateway)
  const rounds = amount(1000, 10_000)
  for (let i = 0; i < rounds; i++) {
    await asker.request('POST', 'q?ask', `question ${i}`)
    const question = await worker.response()
    if (question.body.toString() !== `question ${i}`) t.fail(`another question than ${i}`)
    await worker.request('POST', `q?serve&answer=${answerId(question)}`, `answer ${i}`)
    const answer = await asker.response()
    if (answer.body.toString() !== `answer ${i}`) t.fail(`another answer than ${i}: ${answer.body}`)
  }
  t.pass(`${rounds} questions`)
  await counts(gateway, 0, 1)
  for (const client of [worker, asker]) client.raw.destroy()
  await nothingLeft(gateway)
})

part('many askers and workers at once: each gets the answer to its own question', async (t) => {
  const gateway = await startGateway(t)
  const each = amount(25, 200)
  const work = async () => {
    const worker = await serves(gateway, '&wait=2')
    for (;;) {
      const question = await worker.response(20_000)
      if (question.status === 408) break
      const status = `X-Pipe-Answer-Status: ${200 + (question.body.length % 2)}`
      await worker.request('POST', `q?serve&wait=2&answer=${answerId(question)}`, `re: ${question.body}`, status)
    }
    worker.raw.destroy()
  }
  const ask = async (who: number) => {
    const asker = await open(gateway)
    for (let i = 0; i < each; i++) {
      const text = `${who} asks ${i}${'!'.repeat(i % 7)}`
      await asker.request('PUT', 'q?ask', text)
      const answer = await asker.response(20_000)
      if (answer.body.toString() !== `re: ${text}`) t.fail(`${text}: ${answer.body}`)
    }
    asker.raw.destroy()
  }
  const workers = Array.from({ length: 8 }, work)
  await Promise.all(Array.from({ length: 40 }, (_, who) => ask(who)))
  await Promise.all(workers)
  t.pass(`${40 * each} questions`)
  await nothingLeft(gateway)
})

part('HTTP/1.0: the answer ends with the connection, and the address has no host', async (t) => {
  const gateway = await startGateway(t)
  const asker = await gateway.connect()
  await asker.send('POST /q?ask HTTP/1.0\r\nContent-Length: 3\r\n\r\nwhy')
  const worker = await gateway.connect()
  await worker.send('GET /q?serve HTTP/1.0\r\n\r\n')
  await worker.waitForClose()
  const address = /\r\nX-Pipe-Answer: (\S+)\r\n/.exec(worker.text)?.[1]
  t.match(address, /^\/q\?answer=[\w-]{32}$/)
  await curlDone(['-T', '-', `${gateway.origin}${address}`], { input: 'because' })
  await asker.waitForClose()
  t.match(asker.text, /^HTTP\/1\.[01] 200 OK\r\n[\s\S]*\r\n\r\nbecause$/)
  await nothingLeft(gateway)
})

part('a name in a prefix, with what is not ASCII, and other parameters: the address leads back', async (t) => {
  const gateway = await startGateway(t)
  for (const [name, other] of [
    ['api/v1/pipe/caf%c3%a9/x', ''],
    ['a%20b', '&hello=1'],
  ]) {
    const asker = curl(['-s', `${gateway.origin}/${name}?ask`])
    const { stdout } = await curlDone(['-si', `${gateway.origin}/${name}?serve${other}`])
    const address = /\r\nX-Pipe-Answer: (\S+)\r\n/.exec(stdout.toString())?.[1] ?? ''
    t.ok(address.startsWith(`${gateway.origin}/${name}?`), address)
    t.equal(address.includes('hello=1&answer='), other !== '')
    await curlDone(['-T', '-', address], { input: 'found' })
    t.equal((await asker.result).stdout.toString(), 'found')
  }
})
