/** `deploy/nginx/pipegate.conf` before three gateways, as docs/nodes.md says: with `reply: end` in each. */
import t, { type Test } from 'tap'
import { type CurlRun, curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/free-port.js'
import {
  type Front,
  homes,
  inPieces,
  meet,
  nginx,
  ourNginx,
  someNames,
  startFront,
  startProxy,
  waitAndLeave,
} from './front.js'

const BODY = Buffer.alloc(30_000_000, 'pipegate')

function start(t: Test, processes = false): Promise<Front> {
  return startFront(t, ourNginx, { flags: { reply: 'end' }, processes })
}

t.test('both sides of a name meet, whichever way they ask, and a node less moves only its own names', async (t) => {
  const front = await start(t)
  const names = someNames((i) => `team/job-${i}%c3%A9`)
  t.same(await Promise.all(names.map((name, i) => meet(front, name, i))), names)
  const before = homes(front.nodes)
  t.equal(before.size, names.length)
  const shares = [0, 1, 2].map((node) => [...before.values()].filter((each) => each === node).length)
  t.ok(Math.min(...shares) > 0, `${shares}`)

  const port = await freePort()
  const config = front.read('deploy/nginx/pipegate.conf').replace('listen 80;', `listen 127.0.0.1:${port};`)
  const without = config.replace(new RegExp(`.*127.0.0.1:${front.nodes[2]!.port}.*\n`), '')
  await startProxy(t, nginx(t.testdir({}), without), port)
  const from = Date.now()
  const less = { url: (path: string) => `http://127.0.0.1:${port}/${path}` }
  t.same(await Promise.all(names.map((name, i) => meet(less, name, i))), names)
  const after = homes(front.nodes, from)
  const moved = [...before].filter(([name, node]) => after.get(name) !== node)
  t.equal(moved.length, shares[2], `only those of the node that is gone: ${moved}`)
})

t.test('bytes flow as they come, and the gateway knows who asks, and how', async (t) => {
  const front = await start(t)
  t.equal(await inPieces(front, '127.0.0.2'), 'a line\nthe last one\n')
  const asked = front.nodes
    .flatMap(({ lines }) => lines)
    .find(({ msg, method }) => msg === 'request' && method === 'GET')
  const receivers = front.nodes.flatMap(({ lines }) => lines.filter((line) => line.remoteAddress === '127.0.0.2'))
  t.ok(asked !== undefined && receivers.length > 0, 'X-Forwarded-For')
  const { stdout } = await curlDone(['--cacert', front.cert, front.tlsUrl('help')])
  t.match(stdout.toString(), front.tlsUrl('api/v1/pipe/some-name'))
  t.equal((await curlDone(['-f', '-H', `X-Long: ${'x'.repeat(28_000)}`, front.url('help')])).code, 0)
})

for (const version of ['--http1.1', '--http2']) {
  t.test(`large bodies arrive whole while their receiver is slow: ${version}`, async (t) => {
    const front = await start(t)
    const secure = [version, '--cacert', front.cert]
    const one = async (name: string, send: readonly string[]) => {
      const receiver = curl([...secure, '--limit-rate', '30M', front.tlsUrl(name)])
      const { code, stdout } = await curlDone([...secure, ...send, front.tlsUrl(name)], { input: BODY })
      t.equal(code, 0)
      t.match(stdout.toString(), /\[INFO\] Transfer complete\.\n$/)
      t.ok((await receiver.result).stdout.equals(BODY))
    }
    await Promise.all([one('chunked', ['-T', '-']), one('length', ['-X', 'PUT', '--data-binary', '@-'])])
  })
}

t.test('a side that dies is seen by the other one', async (t) => {
  const front = await start(t)
  const pair = async (name: string, version: string, framing: readonly string[]): Promise<[CurlRun, CurlRun]> => {
    const secure = [version, '--cacert', front.cert, '-N']
    const receiver = curl([...secure, front.tlsUrl(name)])
    const sender = curl([...secure, '-T', '-', ...framing, front.tlsUrl(name)])
    sender.stdin.write('first')
    await receiver.waitFor('first')
    return [receiver, sender]
  }
  // Chunked, which HTTP/2 has no word for, and with a length.
  const framings = [[], ['-H', 'Transfer-Encoding:', '-H', 'Content-Length: 100000']]
  const cases = ['--http1.1', '--http2'].flatMap((version) => framings.map((framing) => ({ version, framing })))
  await Promise.all(
    cases.map(async ({ version, framing }, i) => {
      const [receiver, sender] = await pair(`sender-dies-${i}`, version, framing)
      sender.kill()
      t.not((await receiver.result).code, 0, `the receiver has less, and knows: ${version} ${framing}`)
    }),
  )
  await Promise.all(
    ['--http1.1', '--http2'].map(async (version) => {
      const [left, stays] = await pair(`receiver-dies-${version}`, version, [])
      left.kill()
      // nginx sees it with the next bytes that it has for it.
      const more = setInterval(() => stays.stdin.write('more'), 50)
      await stays.waitFor('[ERROR] All receivers disconnected before transfer completed.')
      clearInterval(more)
      stays.stdin.end()
      await stays.result
    }),
  )
  await waitAndLeave(front)
})

t.test('a node that goes takes its own names along, and no other name moves', async (t) => {
  const front = await start(t, true)
  const names = someNames((i) => `job-${i}`)
  const round = async () => {
    const from = Date.now()
    t.same(await Promise.all(names.map((name, i) => meet(front, name, i))), names)
    // What a process has logged comes a moment later.
    await eventually(() => homes(front.nodes, from).size === names.length || 'not all are in the logs')
    return homes(front.nodes, from)
  }
  const before = await round()
  const gone = before.get(names[0]!)!
  const mine = names.filter((name) => before.get(name) === gone)
  const stay = names.find((name) => before.get(name) !== gone)!
  const pair = (name: string) =>
    [curl(['-N', front.url(name)]), curl(['-N', '-w', '%{http_code}', '-T', '-', front.url(name)])] as const
  const [[lost, lostSender], [kept, keptSender]] = [pair(mine[0]!), pair(stay)]
  const waiting = curl(['-N', front.url(mine[1]!)])
  for (const sender of [lostSender, keptSender]) sender.stdin.write('first')
  const health = `http://127.0.0.1:${front.nodes[gone]!.port}/api/v1/pipe/health`
  await Promise.all([
    lost.waitFor('first'),
    kept.waitFor('first'),
    eventually(async () => (await (await fetch(health)).text()).includes('"waiting":1') || 'nobody waits'),
  ])
  front.nodes[gone]!.end()
  t.not((await lost.result).code, 0)
  lostSender.stdin.end()
  t.match((await lostSender.result).stdout.toString(), /502$/)
  keptSender.stdin.end(' and last')
  t.equal((await kept.result).stdout.toString(), 'first and last')
  t.match((await keptSender.result).stdout.toString(), /200$/)

  // A receiver that waited there waits on the next one, without having noticed.
  await curlDone(['-T', '-', front.url(mine[1]!)], { input: 'met again' })
  t.equal((await waiting.result).stdout.toString(), 'met again')
  const after = await round()
  for (const name of names) {
    if (before.get(name) === gone) t.not(after.get(name), gone, `${name} has moved`)
    else t.equal(after.get(name), before.get(name), `${name} has not`)
  }
})
