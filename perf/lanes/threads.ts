import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { threadHelper } from '../../gateway/native/threads.js'
import { ClientProcess } from '../clients.js'
import { interleave } from '../interleave.js'
import type { Context, Lane } from '../lane.js'
import { PROJECT } from '../paths.js'
import { isOnPath, type Peer } from '../peers.js'
import { Relay } from '../relay.js'
import { median, quantile } from '../stats.js'
import { makeTlsFiles } from '../tls-files.js'

const THREADS = [1, 2, 4] as const
const MIB = 1024 ** 2

/** Streams at once: how many, and receivers of each. */
const BULK = [
  { name: '8 times 1 to 1', pairs: 8, receivers: 1, bytes: 500e6, gain: 1.35, tls: false },
  { name: '2 times 1 to 32', pairs: 2, receivers: 32, bytes: 100e6, gain: 1.3, tls: false },
  { name: '8 times 1 to 1 over TLS', pairs: 8, receivers: 1, bytes: 200e6, gain: 1.5, tls: true },
] as const

const CHURN = [
  { name: 'kept connections, new names', fresh: false, reuses: false, transfers: 20_000, cost: 1.5 },
  { name: 'kept connections, the same names', fresh: false, reuses: true, transfers: 20_000, cost: 1.1 },
  { name: 'new connections', fresh: true, reuses: false, transfers: 8000, cost: undefined },
] as const

