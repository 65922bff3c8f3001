/** The arrival orders of Piping Server's description, and what each side is told in each of them: Hoody Pipe's lines. */
import t from 'tap'
import { type CurlRun, curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { type Running, startDefaultGateway } from '../support/gateway.js'

const INFO = {
  waiting: (n: number) => `[INFO] Waiting for ${n} receiver(s) to connect...`,
  already: (n: number) => `[INFO] ${n} receiver(s) already connected.`,
  connected: (i: number, n: number) => `[INFO] A receiver connected, ${i} of ${n}.`,
  rest: (n: number) => [
    `[INFO] Streaming to ${n} receiver(s)...`,
    '[INFO] Upload complete.',
    '[INFO] Transfer complete.',
    '',
  ],
}

const ID = /^X-Pipe-Transfer-Id: (\S+)\r$/im
const HOODY_ID = /^X-Hoody-Pipe-Transfer-Id: (\S+)\r$/im

/** Waits until a side has come, so that the next one comes after it. */
async function seen(gw: Running, name: string, receivers: number, sender: boolean): Promise<void> {
  const { table } = gw.gateway
  await eventually(() => {
    const pipe = table.get(name)
    const there = `${pipe?.receiversPresent ?? 0} receivers, sender ${pipe?.hasSender ?? false}`
    return there === `${receivers} receivers, sender ${sender}` || there
  })
}

/** Lets both sides of `n` come in the order `S`, `1`, `2`, and tells what each of them saw. */
async function meet(gw: Running, name: string, order: string, n: number) {
  const query = n === 1 ? name : `${name}?n=${n}`
  const receivers: CurlRun[] = []
  let sender: CurlRun | undefined
  for (const side of order) {
    if (side === 'S') sender = curl(['-N', '-i', '--raw', '-d', 'hello', gw.url(query)])
    else receivers.push(curl(['-i', '--raw', gw.url(query)]))
    if (side !== order.at(-1)) await seen(gw, name, receivers.length, sender !== undefined)
  }
  const told = await sender!.result
  const got = await Promise.all(receivers.map(({ result }) => result))
  return { told, got }
}

/** The lines of a chunked response that was printed raw. */
function linesOf(raw: string): string[] {
  const body = raw.slice(raw.indexOf('\r\n\r\n') + 4)
  return body
    .replace(/(?:^|\r\n)[0-9a-f]+\r\n/gi, '')
    .replace(/\r\n$/, '')
    .split('\n')
}

function expected(order: string, n: number): string[] {
  const before = order.indexOf('S')
  const after = [...order.slice(before + 1)]
  return [
    INFO.waiting(n),
    ...(before > 0 ? [INFO.already(before)] : []),
    ...after.map((_, i) => INFO.connected(before + i + 1, n)),
    ...INFO.rest(n),
  ]
}

t.test('who comes first does not matter', async (t) => {
  const gw = await startDefaultGateway(t)
  const orders: readonly [n: number, ...orders: string[]][] = [
    [1, 'S1', '1S'],
    [2, 'S12', 'S21', '1S2', '2S1', '12S', '21S'],
  ]
  for (const [n, ...each] of orders) {
    for (const order of each) {
      const { told, got } = await meet(gw, `order-${order}`, order, n)
      t.equal(told.code, 0)
      const lines = told.stdout.toString()
      t.same(linesOf(lines), expected(order, n), order)
      const id = ID.exec(lines)?.[1]
      t.match(id, /^[\w-]{16,64}$/)
      t.equal(HOODY_ID.exec(lines)?.[1], id)
      for (const { code, stdout } of got) {
        const text = stdout.toString()
        t.equal(code, 0)
        t.match(text, /^HTTP\/1\.1 200 OK\r\n/)
        t.match(text, /\r\n\r\nhello$/)
        t.same([ID.exec(text)?.[1], HOODY_ID.exec(text)?.[1]], [id, id], 'both sides have the same id')
      }
    }
  }
})

t.test('sides that do not fit are 400 and disturb nobody', async (t) => {
  const gw = await startDefaultGateway(t)
  const refused = async (code: string, ...args: string[]) => {
    const { stdout } = await curlDone(['-i', ...args])
    t.match(
      stdout.toString(),
      new RegExp(`^HTTP/1.1 400 Bad Request\\r\\n[\\s\\S]*X-Pipe-Code: ${code}\\r\\n[\\s\\S]*\\[ERROR\\] `),
      code,
    )
  }
  const first = curl([gw.url('two?n=2')])
  await seen(gw, 'two', 1, false)
  await refused('N_MISMATCH', gw.url('two'))
  await refused('N_MISMATCH', '-d', 'x', gw.url('two?n=3'))
  const second = curl([gw.url('two?n=2')])
  await seen(gw, 'two', 2, false)
  await refused('RECEIVERS_FULL', gw.url('two?n=2'))
  const sender = await curlDone(['-d', 'hello', gw.url('two?n=2')])
  t.same(sender.stdout.toString().split('\n'), expected('12S', 2))
  for (const { result } of [first, second]) t.equal((await result).stdout.toString(), 'hello')

  const one = curl(['-N', '-d', 'first', gw.url('one')])
  await seen(gw, 'one', 0, true)
  await refused('SENDER_EXISTS', '-d', 'second', gw.url('one'))
  t.equal((await curlDone([gw.url('one')])).stdout.toString(), 'first')
  t.equal((await one.result).code, 0)
  for (const n of ['0', '-1', '257', '2abc', '', '1.5']) await refused('BAD_PARAMETER', gw.url(`bad?n=${n}`))
})

t.test('a side that leaves makes room for another one', async (t) => {
  const gw = await startDefaultGateway(t)
  const gone = curl([gw.url('again')])
  await seen(gw, 'again', 1, false)
  gone.kill()
  await gone.result
  await gw.holds(0, 0)
  const lost = curl(['-N', '-d', 'lost', gw.url('again?n=2')])
  await seen(gw, 'again', 0, true)
  const receiver = curl([gw.url('again?n=2')])
  await seen(gw, 'again', 1, true)
  lost.kill()
  await lost.result
  await seen(gw, 'again', 1, false)
  const other = curl([gw.url('again?n=2')])
  await seen(gw, 'again', 2, false)
  t.equal((await curlDone(['-d', 'kept', gw.url('again?n=2')])).code, 0)
  for (const { result } of [receiver, other]) t.equal((await result).stdout.toString(), 'kept')
})

t.test('what the sender says of its stream is what receivers are told', async (t) => {
  const gw = await startDefaultGateway(t)
  const head = async (query: string, ...headers: string[]) => {
    const receiver = curl(['-i', gw.url(`meta${query}`)])
    await seen(gw, 'meta', 1, false)
    await curlDone([...headers.flatMap((each) => ['-H', each]), '-d', 'x', gw.url('meta')])
    const [text = ''] = (await receiver.result).stdout.toString().split('\r\n\r\n')
    return text.split('\r\n').filter((line) => /^(content-|x-piping|x-hoody-pipe:|access-control-expose)/i.test(line))
  }
  const exposed = (line: string) => !line.startsWith('Access-Control-Expose-Headers: X-Pipe-Transfer-Id')
  t.same(
    (await head('', 'Content-Type: image/png', 'X-Piping: one', 'X-Piping: two', 'X-Hoody-Pipe: three')).filter(
      exposed,
    ),
    [
      'Content-Type: image/png',
      'X-Piping: one',
      'X-Piping: two',
      'X-Hoody-Pipe: three',
      'Access-Control-Expose-Headers: X-Piping, X-Hoody-Pipe',
      'Content-Length: 1',
    ],
  )
  t.same((await head('', 'Content-Type: text/html')).filter(exposed), ['Content-Type: text/plain', 'Content-Length: 1'])
  t.same((await head('?filename=a%20b.txt', 'Content-Type: text/plain')).filter(exposed), [
    'Content-Type: text/plain',
    'Content-Disposition: attachment; filename="a b.txt"',
    'Content-Length: 1',
  ])
  t.same((await head('', 'Content-Type:')).filter(exposed), ['Content-Length: 1'])
})
