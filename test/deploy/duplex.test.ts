/** `?duplex` and `?ws` through the proxies whose configurations are in `deploy/`: the table of docs/proxies.md. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { Peer } from '../gateway/router/duplex/rig.js'
import { curl } from '../support/curl.js'
import { eventually } from '../support/eventually.js'
import { readProject } from '../support/project.js'
import { connect } from '../support/raw.js'
import { type Front, ourCaddy, ourHaproxy, ourNginx, type Place, type ProxyProgram, startFront } from './front.js'

const MIB = 1024 * 1024
/** Of a MiB each: more than a proxy and all kernels on the way hold. */
const MESSAGES = 64
const PROXIES: Readonly<Record<string, (place: Place) => ProxyProgram>> = {
  nginx: ourNginx,
  HAProxy: ourHaproxy,
  Caddy: ourCaddy,
}
/** As docs/proxies.md says: nginx and Caddy 2.6 need it for parts. */
const REPLY_END = { flags: { reply: 'end' } }
/** HAProxy takes the end of a client's last response for that client's end after `timeout client-fin`, which is a second. */
const LONGER_THAN_A_FIN_MS = 1500

t.jobs = 2

async function joins({ port }: Front, name: string): Promise<Peer> {
  const raw = await connect({ port })
  await raw.send(`PUT /${name}?duplex HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nTransfer-Encoding: chunked\r\n\r\n`)
  return new Peer(raw)
}

/** What the transfers of this name have ended with. */
function reasons({ nodes }: Front, name: string): unknown[] {
  const ended = nodes.flatMap(({ lines }) => lines.filter(({ msg, pipe }) => msg === 'transfer' && pipe === name))
  return ended.map(({ reason }) => reason)
}

/** Both say a word in turns, and each word is heard before the next one is said. */
async function talk(one: Peer, another: Peer): Promise<void> {
  let said = ''
  for (let i = 0; i < 10; i++) {
    said += i
    await one.say(`${i}`)
    await another.hears(said)
    await another.say(`${i}`)
    await one.hears(said)
  }
}

async function opens(t: Test, { port }: Front, name: string): Promise<{ ws: WebSocket; got: Buffer[] }> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/${name}?ws`)
  t.teardown(() => ws.terminate())
  const got: Buffer[] = []
  ws.on('message', (message: Buffer) => got.push(message))
  await once(ws, 'open')
  return { ws, got }
}

for (const [name, program] of Object.entries(PROXIES)) {
  t.test(`${name}: WebSockets, for as long as they like, and a slow one holds the other`, async (t) => {
    const front = await startFront(t, program, REPLY_END)
    const [one, another] = [await opens(t, front, 'ws'), await opens(t, front, 'ws')]
    one.ws.send('a')
    await eventually(() => another.got.length === 1 || 'nothing is heard')
    another.ws.send('b')
    await eventually(() => one.got.length === 1 || 'nothing is heard')
    const message = randomBytes(MIB)
    another.ws.pause()
    for (let i = 0; i < MESSAGES; i++) one.ws.send(message)
    await sleep(LONGER_THAN_A_FIN_MS)
    t.ok(one.ws.bufferedAmount > 0, 'it is held')
    another.ws.resume()
    await eventually(() => another.got.length === MESSAGES + 1 || `${another.got.length} messages`)
    t.ok(another.got.slice(1).every((each) => each.equals(message)))
    one.ws.close(4000, 'enough')
    t.match(await once(another.ws, 'close'), [4000, Buffer.from('enough')])
  })

  t.test(`${name}: parts, a word at a time and many at once, and each direction ends for itself`, async (t) => {
    const front = await startFront(t, program, REPLY_END)
    const says = (letter: string) => curl(['-sN', '-T', '-', front.url(`p?duplex=${letter}`)])
    const hears = (letter: string, ...more: string[]) => curl(['-sN', ...more, front.url(`p?duplex=${letter}`)])
    const [saysA, hearsA, saysB, hearsB] = [says('a'), hears('a', '--limit-rate', '20M'), says('b'), hears('b')]
    let said = ''
    for (let i = 0; i < 5; i++) {
      said += i
      saysA.stdin.write(`${i}`)
      await hearsB.waitFor(said)
      saysB.stdin.write(`${i}`)
      await hearsA.waitFor(said)
    }
    saysA.stdin.end()
    const told = async (run: typeof saysA) => (await run.result).stdout.toString()
    t.match(await told(saysA), /\[INFO\] Transfer complete\.\n$/)
    t.equal(await told(hearsB), said)
    const much = randomBytes(24 * MIB)
    saysB.stdin.end(much)
    t.match(await told(saysB), /\[INFO\] Transfer complete\.\n$/)
    t.ok((await hearsA.result).stdout.equals(Buffer.concat([Buffer.from(said), much])))
    t.same(reasons(front, 'p'), ['complete', 'complete'])
  })
}

t.test('HAProxy: whole peers, each end for itself', async (t) => {
  const front = await startFront(t, ourHaproxy)
  const [one, another] = [await joins(front, 'h'), await joins(front, 'h')]
  await talk(one, another)
  await another.end()
  await one.hearsTheEnd()
  await sleep(LONGER_THAN_A_FIN_MS)
  const before = another.heard
  await one.say('x'.repeat(4096))
  await another.hears(`${before}${'x'.repeat(4096)}`)
  await one.end()
  await another.hearsTheEnd()
  t.same(reasons(front, 'h'), ['complete', 'complete'])
})

t.test('the lines for nginx on the page are those that are tested', async (t) => {
  const [, block] = /```nginx\n([\s\S]*?)```/.exec(readProject('docs/proxies.md'))!
  const lines = block!.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  t.ok(lines.length > 4)
  for (const line of lines) t.ok(readProject('deploy/nginx/pipegate.conf').includes(line), line)
})

t.test('nginx: whole peers in small words; whose end ends the request of the other, and that is seen', async (t) => {
  const front = await startFront(t, ourNginx, REPLY_END)
  const [one, another] = [await joins(front, 'n'), await joins(front, 'n')]
  await talk(one, another)
  await another.end()
  await one.hearsTheEnd()
  await one.say('unheard').catch(() => {})
  await another.isCut()
  t.same(reasons(front, 'n'), ['complete', 'sender_left'])
})

for (const [name, program] of Object.entries(PROXIES)) {
  t.test(`${name}: one that dies, and what the other one has does not look complete`, async (t) => {
    const front = await startFront(t, program, REPLY_END)
    const [one, another] = [await opens(t, front, 'ws'), await opens(t, front, 'ws')]
    one.ws.send('a')
    await eventually(() => another.got.length === 1 || 'nothing is heard')
    one.ws.terminate()
    t.match(await once(another.ws, 'close'), [1011, Buffer.from('Peer disconnected.')])
    if (name === 'Caddy') return
    const [a, b] = [await joins(front, 'd'), await joins(front, 'd')]
    await talk(a, b)
    a.raw.destroy()
    await b.isCut()
  })
}
