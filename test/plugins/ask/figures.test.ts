/** What is told of questions and of their answers: snapshots, events, receipts, metrics, logs. */
import t, { type Test } from 'tap'
import type { Snapshot } from '../../../plugins/transfer-status/snapshot.js'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { Exposition } from '../../support/exposition.js'
import type { Running } from '../../support/gateway.js'
import { type LoggedGateway, startLogged } from '../logged-gateway.js'

async function status(gateway: Running, query: string): Promise<Snapshot> {
  return JSON.parse((await curlDone([gateway.url(`loud?${query}`)])).stdout.toString())
}

async function metrics(gateway: Running): Promise<Exposition> {
  return new Exposition((await curlDone([gateway.url('metrics')])).stdout.toString())
}

const counts = (gateway: Running, askers: number, workers: number, unanswered: number) =>
  eventually(() => {
    const found = gateway.gateway.table.get('loud')?.ask
    const isSo = found?.askers === askers && found.workers === workers && found.unanswered === unanswered
    return isSo || JSON.stringify(found)
  })

/** A worker takes a question. Resolves with the address for its answer. */
async function take(gateway: Running): Promise<string> {
  const head = (await curlDone(['-si', gateway.url('loud?serve')])).stdout.toString()
  const address = /\r\nX-Pipe-Answer: (\S+)\r\n/.exec(head)?.[1]
  if (address === undefined) throw new Error(`no question: ${head}`)
  return address
}

