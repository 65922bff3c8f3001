/** An edge tier before a relay tier: every name on one relay, through whichever edge its sides come. */

import t from 'tap'
import { hash, heaviest } from '../../../plugins/reverse-proxy/pool/rendezvous.js'
import { type CurlRun, curl } from '../../support/curl.js'
import { eventually } from '../../support/eventually.js'
import type { Running } from '../../support/gateway.js'
import { type Program, startProgram } from '../../support/program.js'
import { ask, startEdge } from './edge-gateway.js'

const PREFIX = 'api/v1/pipe/'

/** Names of 1 to 3 segments, with what edges and relays have to spell alike. */
const names = (count: number, what = 'job') =>
  Array.from({ length: count }, (_, i) => ['', 'team/', 'a/b/'][i % 3] + what + (i % 4 === 0 ? `-${i}%C3%A9` : `-${i}`))

/** Where a name belongs, by the relays' ports. */
function homeOf(name: string, relays: readonly { readonly port: number }[], address = '127.0.0.1'): number {
  const nodes = relays.map(({ port }, at) => ({ at, id: `${address}:${port}`, hash: hash(`${address}:${port}`) }))
  return heaviest(nodes, name)!.at
}

const urlsOf = (relays: readonly { readonly port: number }[]) => relays.map(({ port }) => `http://127.0.0.1:${port}`)

/** Both sides of a name, in either order, through two edges and in two spellings. */
async function meet(edges: readonly Running[], name: string, i: number): Promise<void> {
  const [one, other] = [edges[i % edges.length]!, edges[(i >> 1) % edges.length]!]
  const body = Buffer.alloc(1 + ((i * 7919) % 50_000), name)
  const send = () => ask(`${one.origin}/${i % 3 === 0 ? '' : PREFIX}${name}?wait=60`, 'PUT', body)
  const receive = () =>
    ask(`${other.origin}/${i % 2 === 0 ? '' : PREFIX}${name.replace('%C3', '%c3')}?download&wait=60`)
  const sides = i % 5 < 2 ? [send(), receive()] : [receive(), send()].reverse()
  const [sent, received] = await Promise.all(sides)
  if (!received!.isWhole || !received!.body.equals(body)) throw new Error(`${name}: ${received!.body.subarray(0, 200)}`)
  if (!sent!.isWhole || !/Transfer complete\.\n$/.test(`${sent!.body}`)) throw new Error(`${name}: ${sent!.body}`)
}

/** Lets both sides of all names meet, ten at a time. @returns the relay that each of them met on */
async function meetAll(
  edges: readonly Running[],
  relays: readonly Program[],
  all: readonly string[],
): Promise<Map<string, number>> {
  const seen = relays.map((relay) => relay.logged('transfer').length)
  for (let i = 0; i < all.length; i += 10)
    await Promise.all(all.slice(i, i + 10).map((name, j) => meet(edges, name, i + j)))
  const found = new Map<string, number>()
  // A log is read a little later than it is written.
  await eventually(
    () => {
      for (const [at, relay] of relays.entries())
        for (const { pipe, reason } of relay.logged('transfer').slice(seen[at]))
          if (reason === 'complete') found.set(pipe as string, at)
      return all.every((name) => found.has(name)) || `${all.length - found.size} names are in no log`
    },
    { everyMs: 50 },
  )
  return found
}

/** A transfer that has begun, and goes on when the test says so. */
interface Pair {
  readonly name: string
  readonly sender: CurlRun
  readonly receiver: CurlRun
}

async function begin(name: string, from: Running, to: Running): Promise<Pair> {
  const receiver = curl(['-N', to.url(name)])
  const sender = curl(['-N', '-T', '-', from.url(name)])
  sender.stdin.write(`first of ${name}\n`)
  await receiver.waitFor(`first of ${name}\n`)
  return { name, sender, receiver }
}

