/** Three gateways behind HAProxy, with the configuration that stands in `deploy/`. */
import t, { type Test } from 'tap'
import { type CurlRun, curl, curlDone } from '../support/curl.js'
import { type Front, homes, ourHaproxy, startFront } from './front.js'

const start = (t: Test) => startFront(t, (place) => ourHaproxy(place))

async function send(rig: Front, path: string, text: string): Promise<void> {
  const { stdout, code } = await curlDone(['-T', '-', rig.url(path)], { input: text })
  if (code !== 0 || !stdout.toString().endsWith('[INFO] Transfer complete.\n')) throw new Error(`${path}: ${stdout}`)
}

t.test('both sides of 60 names meet with either form of the address, and every node has its share', async (t) => {
  const rig = await start(t)
  const names = Array.from({ length: 60 }, (_, i) => `team/job-${i}%c3%A9`)
  const one = async (name: string, i: number) => {
    const receiver = curl([rig.url(i % 2 === 0 ? name : `api/v1/pipe/${name.replace('%c3', '%C3')}?download`)])
    await send(rig, i % 3 === 0 ? `api/v1/pipe/${name}?wait=20` : name, name)
    t.equal((await receiver.result).stdout.toString(), name)
  }
  for (let i = 0; i < names.length; i += 10)
    await Promise.all(names.slice(i, i + 10).map((name, j) => one(name, i + j)))
  const shares = [0, 0, 0]
  for (const node of homes(rig.nodes).values()) shares[node]!++
  t.equal(shares[0]! + shares[1]! + shares[2]!, 60)
  t.ok(Math.min(...shares) >= 8, `${shares}`)
})

t.test('bytes flow as they arrive, large bodies arrive whole, and a spectator is on the same node', async (t) => {
  const rig = await start(t)
  const watch = curl(['-N', rig.url('name?progress')])
  await watch.waitFor('"state":"idle"')
  const receiver = curl(['-N', rig.url('name')])
  await watch.waitFor('"state":"waiting"')
  // With "." curl reads the response while its input is silent.
  const sender = curl(['-N', '-T', '.', rig.url('name')])
  sender.stdin.write('a line\n')
  await receiver.waitFor('a line\n')
  await sender.waitFor('[INFO] Streaming to 1 receiver(s)...')
  sender.stdin.end('the last one\n')
  t.equal((await receiver.result).stdout.toString(), 'a line\nthe last one\n')
  t.match((await watch.result).stdout.toString(), /event: done\n/)
  const body = Buffer.alloc(30_000_000, 'pipegate')
  // Several on the same name: connections to the node are used again.
  for (let round = 0; round < 3; round++) {
    const large = curl([rig.url('large')])
    const { stdout } = await curlDone(['-T', '-', rig.url('large')], { input: body })
    t.match(stdout.toString(), /\[INFO\] Transfer complete\.\n$/)
    t.ok((await large.result).stdout.equals(body))
  }
  const node = rig.nodes.find(({ lines }) => lines.some((line) => line.pipe === 'large'))!
  const request = node.lines.find((line) => line.msg === 'request' && line.method === 'PUT')!
  t.equal(request.remoteAddress, '127.0.0.1')
})

t.test('a side that dies is seen by the other one', async (t) => {
  const rig = await start(t)
  const pair = async (name: string): Promise<[CurlRun, CurlRun]> => {
    const receiver = curl(['-N', rig.url(name)])
    const sender = curl(['-N', '-T', '-', rig.url(name)])
    sender.stdin.write('first')
    await receiver.waitFor('first')
    return [receiver, sender]
  }
  const [receiver, sender] = await pair('sender-dies')
  sender.kill()
  t.not((await receiver.result).code, 0, 'the receiver has less, and knows')
  const [left, stays] = await pair('receiver-dies')
  left.kill()
  // HAProxy sees it with the next bytes that it has for it.
  const more = setInterval(() => stays.stdin.write('more'), 50)
  await stays.waitFor('[ERROR] All receivers disconnected before transfer completed.')
  clearInterval(more)
  stays.stdin.end()
  t.not((await stays.result).code, 0, 'the sender knows')
})

t.test('a node that goes takes its own names along, and no other name moves', async (t) => {
  const rig = await start(t)
  const names = Array.from({ length: 24 }, (_, i) => `job-${i}`)
  const round = async () => {
    const from = Date.now()
    for (let i = 0; i < names.length; i += 8)
      await Promise.all(
        names.slice(i, i + 8).map(async (name) => {
          const receiver = curl([rig.url(name)])
          await send(rig, name, name)
          t.equal((await receiver.result).stdout.toString(), name)
        }),
      )
    return homes(rig.nodes, from)
  }
  const before = await round()
  const gone = before.get(names[0]!)!
  const stay = names.find((name) => before.get(name) !== gone)!
  // One transfer on each: it ends visibly on the node that goes, and does not notice on the other one.
  const [lost, lostSender] = [curl(['-N', rig.url(names[0]!)]), curl(['-N', '-T', '-', rig.url(names[0]!)])]
  const [kept, keptSender] = [curl(['-N', rig.url(stay)]), curl(['-N', '-T', '-', rig.url(stay)])]
  for (const sender of [lostSender, keptSender]) sender.stdin.write('first')
  await Promise.all([lost.waitFor('first'), kept.waitFor('first')])
  await rig.nodes[gone]!.end()
  t.not((await lost.result).code, 0)
  lostSender.stdin.end()
  t.not((await lostSender.result).code, 0)
  keptSender.stdin.end(' and last')
  t.equal((await kept.result).stdout.toString(), 'first and last')
  t.equal((await keptSender.result).code, 0)

  // Some come before the health check has failed, some afterwards.
  const after = await round()
  for (const name of names) {
    if (before.get(name) === gone) t.not(after.get(name), gone, `${name} has moved`)
    else t.equal(after.get(name), before.get(name), `${name} has not`)
  }
})

t.test('a gateway that drains keeps its transfer, and nothing new is refused', async (t) => {
  const rig = await start(t)
  const [drains] = rig.nodes
  const kept = `http://127.0.0.1:${drains!.port}/kept`
  const receiver = curl(['-N', kept])
  const sender = curl(['-N', '-T', '.', kept])
  sender.stdin.write('first')
  await receiver.waitFor('first')
  const stopped = drains!.end(60_000)
  // Sooner than the health check can know: a third of these names would be at the one that drains.
  const names = Array.from({ length: 12 }, (_, i) => `drain-${i}`)
  await Promise.all(
    names.map(async (name) => {
      const got = curl([rig.url(name)])
      await send(rig, name, name)
      t.equal((await got.result).stdout.toString(), name)
    }),
  )
  sender.stdin.end('last')
  t.same([(await sender.result).code, (await receiver.result).stdout.toString()], [0, 'firstlast'])
  await stopped
})