t.test('a question, from the wait of its asker to the receipt of its answer', async (t) => {
  const { gateway, accessLines } = await startLogged(t)
  const spectator = curl(['-N', gateway.url('loud?progress')])
  await spectator.waitFor('event: state')
  const asker = curl(['-N', '-d', 'how many?', gateway.url('loud?ask')])
  await counts(gateway, 1, 0, 0)
  await spectator.waitFor(
    /event: state\ndata: \{"state":"waiting","kind":"ask".*"waitingAskers":1,"waitingWorkers":0,"unanswered":0/,
  )
  t.match(await status(gateway, 'status'), {
    state: 'waiting',
    kind: 'ask',
    ask: true,
    waitingAskers: 1,
    waitingWorkers: 0,
    unanswered: 0,
    transferId: null,
    hasSender: true,
    receivers: 0,
    totalReceivers: null,
  })
  const before = await metrics(gateway)
  t.equal(before.value('pipegate_ask_names'), 1)
  t.equal(before.value('pipegate_ask_waiting', { side: 'asker' }), 1)
  t.equal(before.value('pipegate_ask_waiting', { side: 'worker' }), 0)
  t.equal(before.value('pipegate_ask_unanswered'), 0)

  const address = await take(gateway)
  await counts(gateway, 0, 0, 1)
  await spectator.waitFor(/event: state\ndata: \{"state":"streaming","kind":"ask".*"unanswered":1/)
  t.match(await status(gateway, 'status'), { state: 'streaming', bytes: 9, waitingAskers: 0, unanswered: 1 })
  t.equal((await metrics(gateway)).value('pipegate_ask_unanswered'), 1)
  const worker = curl(['-N', '-T', '.', `${address}&transfer=the-first-answer`])
  worker.stdin.write('0123456789')
  await asker.waitFor('0123456789')
  await spectator.waitFor(/event: progress\ndata: \{"bytes":19,.*"ask":true/)
  t.match(await status(gateway, 'status&transfer=the-first-answer'), {
    state: 'streaming',
    kind: 'ask',
    transferId: 'the-first-answer',
    bytes: 10,
    totalReceivers: 1,
  })
  t.notOk('ask' in (await status(gateway, 'status&transfer=the-first-answer')), 'it is one of many')
  worker.stdin.end()
  t.equal((await worker.result).code, 0)
  t.equal((await asker.result).code, 0)
  t.match(await status(gateway, 'status&transfer=the-first-answer'), { state: 'complete', kind: 'ask', bytes: 10 })
  t.match(await status(gateway, 'status'), { state: 'idle', last: { transferId: 'the-first-answer', kind: 'ask' } })
  await spectator.waitFor(
    /event: state\ndata: \{"state":"idle".*"last":\{"state":"complete","transferId":"the-first-an/,
  )
  t.notMatch(spectator.stdoutText, 'event: done', 'others may ask here')
  t.notMatch(spectator.stdoutText, new URL(address).searchParams.get('answer')!, 'nobody else can answer')
  spectator.kill()

  const after = await metrics(gateway)
  t.same([after.value('pipegate_ask_names'), after.value('pipegate_ask_unanswered')], [0, 0])
  t.equal(after.value('pipegate_sent_bytes_total'), 19)
  t.equal(after.value('pipegate_transfers_total', { reason: 'complete' }), 2)
  t.equal(after.value('pipegate_ask_returns_total'), 0)
  const [question, answer, ...others] = gateway.lines.filter(({ msg }) => msg === 'transfer')
  t.same(others, [])
  t.match(question, { pipe: 'loud', kind: 'ask', bytesIn: 9, bytesOut: 9, reason: 'complete', answer: undefined })
  t.match(answer, { pipe: 'loud', kind: 'ask', bytesIn: 10, bytesOut: 10, reason: 'complete', answer: true })
  await eventually(() => transfers({ accessLines }).length === 2 || 'no lines yet')
  t.match(transfers({ accessLines }), [
    { name: 'loud', kind: 'ask', receivers: 1, bytesIn: 9, reason: 'complete', answer: undefined },
    { name: 'loud', kind: 'ask', receivers: 1, bytesIn: 10, reason: 'complete', answer: true },
  ])
})

const transfers = ({ accessLines }: Pick<LoggedGateway, 'accessLines'>) =>
  accessLines().filter(({ msg }) => msg === 'transfer')

t.test('a worker that is gone is counted, and told of', async (t) => {
  const { gateway } = await startLogged(t)
  const workers = [1, 2].map(() => curl(['-N', gateway.url('loud?serve')]))
  await counts(gateway, 0, 2, 0)
  t.match(await status(gateway, 'status'), { state: 'waiting', hasSender: false, waitingWorkers: 2, receivers: 2 })
  t.equal((await metrics(gateway)).value('pipegate_ask_waiting', { side: 'worker' }), 2)
  for (const worker of workers) worker.kill()
  await eventually(() => gateway.gateway.table.get('loud') === undefined || 'they are still there')
  t.match(await status(gateway, 'status'), { state: 'idle', last: null }, 'who waited in vain is no transfer')
  t.equal((await metrics(gateway)).value('pipegate_ask_names'), 0)
})

/** How an answer ends besides well, and what the access log then has of it, and of the asker's request. */
const ENDS: Readonly<Record<string, (t: Test, gateway: Running) => Promise<{ answer?: object; asker: object }>>> = {
  'its worker leaves in the middle': async (_t, gateway) => {
    const asker = curl(['-N', '-d', 'x', gateway.url('loud?ask')])
    const worker = curl(['-N', '-T', '.', await take(gateway)])
    worker.stdin.write('half')
    await asker.waitFor('half')
    worker.kill()
    await asker.result
    return {
      answer: { reason: 'sender_left', bytesIn: 4 },
      asker: { status: 200, outcome: 'cut', reason: 'sender_left' },
    }
  },
  'its asker leaves in the middle': async (_t, gateway) => {
    const asker = curl(['-N', '-d', 'x', gateway.url('loud?ask')])
    const worker = curl(['-N', '-T', '.', await take(gateway)])
    worker.stdin.write('half')
    await asker.waitFor('half')
    asker.kill()
    await worker.waitFor('[ERROR]')
    // It would wait for more to send.
    worker.kill()
    return { answer: { reason: 'receivers_left', bytesIn: 4 }, asker: { status: 200, outcome: 'aborted' } }
  },
  'it never begins': async (t, gateway) => {
    const asker = curl(['-si', '-d', 'x', gateway.url('loud?ask&within=1')])
    await take(gateway)
    t.match((await asker.result).stdout.toString(), /^HTTP\/1\.1 504 [\s\S]*\r\nX-Pipe-Code: NO_ANSWER\r\n/)
    return { asker: { status: 504, outcome: 'answered', reason: 'no_answer' } }
  },
}

for (const [how, happen] of Object.entries(ENDS)) {
  t.test(`the log says of an answer that ${how}`, async (t) => {
    const { gateway, accessLines } = await startLogged(t)
    const { answer, asker } = await happen(t, gateway)
    const lines = [
      { answer: undefined, reason: 'complete' },
      ...(answer === undefined ? [] : [{ answer: true, ...answer }]),
    ]
    await eventually(() => transfers({ accessLines }).length >= lines.length || JSON.stringify(accessLines()))
    const found = transfers({ accessLines })
    t.equal(found.length, lines.length)
    t.match(found, lines)
    const asked = () =>
      accessLines().find(({ msg, method, name }) => msg === 'request' && method === 'POST' && name === 'loud')
    await eventually(() => asked() !== undefined || 'no line of the request')
    t.match(asked(), asker)
    t.equal((await metrics(gateway)).value('pipegate_ask_unanswered'), 0)
  })
}

t.test('who is not answered in time is counted, whether the worker had all of the question or not', async (t) => {
  const { gateway } = await startLogged(t)
  const counted = async () => (await metrics(gateway)).value('pipegate_ask_timeouts_total')
  t.equal(await counted(), 0)
  const whole = curl(['-s', '-w', '%{http_code}', '-o', '/dev/null', '-d', 'x', gateway.url('loud?ask&within=1')])
  await take(gateway)
  t.equal((await whole.result).stdout.toString(), '504')
  await eventually(async () => (await counted()) === 1 || `${await counted()} are counted`)
  t.equal(
    (await metrics(gateway)).value('pipegate_transfers_total', { reason: 'no_answer' }),
    0,
    'its transfer went well',
  )

  const half = curl(['-sN', '-w', '%{http_code}', '-X', 'POST', '-T', '.', gateway.url('loud?ask&within=1')])
  half.stdin.write('half')
  const worker = curl(['-sN', gateway.url('loud?serve')])
  await worker.waitFor('half')
  t.match((await half.result).stdout.toString(), /504$/)
  t.not((await worker.result).code, 0, 'its response is cut for the same reason, and it did not ask')
  await eventually(async () => (await counted()) === 2 || `${await counted()} are counted`)
  t.equal((await metrics(gateway)).value('pipegate_transfers_total', { reason: 'no_answer' }), 1)

  const late = curl(['-s', '-d', 'x', gateway.url('loud?ask&within=1')])
  const address = await take(gateway)
  late.kill()
  await eventually(() => gateway.gateway.table.get('loud') === undefined || 'it is still asked')
  t.equal(
    (
      await curlDone(['-s', '-w', '%{http_code}', '-o', '/dev/null', '-T', '-', address], { input: 'y' })
    ).stdout.toString(),
    '410',
  )
  const answered = curl(['-s', '-d', 'x', gateway.url('loud?ask&within=30')])
  await curlDone(['-T', '-', await take(gateway)], { input: 'y' })
  t.equal((await answered.result).stdout.toString(), 'y')
  const requests = async () =>
    (await metrics(gateway)).value('pipegate_requests_total', { method: 'POST', status: '2xx' })
  await eventually(async () => (await requests()) === 1 || `${await requests()} requests`)
  t.equal(await counted(), 2, 'neither one who left, nor one who was answered')
})

t.test('the page of a name says what its questions are doing', async (t) => {
  const { gateway } = await startLogged(t)
  const text = async () => {
    const page = await curlDone(['-H', 'Accept: text/html', gateway.url('loud?progress')])
    return page.stdout.toString().replaceAll('\u00a0', ' ')
  }
  const asker = curl(['-N', '-d', 'x', gateway.url('loud?ask')])
  await counts(gateway, 1, 0, 0)
  t.match(await text(), 'Questions: 1 asker and no workers waiting, no questions unanswered.')
  t.match(await text(), /data-field="receivers"[^>]*>0 here</, 'nobody is watching, and nobody is missing')
  const address = await take(gateway)
  t.match(await text(), 'Questions: no askers and no workers waiting, 1 question unanswered.')
  await curlDone(['-T', '-', address], { input: 'y' })
  t.equal((await asker.result).stdout.toString(), 'y')
})
