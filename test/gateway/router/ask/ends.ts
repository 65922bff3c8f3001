/** The ends: nobody there, no answer, the answer broke; and who is gone, at each moment. */
import { curl, curlDone } from '../../../support/curl.js'
import { startGateway } from '../../../support/gateway.js'
import { answers, answerTo, asks, type Client, counts, failure, nothingLeft, open, part, serves } from './rig.js'

part('nobody there, no answer, and nobody waits: three that never look alike', async (t) => {
  const gateway = await startGateway(t)
  const ask = async (query: string) => {
    const args = ['-s', '-w', '%{http_code} %header{x-pipe-code}', gateway.url(`q?ask${query}`)]
    return (await curlDone(args)).stdout.toString()
  }
  t.match(await ask('&now'), /^\[ERROR\] Nobody is waiting for this name\..*\n503 NOBODY_WAITING$/)
  t.equal(await ask('&wait=1'), '[ERROR] Timed out waiting for a worker.\n408 NO_RECEIVERS')
  const worker = await serves(gateway)
  await counts(gateway, 0, 1)
  t.equal(await ask('&now&within=1'), '[ERROR] Nobody answered in time.\n504 NO_ANSWER')
  const question = await worker.response()
  t.equal(failure(await answers(gateway, answerTo(question), 'too late')), '410 ANSWER_GONE')
  const alone = await curlDone(['-s', '-w', '%{http_code}', gateway.url('q?serve&wait=1')])
  t.equal(alone.stdout.toString(), '[ERROR] Timed out waiting for a question.\n408')
  worker.raw.destroy()
  await nothingLeft(gateway)
})

part('the time for the answer is over while the question is on its way', async (t) => {
  const gateway = await startGateway(t)
  const asker = await open(gateway)
  await asker.request('POST', 'q?ask&within=1', undefined, 'Transfer-Encoding: chunked')
  await asker.raw.send('5\r\nfirst\r\n')
  const worker = await serves(gateway)
  await worker.raw.waitFor('first')
  t.equal(failure(await asker.response()), '504 NO_ANSWER')
  await worker.raw.waitForClose()
  asker.raw.destroy()
  await nothingLeft(gateway)
})

part('an answer to what is used, made up, or of another name', async (t) => {
  const gateway = await startGateway(t)
  const asker = await asks(gateway, 'why')
  const worker = await serves(gateway)
  const question = await worker.response()
  const to = answerTo(question)
  t.equal(failure(await answers(gateway, to.replace('q?', 'other?'), 'x')), '404 NO_SUCH_ANSWER')
  for (const id of ['x', 'A'.repeat(32), `${to.split('=')[1]!.slice(0, -2)}AA`]) {
    t.equal(failure(await answers(gateway, `q?answer=${id}`, 'x')), '404 NO_SUCH_ANSWER', id)
  }
  const made = await open(gateway)
  await made.request('POST', 'q?serve&answer=made-up', 'x')
  t.equal(failure(await made.response()), '404 NO_SUCH_ANSWER')
  t.match((await answers(gateway, to, 'because')).body.toString(), /Transfer complete/)
  t.equal((await asker.response()).body.toString(), 'because')
  t.equal(failure(await answers(gateway, to, 'again')), '410 ANSWER_GONE')
  const late = await open(gateway)
  await late.request('POST', to.replace('answer', 'serve&answer'), 'again')
  t.equal(failure(await late.response()), '410 ANSWER_GONE')
  for (const client of [asker, worker, made, late]) client.raw.destroy()
  await nothingLeft(gateway)
})

part('what is refused before it takes a place, or uses up the address', async (t) => {
  const gateway = await startGateway(t)
  const asker = await asks(gateway, 'why')
  const worker = await serves(gateway)
  const to = answerTo(await worker.response())
  for (const status of ['199', '600', 'ok', '200 OK'])
    t.equal(failure(await answers(gateway, to, 'x', `X-Pipe-Answer-Status: ${status}`)), '400 BAD_PARAMETER', status)
  for (const query of ['n=2', 'min=1', 'within=1', 'now', 'wait=3'])
    t.equal(failure(await answers(gateway, `${to}&${query}`, 'x')), '400 NOT_WITH_ASK', query)
  t.match((await answers(gateway, `${to}&sha256`, 'because')).body.toString(), /\[INFO\] SHA-256: [0-9a-f]{64}\n/)
  t.equal((await asker.response()).body.toString(), 'because')
  const client = await open(gateway)
  const refused = async (method: string, target: string) => {
    await client.request(method, target, method === 'GET' ? undefined : '')
    return failure(await client.response())
  }
  for (const query of ['n=2', 'sha256', 'min=1', 'slow=cut', 'lag=1', 'join=byte', 'reply=end'])
    t.equal(await refused('GET', `q?ask&${query}`), '400 NOT_WITH_ASK', query)
  for (const query of ['n=2', 'sha256', 'take=1', 'within=1', 'size=1'])
    t.equal(await refused('GET', `q?serve&${query}`), '400 NOT_WITH_ASK', query)
  for (const query of ['within=0', 'within=x', 'take=0', 'wait=0', 'filename='])
    t.equal(await refused('GET', `q?ask&${query}`), '400 BAD_PARAMETER', query)
  t.equal(await refused('PUT', 'q?serve'), '400 BAD_PARAMETER')
  t.equal(await refused('GET', 'q?answer=x'), '405 METHOD_NOT_ALLOWED')
  t.equal(await refused('GET', 'q?serve&answer=x'), '405 METHOD_NOT_ALLOWED')
  for (const query of ['ask&serve', 'ask&answer=x', 'queue&answer=x', 'ask&queue', 'serve&answer=x&live'])
    t.equal(await refused('PUT', `q?${query}`), '400 TWO_KINDS', query)
  for (const each of [asker, worker, client]) each.raw.destroy()
  await nothingLeft(gateway)
})

