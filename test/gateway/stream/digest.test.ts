/** `?sha256`: who may ask, what it covers, and who is told. */
import { createHash, randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { curl, curlDone } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import { defaultPlugins, type Running, startGateway } from '../../support/gateway.js'

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

const start = async (t: Test) => startGateway(t, {}, { plugins: await defaultPlugins() })

async function receipt(gateway: Running, name: string): Promise<Record<string, unknown>> {
  const { stdout } = await curlDone([gateway.url(`${name}?status`)])
  return JSON.parse(stdout.toString())
}

function endOf(digest: string | undefined): string {
  const said = digest === undefined ? '' : `[INFO] SHA-256: ${digest}\n`
  return `[INFO] Upload complete.\n${said}[INFO] Transfer complete.\n`
}

t.test('either side asks, whoever comes first, and the sender is told', async (t) => {
  const gateway = await start(t)
  const sizes = [0, 1, 5000, 300_000, 5_000_000]
  for (const bytes of sizes.map((size) => randomBytes(size))) {
    for (const [sends, receives] of [
      ['?sha256', ''],
      ['', '?sha256'],
      ['?sha256=yes', '?sha256=1'],
      ['?sha256=no', '?sha256=0'],
    ] as const) {
      for (const senderFirst of [true, false]) {
        for (const framing of ['length', 'chunked']) {
          const name = `${bytes.length}${sends.slice(1)}-${receives.slice(1)}-${senderFirst}-${framing}`.replace(
            /=/g,
            '',
          )
          const chunked = framing === 'chunked' ? ['-H', 'Transfer-Encoding: chunked'] : []
          const send = () => curl([...chunked, '--data-binary', '@-', gateway.url(name + sends)], { input: bytes })
          const receive = () => curl([gateway.url(name + receives)])
          const first = senderFirst ? send() : receive()
          await gateway.holds(1, 0)
          const second = senderFirst ? receive() : send()
          const [sent, received] = await Promise.all(
            (senderFirst ? [first, second] : [second, first]).map((r) => r.result),
          )
          t.equal(digestOf(received!.stdout), digestOf(bytes), name)
          const digest = `${sends}${receives}`.includes('=no') ? undefined : digestOf(bytes)
          t.ok(sent!.stdout.toString().endsWith(endOf(digest)), `${name}: ${sent!.stdout}`)
          t.match(await receipt(gateway, name), {
            state: 'complete',
            sha256: digest ?? null,
            last: { sha256: digest ?? null },
          })
        }
      }
    }
  }
})

t.test('one of three receivers asks; a receiver that asked and left before the start does not count', async (t) => {
  const gateway = await start(t)
  const ask = curl([gateway.url('left?sha256&n=2')])
  await gateway.holds(1, 0)
  const staying = [curl([gateway.url('left?n=2')])]
  await gateway.holds(1, 0)
  ask.kill()
  await ask.result
  const left = curl(['-N', '-d', 'hello', gateway.url('left?n=2')])
  await left.waitFor('Waiting')
  staying.push(curl([gateway.url('left?n=2')]))
  t.notMatch((await left.result).stdout.toString(), /SHA-256/)

  const urls = ['n=3', 'n=3&sha256', 'n=3'].map((query) => gateway.url(`three?${query}`))
  const receivers = urls.map((url) => curl([url]))
  const { stdout } = await curlDone(['-d', 'hello', gateway.url('three?n=3&reply=end')])
  t.ok(stdout.toString().endsWith(endOf(digestOf(Buffer.from('hello')))), stdout.toString())
  for (const { result } of [...receivers, ...staying]) t.equal((await result).stdout.toString(), 'hello')
})

t.test('the first bytes were read long before somebody asked, and more follow', async (t) => {
  const gateway = await start(t)
  const sender = curl(['-N', '-T', '-', gateway.url('late')])
  for (const piece of ['a'.repeat(10_000), 'b'.repeat(70_000), 'c']) sender.stdin.write(piece)
  const read = () => gateway.gateway.table.get('late')?.bytesIn ?? 0
  await eventually(() => read() > 0 || `${read()} bytes were read`)
  const receiver = curl(['-N', gateway.url('late?sha256')])
  await receiver.waitFor('c')
  t.equal((await receipt(gateway, 'late')).sha256, null, 'not before the end')
  sender.stdin.end('the end')
  const { stdout } = await receiver.result
  t.ok((await sender.result).stdout.toString().endsWith(endOf(digestOf(stdout))))
  t.equal(stdout.length, 80_008)
})

t.test('a body that broke off has no digest', async (t) => {
  const gateway = await start(t)
  const receiver = curl(['-N', gateway.url('cut')])
  const sender = curl(['-N', '-T', '-', gateway.url('cut?sha256')])
  sender.stdin.write('x'.repeat(1000))
  await receiver.waitFor('x')
  sender.kill()
  t.not((await receiver.result).code, 0)
  t.match(await receipt(gateway, 'cut'), { state: 'failed', sha256: null })
})

t.test('what is no switch is refused, on both sides', async (t) => {
  const gateway = await start(t)
  for (const args of [['-d', 'x'], []]) {
    const { stdout } = await curlDone(['-w', '%{http_code}', ...args, gateway.url('x?sha256=md5')])
    t.match(stdout.toString(), /^\[ERROR\] The value of sha256 is "md5"\. It takes nothing, 1, .*\n400$/)
  }
})
