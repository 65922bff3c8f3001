/** `deploy/caddy/Caddyfile` before three gateways, with `reply: end` in them. docs/proxies.md says what else Debian's Caddy lacks. */
import t, { type Test } from 'tap'
import { curl, curlDone } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { type Front, homes, inPieces, meet, ourCaddy, someNames, startFront, waitAndLeave } from './front.js'

function start(t: Test): Promise<Front> {
  return startFront(t, ourCaddy, { flags: { reply: 'end' } })
}

t.test('both sides of a name meet, and the names of a node that goes down move', async (t) => {
  const front = await start(t)
  const names = someNames((i) => `team/job-${i}%c3%A9`)
  t.same(await Promise.all(names.map((name, i) => meet(front, name, i))), names)
  const before = homes(front.nodes)
  const shares = [0, 1, 2].map((node) => [...before.values()].filter((each) => each === node).length)
  t.ok(Math.min(...shares) > 0, `${shares}`)
  const from = Date.now()
  await front.nodes[2]!.end()
  // Until Caddy has noticed, a sender may be given a connection that has just been closed.
  const gone = names.find((name) => before.get(name) === 2)!
  await eventually(async () => {
    const { status } = await fetch(front.url(`${gone}?reply=end&wait=1`), { method: 'PUT', body: 'anybody?' })
    return status === 408 || `still ${status}`
  })
  t.same(await Promise.all(names.map((name, i) => meet(front, name, i))), names)
  const after = homes(front.nodes, from)
  const moved = [...before].filter(([name, node]) => after.get(name) !== node)
  t.equal(moved.length, shares[2], `${moved}`)
})

t.test('bytes flow as they arrive, large bodies arrive whole, and the gateway knows the client', async (t) => {
  const front = await start(t)
  t.equal(await inPieces(front, '127.0.0.2'), 'a line\nthe last one\n')
  const askers = front.nodes.flatMap(({ lines }) => lines.map(({ remoteAddress }) => remoteAddress))
  t.ok(askers.includes('127.0.0.2'), 'X-Forwarded-For')
  const body = Buffer.alloc(30_000_000, 'pipegate')
  const large = curl(['--limit-rate', '30M', front.url('large')])
  const { stdout } = await curlDone(['-T', '-', front.url('large')], { input: body })
  t.match(stdout.toString(), /\[INFO\] Transfer complete\.\n$/)
  t.ok((await large.result).stdout.equals(body))
})

t.test('a body of known length that breaks is seen to be broken', async (t) => {
  const front = await start(t)
  const receiver = curl(['-N', front.url('breaks')])
  const sender = curl(['-N', '-T', '-', '-H', 'Transfer-Encoding:', '-H', 'Content-Length: 100', front.url('breaks')])
  sender.stdin.write('first')
  await receiver.waitFor('first')
  sender.kill()
  t.equal((await receiver.result).code, 18)
  await waitAndLeave(front)
})