// --- the worker is gone

part('a worker that leaves while it waits, and one that is gone the moment before a question comes', async (t) => {
  const gateway = await startGateway(t)
  for (const way of ['destroy', 'reset'] as const) {
    const dead = await serves(gateway)
    await counts(gateway, 0, 1)
    const living = await serves(gateway)
    await counts(gateway, 0, 2)
    const asker = await open(gateway)
    dead.raw[way]()
    await asker.request('POST', 'q?ask', 'who is there?')
    const question = await living.response()
    t.equal(question.body.toString(), 'who is there?')
    await answers(gateway, answerTo(question), 'I am')
    t.equal((await asker.response()).body.toString(), 'I am')
    for (const client of [asker, living]) client.raw.destroy()
    await nothingLeft(gateway)
  }
})

part('a worker that leaves with a part of the question: 502', async (t) => {
  const gateway = await startGateway(t)
  const asker = await open(gateway)
  await asker.request('POST', 'q?ask', undefined, 'Transfer-Encoding: chunked')
  await asker.raw.send('5\r\nfirst\r\n')
  const worker = await serves(gateway)
  await worker.raw.waitFor('first')
  const to = answerTo(await worker.head())
  worker.raw.destroy()
  const answer = await asker.response()
  t.equal(failure(answer), '502 RECEIVERS_LEFT')
  t.equal(answer.body.toString(), '[ERROR] Transfer failed: the worker left before it had the whole question.\n')
  t.equal(failure(await answers(gateway, to, 'x')), '410 ANSWER_GONE')
  asker.raw.destroy()
  await nothingLeft(gateway)
})

part('a worker that leaves with the whole question cannot be seen to: 504', async (t) => {
  const gateway = await startGateway(t)
  const asker = await asks(gateway, 'why', '&within=1')
  const worker = await serves(gateway)
  await worker.response()
  worker.raw.destroy()
  t.equal(failure(await asker.response()), '504 NO_ANSWER')
  asker.raw.destroy()
  await nothingLeft(gateway)
})

for (const isWhole of [true, false]) {
  part(
    `a worker that leaves in the middle of its answer: cut (question ${isWhole ? 'over' : 'on its way'})`,
    async (t) => {
      const gateway = await startGateway(t)
      const asker = curl(['-sN', '-X', 'POST', '-T', '.', gateway.url('q?ask')])
      asker.stdin.write('why')
      if (isWhole) asker.stdin.end()
      const worker = await serves(gateway)
      await worker.raw.waitFor('why')
      const answering = await open(gateway)
      await answering.request('PUT', answerTo(await worker.head()), undefined, 'Transfer-Encoding: chunked')
      await answering.raw.send('3\r\nbec\r\n')
      await asker.waitFor('bec')
      answering.raw.destroy()
      t.ok([18, 56].includes((await asker.result).code ?? 0), 'never a clean end')
      worker.raw.destroy()
      await nothingLeft(gateway)
    },
  )
}

part('broken framing of an answer before its first byte: 502, and behind it: cut', async (t) => {
  const gateway = await startGateway(t)
  for (const begun of ['', '3\r\nbec\r\n']) {
    const asker = await asks(gateway, 'why')
    const worker = await serves(gateway)
    const answering = await open(gateway)
    await answering.request('PUT', answerTo(await worker.response()), undefined, 'Transfer-Encoding: chunked')
    if (begun !== '') {
      await answering.raw.send(begun)
      await asker.raw.waitFor('bec')
    }
    await answering.raw.send('no chunk\r\n')
    if (begun === '') t.equal(failure(await asker.response()), '502 BROKEN_BODY')
    else {
      await asker.raw.waitForClose()
      t.notMatch(asker.raw.text, /\r\n0\r\n\r\n$/)
    }
    for (const client of [asker, worker, answering]) client.raw.destroy()
    await nothingLeft(gateway)
  }
})