export const threads: Lane = {
  name: 'threads',
  title: 'One gateway in 1, 2 and 4 threads: many streams at once, short transfers, latency, start and memory',
  deadline: 900,
  async run(context) {
    if (!isOnPath('gcc')) throw new Error('gcc is not installed')
    const folder = mkdtempSync(join(tmpdir(), 'pipegate-threads-'))
    execFileSync('gcc', ['-O2', '-o', join(folder, 'pour'), `${PROJECT}perf/threads/pour.c`, '-lssl', '-lcrypto'])
    const files = makeTlsFiles()
    const relays = new Map<Peer, Relay>()
    // Those that speak TLS serve nobody else, and are at rest meanwhile.
    const secured = new Map<Peer, Relay>()
    const client = new ClientProcess()
    try {
      for (const count of THREADS) {
        const peer = inThreads(context.head, count)
        const from = performance.now()
        const relay = await Relay.start(peer)
        context.report.add(peer.name, 'until it listens', 'ms', performance.now() - from)
        await relay.settle()
        context.report.add(peer.name, 'memory at rest', 'MiB', relay.memory() / MIB)
        relays.set(peer, relay)
        secured.set(peer, await Relay.start(peer, files))
      }
      const sides = [...relays.keys()]
      for (const load of BULK) {
        await interleave(sides, context.rounds, (side, round) =>
          pour(context, (load.tls ? secured : relays).get(side)!, join(folder, 'pour'), load, round),
        )
      }
      for (const load of CHURN) {
        await interleave(sides, context.rounds, (side, round) => churn(context, relays.get(side)!, client, load, round))
      }
      await interleave(sides, context.rounds, (side, round) => lines(context, relays.get(side)!, client, round))
      for (const [side, relay] of relays)
        context.report.add(side.name, 'memory afterwards', 'MiB', relay.memory() / MIB)
      setGoals(context, sides)
    } finally {
      await Promise.all([client.end(), ...[...relays.values(), ...secured.values()].map((relay) => relay.stop())])
      files.remove()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function inThreads(head: Peer, count: number): Peer {
  return {
    ...head,
    name: count === 1 ? '1 thread' : `${count} threads`,
    command: (options) => [...head.command(options), '--threads', `${count}`],
  }
}

async function pour(
  { report, quick, say }: Context,
  relay: Relay,
  program: string,
  { name, pairs, receivers, bytes, tls }: (typeof BULK)[number],
  round: number,
): Promise<void> {
  const each = quick ? bytes / 2 : bytes
  await relay.settle()
  const before = relay.cpu()
  const args = [tls ? 'https' : 'http', relay.target.port, receivers, each, ...spreadPaths(`/pour-${round}-`, pairs)]
  const { stdout } = await promisify(execFile)(program, args.map(String))
  const seconds = Number(stdout)
  await relay.settle()
  const gigabytes = (each * pairs * receivers) / 1e9
  const cpu = relay.cpu() - before
  report.add(relay.peer.name, `${name}: throughput`, 'MB/s', (gigabytes * 1000) / seconds)
  report.add(relay.peer.name, `${name}: CPU`, 's/GB', cpu / gigabytes)
  say(
    `${name}, round ${round + 1}, ${relay.peer.name}: ${((gigabytes * 1000) / seconds).toFixed(0)} MB/s, ` +
      `${(cpu / gigabytes).toFixed(3)} s/GB`,
  )
}

/** Paths of which each thread has as many as another one, of 2 as well as of 4: what chance would do to them is not what is measured. */
function spreadPaths(before: string, count: number): string[] {
  const helper = threadHelper()
  helper.spreadNames('/api/v1/pipe', 4)
  const paths: string[] = []
  for (let i = 0; paths.length < count; i++) {
    const path = `${before}${i}`
    if (helper.ownerOf(path) === paths.length % 4) paths.push(path)
  }
  return paths
}

async function churn(
  { report, quick, say }: Context,
  relay: Relay,
  client: ClientProcess,
  { name, fresh, reuses, transfers: all }: (typeof CHURN)[number],
  round: number,
): Promise<void> {
  const transfers = quick ? all / 4 : all
  const job = { target: relay.target, parallel: 32, bytes: 64, fresh, reuses }
  const prefix = `/churn-${fresh ? 'new' : 'kept'}-${reuses ? 'same' : round}-`
  if (round === 0) await client.run('churn', { ...job, prefix: `${prefix}warm-`, transfers: transfers / 4 })
  await relay.settle()
  const before = relay.cpu()
  const seconds = await client.run('churn', { ...job, prefix, transfers })
  await relay.settle()
  const micros = ((relay.cpu() - before) / transfers) * 1e6
  report.add(relay.peer.name, `${name}: CPU`, 'µs', micros)
  report.add(relay.peer.name, `${name}: per second`, '/s', transfers / seconds)
  say(`${name}, round ${round + 1}, ${relay.peer.name}: ${micros.toFixed(1)} µs`)
}

async function lines(
  { report, quick, say }: Context,
  relay: Relay,
  client: ClientProcess,
  round: number,
): Promise<void> {
  const count = quick ? 5000 : 20_000
  const path = `/lines-${round}`
  const job = { target: relay.target, echo: false, path, bytes: 64, lines: count, warmUp: count / 5 }
  const p50 = quantile(await client.run('lines', job), 0.5)
  report.add(relay.peer.name, 'a line one way, p50', 'µs', p50)
  say(`round ${round + 1}, ${relay.peer.name}: p50 ${p50.toFixed(0)} µs`)
}

function setGoals({ report }: Context, sides: readonly Peer[]): void {
  const [one, two, four] = sides
  for (const [load, unit] of [
    ...BULK.flatMap(({ name }) => [
      [`${name}: throughput`, 'MB/s'],
      [`${name}: CPU`, 's/GB'],
    ]),
    ...CHURN.map(({ name }) => [`${name}: CPU`, 'µs']),
  ]) {
    const points = sides.map(({ name }, i): [number, number] => [THREADS[i]!, median(report.values(name, load!)!)])
    report.byThreads('pipegate', load!, unit!, points)
  }
  for (const { name, gain } of BULK) {
    const what = `${name}, 2 threads against 1`
    report.ratioGoal(`${name}: throughput`, two!.name, one!.name, {
      what: `throughput: ${what}`,
      target: gain,
      bound: 'least',
    })
    report.ratioGoal(`${name}: CPU`, two!.name, one!.name, { what: `CPU per GB: ${what}`, target: 1.1, bound: 'most' })
  }
  for (const { name, cost } of CHURN) {
    if (cost === undefined) continue
    report.ratioGoal(`${name}: CPU`, two!.name, one!.name, {
      what: `CPU per transfer: ${name}, 2 threads against 1`,
      target: cost,
      bound: 'most',
    })
  }
  report.ratioGoal('a line one way, p50', two!.name, one!.name, {
    what: 'p50 of a line, 2 threads against 1',
    target: 1.05,
    bound: 'most',
  })
  const [before, after] = [
    report.values(two!.name, 'memory afterwards'),
    report.values(four!.name, 'memory afterwards'),
  ]
  if (before !== undefined && after !== undefined)
    report.note(`a further thread: ${((after[0]! - before[0]!) / 2).toFixed(0)} MiB`)
}