t.test('200 names over three relays, of which one is killed, and comes back', async (t) => {
  const relays = await Promise.all(Array.from({ length: 3 }, () => startProgram(t)))
  const urls = urlsOf(relays)
  // The same relays, whatever the order of their lists.
  const edges = [await startEdge(t, { upstreams: urls }), await startEdge(t, { upstreams: [...urls].reverse() })]
  const [one, other] = edges as [Running, Running]
  const all = names(200)

  await t.test('either side through any edge', async (t) => {
    const found = await meetAll(edges, relays, all)
    for (const name of all) if (found.get(name) !== homeOf(name, relays)) t.fail(`${name} was on ${found.get(name)}`)
    const shares = [0, 1, 2].map((at) => all.filter((name) => found.get(name) === at).length)
    // Six standard deviations from 67.
    t.ok(Math.min(...shares) > 27, `${shares}`)
  })

  await t.test('who watches sees what comes through another edge', async (t) => {
    for (const name of all.slice(0, 3)) {
      const watch = curl(['-N', one.url(`${name}?progress`)])
      await watch.waitFor('event: ')
      await meet([other], name, 1)
      t.match((await watch.result).stdout.toString(), /event: done\n/)
      t.match((await ask(other.url(`${name}?status`))).body.toString(), /"last":\{"state":"complete"/)
    }
  })

  await t.test('one is killed in mid-run', async (t) => {
    const lost = homeOf(all[0]!, relays)
    const left = relays.filter((_, at) => at !== lost)
    const onLost = all.filter((name) => homeOf(name, relays) === lost)
    const elsewhere = all.filter((name) => homeOf(name, relays) !== lost)
    const begun = await Promise.all(
      [...onLost.slice(0, 4), ...elsewhere.slice(0, 8)].map((name, i) =>
        begin(name, edges[i % 2]!, edges[(i >> 1) % 2]!),
      ),
    )
    // These wait: receivers on the one that goes, through both edges, and one elsewhere.
    const waiting = [onLost[4]!, onLost[5]!, elsewhere[9]!].map((name, i) => ({
      name,
      run: curl(['-N', edges[i % 2]!.url(name)]),
    }))
    const waitingSender = curl(['-N', '-T', '-', one.url(onLost[6]!)], { input: 'nobody' })
    await waitingSender.waitFor('[INFO] Waiting for')
    await eventually(async () => {
      for (const { name } of waiting) {
        const { body } = await ask(other.url(`${name}?status`))
        if (!`${body}`.includes('"state":"waiting"')) return `${name}: ${body}`
      }
      return true
    })
    relays[lost]!.kill('SIGKILL')
    await relays[lost]!.ended

    for (const { name, sender, receiver } of begun.slice(0, 4)) {
      t.not((await receiver.result).code, 0, `the receiver of ${name} knows`)
      t.equal((await receiver.result).stdout.toString(), `first of ${name}\n`)
      // Until its input goes on, or ends, curl looks at nothing else.
      sender.stdin.end()
      const failed = await sender.result
      t.not(failed.code, 0, `the sender of ${name} knows`)
      t.notMatch(failed.stdout.toString(), /Transfer complete/)
    }
    t.not((await waitingSender.result).code, 0, 'a sender that waits knows')
    for (const { name, sender, receiver } of begun.slice(4)) {
      sender.stdin.end('and last')
      t.equal((await receiver.result).stdout.toString(), `first of ${name}\nand last`)
      t.match((await sender.result).stdout.toString(), /Transfer complete\.\n$/)
    }

    // Receivers who waited wait on another relay now, where whoever comes meets them.
    for (const { name, run } of waiting) {
      const sent = await ask(other.url(`${name}?wait=60`), 'PUT', 'found again')
      t.match(sent.body.toString(), /Transfer complete\.\n$/)
      const { stdout, code } = await run.result
      t.equal(stdout.toString(), 'found again')
      t.equal(code, 0)
    }
    const after = await meetAll(edges, left, all)
    for (const name of all) {
      const expected = homeOf(name, left)
      if (after.get(name) !== expected) t.fail(`${name} is on ${after.get(name)} of those left, not on ${expected}`)
      if (homeOf(name, relays) !== lost && left[expected] !== relays[homeOf(name, relays)]) t.fail(`${name} has moved`)
    }
  })

  await t.test(
    'it comes back; who waits on the wrong relay does not wait on, and a stream stays where it is',
    async (t) => {
      const lost = homeOf(all[0]!, relays)
      const onLost = all.filter((name) => homeOf(name, relays) === lost)
      const [receives, sends, streams, quiet] = onLost as [string, string, string, string]
      const flowing = await begin(streams, one, other)
      const receiver = curl(['-N', one.url(receives)])
      const sender = curl(['-N', '-T', '-', one.url(sends)], { input: 'nobody' })
      await sender.waitFor('[INFO] Waiting for')
      // One that waits where it belongs.
      const stays = all.find((name) => homeOf(name, relays) !== lost)!
      const staying = curl(['-N', one.url(stays)])
      const ended = curl(['-T', '-', other.url(`${quiet}?reply=end&wait=2`)], {
        input: 'nobody is told before the end',
      })
      await eventually(async () => {
        for (const name of [receives, stays]) {
          const { body } = await ask(other.url(`${name}?status`))
          if (!`${body}`.includes('"state":"waiting"')) return `${name}: ${body}`
        }
        return true
      })
      const { port } = relays[lost]!
      relays[lost] = await startProgram(t, ['--port', `${port}`])
      const failed = await sender.result
      t.not(failed.code, 0)
      t.match(
        failed.stdout.toString(),
        /\[ERROR\] Transfer failed: this name belongs to another relay now; send again\.\n$/,
      )
      // Both edges know by now, or soon, in each of their threads: three came up at the start.
      const ups = (edge: Running) => edge.lines.filter(({ msg }) => msg === 'an upstream is up').length
      for (const edge of edges) await eventually(() => ups(edge) === 4 * edge.threads || `${ups(edge)} came up`)
      flowing.sender.stdin.end('and last')
      t.equal((await flowing.receiver.result).stdout.toString(), `first of ${streams}\nand last`)
      for (const [name, waited] of [
        [receives, receiver],
        [stays, staying],
      ] as const) {
        t.match((await ask(other.url(name), 'PUT', 'here')).body.toString(), /Transfer complete/)
        t.equal((await waited.result).stdout.toString(), 'here')
      }
      t.match((await ended.result).stdout.toString(), /\[ERROR\]/)
      const back = await meetAll(edges, relays, onLost)
      for (const name of onLost) if (back.get(name) !== lost) t.fail(`${name} is not back`)
    },
  )
})