part('a worker that leaves in the middle of an answer that takes the next question along', async (t) => {
  const gateway = await startGateway(t)
  const asker = await asks(gateway, 'why')
  const worker = await serves(gateway)
  const id = answerTo(await worker.response()).split('=')[1]
  await worker.request('POST', `q?serve&answer=${id}`, undefined, 'Transfer-Encoding: chunked')
  await worker.raw.send('3\r\nbec\r\n')
  await asker.raw.waitFor('bec')
  await counts(gateway, 0, 0, 1)
  worker.raw.destroy()
  await asker.raw.waitForClose()
  t.notMatch(asker.raw.text, /\r\n0\r\n\r\n$/)
  await nothingLeft(gateway)
})

// --- the asker is gone

/** Brings a question to each of its moments, and calls `leaves` there. */
const MOMENTS: Record<string, (asker: Client, worker: Client, answering: Client) => Promise<void>> = {
  'in the middle of its question': async (asker, worker) => {
    await asker.raw.send('3\r\nwhy\r\n')
    await worker.raw.waitFor('why')
  },
  'while its worker thinks': async (asker, worker) => {
    await asker.raw.send('3\r\nwhy\r\n0\r\n\r\n')
    await worker.response()
  },
  'in the middle of both': async (asker, worker, answering) => {
    await asker.raw.send('3\r\nwhy\r\n')
    await worker.raw.waitFor('why')
    await answering.request('PUT', answerTo(await worker.head()), undefined, 'Transfer-Encoding: chunked')
    await answering.raw.send('3\r\nbec\r\n')
    await asker.raw.waitFor('bec')
  },
  'in the middle of the answer': async (asker, worker, answering) => {
    await asker.raw.send('3\r\nwhy\r\n0\r\n\r\n')
    await answering.request('PUT', answerTo(await worker.response()), undefined, 'Transfer-Encoding: chunked')
    await answering.raw.send('3\r\nbec\r\n')
    await asker.raw.waitFor('bec')
  },
}

for (const [moment, comes] of Object.entries(MOMENTS)) {
  for (const way of ['destroy', 'reset'] as const) {
    part(`an asker that leaves ${moment} (${way})`, async (t) => {
      const gateway = await startGateway(t)
      const worker = await serves(gateway)
      await counts(gateway, 0, 1)
      const [asker, answering] = [await open(gateway), await open(gateway)]
      await asker.request('POST', 'q?ask', undefined, 'Transfer-Encoding: chunked')
      await comes(asker, worker, answering)
      const to = answerTo(worker.raw.text)
      asker.raw[way]()
      if (!moment.includes('thinks') && !moment.includes('of the answer')) {
        await worker.raw.waitForClose()
        t.notMatch(worker.raw.text, /\r\n0\r\n\r\n$/, 'the question is cut')
      }
      if (moment.includes('both') || moment.includes('of the answer')) {
        await answering.raw.waitFor('[ERROR] Transfer failed: who asked has left before the end of the answer.')
      }
      await nothingLeft(gateway)
      t.equal(failure(await answers(gateway, to, 'x')), '410 ANSWER_GONE')
      for (const client of [worker, answering]) client.raw.destroy()
    })
  }
}

part('an asker that leaves while it waits, its upload held', async (t) => {
  const gateway = await startGateway(t)
  const asker = await open(gateway)
  await asker.request('POST', 'q?ask', undefined, 'Content-Length: 1000000')
  await asker.raw.send('x'.repeat(20_000))
  await counts(gateway, 1, 0)
  asker.raw.destroy()
  await nothingLeft(gateway)
  t.equal(await gateway.ended('q'), 'abandoned')
})

part(
  'an asker that leaves while an answer takes the next question along: the worker is told, and gets none',
  async (t) => {
    const gateway = await startGateway(t)
    const asker = await asks(gateway, 'why')
    const worker = await serves(gateway)
    const id = answerTo(await worker.response()).split('=')[1]
    await worker.request('POST', `q?serve&answer=${id}`, undefined, 'Transfer-Encoding: chunked')
    await worker.raw.send('3\r\nbec\r\n')
    await asker.raw.waitFor('bec')
    asker.raw.destroy()
    t.equal(failure(await worker.response()), '502 RECEIVERS_LEFT')
    worker.raw.destroy()
    await nothingLeft(gateway)
  },
)

part('a shutdown: who waits is told, and a worker may answer what it has', async (t) => {
  const gateway = await startGateway(t)
  const [asker, waiting] = [await asks(gateway, 'why'), await open(gateway)]
  const worker = await serves(gateway)
  const question = await worker.response()
  await waiting.request('GET', 'q?ask')
  await counts(gateway, 1, 0, 1)
  const stopped = gateway.gateway.stop(10_000)
  t.equal(failure(await waiting.response()), '503 SHUTTING_DOWN')
  await worker.request('PUT', answerTo(question), 'because')
  t.equal((await asker.response()).body.toString(), 'because')
  for (const client of [asker, waiting, worker]) client.raw.destroy()
  await stopped
})
