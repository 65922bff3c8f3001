/** Clients of HTTP/1.0, on either side: what piping-server-check looks at, in our own words. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { type Running, startDefaultGateway } from '../support/gateway.js'

const VERSIONS = [
  ['-0', '-0'],
  ['-0', '--http1.1'],
  ['--http1.1', '-0'],
] as const

async function seen(gw: Running, name: string, receivers: number, sender: boolean): Promise<void> {
  await eventually(() => {
    const pipe = gw.gateway.table.get(name)
    const there = `${pipe?.receiversPresent ?? 0} receivers, sender ${pipe?.hasSender ?? false}`
    return there === `${receivers} receivers, sender ${sender}` || there
  })
}

t.test('either side first', async (t) => {
  const gw = await startDefaultGateway(t)
  const body = randomBytes(3_000_000)
  for (const [ofSender, ofReceiver] of VERSIONS) {
    for (const senderFirst of [true, false]) {
      for (const method of ['POST', 'PUT']) {
        const what = `${ofSender} to ${ofReceiver}, ${senderFirst ? 'sender' : 'receiver'} first, ${method}`
        const send = () =>
          curl([ofSender, '-X', method, '-H', 'Content-Type: image/png', '--data-binary', '@-', gw.url('x')], {
            input: body,
          })
        const receive = () => curl([ofReceiver, '-i', gw.url('x')])
        let sender = senderFirst ? send() : undefined
        let receiver = senderFirst ? undefined : receive()
        await seen(gw, 'x', senderFirst ? 0 : 1, senderFirst)
        sender ??= send()
        receiver ??= receive()
        const [told, got] = await Promise.all([sender.result, receiver.result])
        t.same([told.code, got.code], [0, 0], what)
        t.match(told.stdout.toString(), /^\[INFO\] Transfer complete\.$/m)
        const head = got.stdout.toString('latin1', 0, got.stdout.indexOf('\r\n\r\n'))
        t.match(head, /^HTTP\/1\.[01] 200 OK\r\n[\s\S]*^Content-Type: image\/png\r$/m)
        t.ok(got.stdout.subarray(got.stdout.indexOf('\r\n\r\n') + 4).equals(body), `${what}: the bytes`)
        await gw.holds(0, 0)
      }
    }
  }
})

t.test('a second sender, and one that leaves', async (t) => {
  const gw = await startDefaultGateway(t)
  const lost = curl(['-0', '-d', 'lost', gw.url('x')])
  await seen(gw, 'x', 0, true)
  const second = await curlDone(['-0', '-w', '%{http_code}', '-d', 'second', gw.url('x')])
  t.match(second.stdout.toString(), /^\[ERROR\] A sender already waits.*\n400$/)
  lost.kill()
  await lost.result
  await gw.holds(0, 0)
  const gone = curl(['-0', gw.url('x')])
  await seen(gw, 'x', 1, false)
  gone.kill()
  await gone.result
  await gw.holds(0, 0)
  const receiver = curl(['-0', gw.url('x')])
  await seen(gw, 'x', 1, false)
  t.equal((await curlDone(['-0', '-d', 'kept', gw.url('x')])).code, 0)
  t.equal((await receiver.result).stdout.toString(), 'kept')
})

t.test('forms, and streams of unknown length', async (t) => {
  const gw = await startDefaultGateway(t)
  const bytes = randomBytes(8 * 1024 * 1024)
  const dir = t.testdir({ 'a file.bin': bytes })
  for (const [args, wanted] of [
    [['-F', 'anything=text'], Buffer.from('text')],
    [['-F', `file=@${dir}/a file.bin`], bytes],
    [['-F', `input_data=<${dir}/a file.bin;type=application/octet-stream`], bytes],
  ] as const) {
    const receiver = curl(['-0', gw.url('form')])
    await seen(gw, 'form', 1, false)
    t.equal((await curlDone(['-0', ...args, gw.url('form')])).code, 0)
    const got = await receiver.result
    t.equal(got.code, 0)
    t.ok(got.stdout.equals(wanted), `${args[1]}: ${got.stdout.length} bytes`)
  }
  const receiver = curl(['-0', '-N', gw.url('live')])
  await seen(gw, 'live', 1, false)
  const sender = curl(['-T', '-', gw.url('live')])
  for (const piece of ['a', 'b', 'c']) {
    sender.stdin.write(piece)
    await receiver.waitFor(piece)
  }
  sender.kill()
  t.not((await receiver.result).code, 0, 'one that fails does not look whole')
})

t.test('many at once', async (t) => {
  const gw = await startDefaultGateway(t)
  const body = randomBytes(400_000)
  await Promise.all(
    Array.from({ length: 10 }, async (_, i) => {
      const receiver = curl(['-0', gw.url(`many-${i}`)])
      const sender = curl(['-0', '--data-binary', '@-', gw.url(`many-${i}`)], { input: body })
      const [got, told] = await Promise.all([receiver.result, sender.result])
      t.same([got.code, told.code, got.stdout.equals(body)], [0, 0, true], `transfer ${i}`)
    }),
  )
})
