/** The gateway is full, shuts down, or has a defect. */
import t from 'tap'
import type { Failure } from '../../../../core/index.js'
import { FAILURES } from '../../../../gateway/http/failures.js'
import { curl, curlDone } from '../../../support/curl.js'
import { eventually } from '../../../support/eventually.js'
import { type Running, startGateway } from '../../../support/gateway.js'
import { parseResponse, type RawClient } from '../../../support/raw.js'
import { type Ask, answer, checkJson, checkText, get, open, put, refused, wire } from './rig.js'

t.test('TOO_MANY_WAITING: a full gateway refuses new names, and admits requests whose other side waits', async (t) => {
  const gw = await startGateway(t, { maxWaiting: '2' })
  const one = await open(gw, get('/one'))
  const two = await open(gw, put('/two', 'second'))
  await gw.holds(2, 0)
  for (const ask of [get('/three'), put('/three', 'x'), put('/three', '')]) {
    await refused(t, gw, {
      ...ask,
      row: FAILURES.tooManyWaiting,
      says: /All 2 places for waiting pipes are taken\. Try again in a few seconds\./,
    })
  }
  const sent = await answer(gw, put('/one', 'first'))
  t.match(sent.response.body.toString(), /Transfer complete\.\n$/)
  t.equal((await one.waitForResponse()).body.toString(), 'first')
  t.equal((await answer(gw, get('/two'))).response.body.toString(), 'second')
  await two.waitFor('Transfer complete.')
  for (const client of [one, two]) client.destroy()
})

t.test('NO_MEMORY: the newest sender that would have to wait is refused, and nobody else', async (t) => {
  const gw = await startGateway(t, { memory: '1MiB' })
  const large = (name: string, body = '.') => ({
    method: 'PUT',
    target: `/${name}`,
    headers: ['Content-Length: 1000000'],
    body,
  })
  const waiting: RawClient[] = []
  for (let i = 0; i < 8; i++) waiting.push(await open(gw, large(`large-${i}`, '.'.repeat(65_536))))
  await gw.holds(8, 0)
  // A read has the head in it too.
  await eventually(() => gw.gateway.slabs.heldBytes > 8 * 62_000 || `${gw.gateway.slabs.heldBytes} bytes are held`)
  for (const ask of [large('ninth'), put('/ninth', 'x'.repeat(30_000))]) {
    await refused(t, gw, {
      ...ask,
      row: FAILURES.noMemory,
      says: /The memory for what waiting senders have sent is used up\. Try again in a few seconds, or start the receivers first\./,
    })
  }
  const receiving = await open(gw, get('/ninth'))
  await gw.holds(9, 0)
  t.match((await answer(gw, put('/ninth', 'streams'))).response.body.toString(), /Transfer complete\.\n$/)
  t.equal((await receiving.waitForResponse()).body.toString(), 'streams')
  waiting.pop()!.destroy()
  await gw.holds(7, 0)
  const { heldBytes } = gw.gateway.slabs
  waiting.push(await open(gw, put('/ninth', 'x'.repeat(3000))))
  await gw.holds(8, 0)
  await eventually(() => gw.gateway.slabs.heldBytes === heldBytes + 3000 || `${gw.gateway.slabs.heldBytes} are held`)
  for (const client of [...waiting, receiving]) client.destroy()
})

/** A transfer that streams until the test ends. */
async function endless(gw: Running, name: string): Promise<RawClient[]> {
  const sending = await open(gw, {
    method: 'PUT',
    target: `/${name}`,
    headers: ['Content-Length: 100'],
    body: 'started',
  })
  const receiving = await open(gw, get(`/${name}`))
  await receiving.waitFor('started')
  return [sending, receiving]
}

t.test('too many active transfers: both sides of the one too many are told', async (t) => {
  const gw = await startGateway(t, { maxActive: '1' })
  const busy = await endless(gw, 'busy')
  const full = 'Server at maximum active transfer capacity.'

  for (const senderFirst of [true, false]) {
    const name = `late-${senderFirst}`
    const receiving: RawClient[] = []
    const sending = senderFirst ? await open(gw, put(`/${name}?n=2`, 'unsent')) : undefined
    receiving.push(await open(gw, get(`/${name}?n=2`)))
    await eventually(() => gw.gateway.table.get(name)?.receiversPresent === 1 || 'the first receiver is not there')
    receiving.push(await open(gw, get(`/${name}?n=2`), 'Accept: application/json'))
    await eventually(
      () => senderFirst || gw.gateway.table.get(name)?.receiversPresent === 2 || 'the second is not there',
    )
    const cut = sending ?? (await open(gw, put(`/${name}?n=2`, 'unsent')))

    const row: Failure = { code: 'TOO_MANY_ACTIVE', status: 429, message: '', hint: '' }
    const text = await receiving[0]!.waitForResponse()
    const line = checkText(t, name, text, { row, says: /^\[ERROR\] Server at maximum active transfer capacity\.\n$/ })
    checkJson(t, name, await receiving[1]!.waitForResponse(), row, line)
    await cut.waitForClose()
    t.match(cut.text, /^HTTP\/1\.1 200 OK\r\n/)
    t.equal(parseResponse(cut.received).complete, false, 'the sender is cut without a clean end')
    t.ok(cut.text.includes(`[ERROR] ${full}\n`), 'after its line')
    t.equal(await gw.ended(name), 'too_many_active')
    for (const client of [...receiving, cut]) client.destroy()
  }
  t.equal(gw.gateway.table.streaming, 1, 'the transfer that runs goes on')

  const waiting = curl(['-T', '-', gw.url('late-curl')], { input: 'unsent' })
  await gw.holds(1, 1)
  const receiving = await curlDone(['--fail', '-w', '%{http_code}', gw.url('late-curl')])
  t.same([receiving.code, receiving.stdout.toString()], [22, '429'])
  const result = await waiting.result
  t.ok(result.code !== 0, `a script sees the failure: exit ${result.code}`)
  t.ok(result.stdout.toString().endsWith(`[ERROR] ${full}\n`))

  const atEnd = await open(gw, put('/late-reply?reply=end', 'unsent'))
  await gw.holds(1, 1)
  const late = await answer(gw, get('/late-reply'))
  const reply = await atEnd.waitForResponse()
  t.same([late.response.status, reply.status, reply.headers['retry-after']], [429, 429, ['5']])
  for (const client of [...busy, atEnd]) client.destroy()
})

t.test('SHUTTING_DOWN: while a transfer drains, new work is refused on a kept connection', async (t) => {
  const gw = await startGateway(t)
  const running = await endless(gw, 'running')
  const kept = await Promise.all(
    ['', 'Accept: application/json', ''].map(() => open(gw, { method: 'OPTIONS', target: '/x' })),
  )
  const from = await Promise.all(kept.map(async (client) => (await client.waitForResponse()).end))
  const stopping = gw.gateway.stop(20_000)

  const says = /Server shutting down\. Try again in a few seconds\./
  const asks: [Ask, string][] = [
    [get('/new'), 'Accept: */*'],
    [get('/new'), 'Accept: application/json'],
    [put('/new', ''), 'A: b'],
  ]
  const answers = await Promise.all(
    asks.map(async ([ask, accept], i) => {
      await kept[i]!.send(wire(ask, accept))
      return kept[i]!.waitForResponse({ from: from[i]! })
    }),
  )
  const line = checkText(t, 'GET', answers[0]!, { row: FAILURES.shuttingDown, says })
  checkJson(t, 'GET', answers[1]!, FAILURES.shuttingDown, line)
  t.equal(checkText(t, 'PUT', answers[2]!, { row: FAILURES.shuttingDown, says }), line)
  const [sending, receiving] = running
  await sending!.send('.'.repeat(93))
  t.equal((await receiving!.waitForResponse()).body.length, 100, 'the transfer that ran is not disturbed')
  await sending!.waitFor('Transfer complete.')
  for (const client of [...running, ...kept]) client.destroy()
  await stopping
})

t.test('INTERNAL: a defect fails that one request, is logged, and affects no other', async (t) => {
  const gw = await startGateway(t)
  const { table } = gw.gateway
  const bystander = await open(gw, put('/bystander', 'unharmed'))
  await gw.holds(1, 0)
  for (const method of ['joinReceiver', 'joinSender'] as const) {
    Object.defineProperty(table, method, {
      configurable: true,
      value: () => {
        throw new Error('a planted defect')
      },
    })
    const ask = method === 'joinSender' ? put('/p', '') : get('/p')
    const { response } = await answer(gw, ask)
    const says = /The gateway failed on this request\. The gateway's log has the details under request [0-9]+\./
    const line = checkText(t, method, response, { row: FAILURES.internal, says })
    const id = Number(/request ([0-9]+)/.exec(line)?.[1])
    const logged = gw.lines.find((each) => each.level === 50 && each.id === id)
    t.match(logged, { msg: 'a request met a defect of the gateway', err: { message: 'a planted defect' } }, method)
    t.notMatch(line, /planted/, 'the details stay in the log')

    const json = await answer(gw, ask, 'Accept: application/json')
    checkJson(t, method, json.response, FAILURES.internal, line.replace(String(id), String(id + 1)))
    Reflect.deleteProperty(table, method)
  }
  t.equal((await answer(gw, get('/bystander'))).response.body.toString(), 'unharmed')
  await bystander.waitFor('Transfer complete.')
  bystander.destroy()
})
