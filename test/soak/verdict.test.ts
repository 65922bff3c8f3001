/**
 * The verdicts of the soak can fail: between a real gateway and its clients stands a proxy that does what no gateway may do, and
 * each time the rule that is broken is named.
 */

import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Random } from '../model/random.js'
import { eventually } from '../support/eventually.js'
import { startGateway } from '../support/gateway.js'
import { listenOnLoopback } from '../support/loopback.js'
import { connect } from '../support/raw.js'
import { plantFaults } from './faults/schedule.js'
import { GatewayProcess } from './gateway-process.js'
import { baselineOf, leaksOf } from './leaks.js'
import { Connection, type Door } from './load/connection.js'
import { Job, runJob } from './load/job.js'
import { Transfer } from './load/transfer.js'
import type { TransferPlan } from './load/transfer-plan.js'
import { LogCheck } from './log-check.js'
import { announceFewer, cutOff, drop, flip, type Mangle, repeat, replace, startMangler } from './mangler.js'
import { Probe } from './probe.js'
import { type Rule, Tally } from './tally.js'
import { Timeline } from './timeline.js'

/** A process that is asked by programs that have to be started first. */
const SOON = { timeoutMs: 60_000, everyMs: 100 }
t.setTimeout(290_000)

const BYTES = 50_000
const RECEIVER = { rangeFrom: 0, http10: false, readBytes: 65_536, pause: undefined, leaves: undefined }
const PLAN: TransferPlan = {
  name: 'judged',
  seed: 7,
  bytes: BYTES,
  framing: 'length',
  http10: false,
  replyAtEnd: false,
  senderFirst: false,
  piece: 10_000,
  pauseMs: 0,
  leaves: undefined,
  receivers: [RECEIVER],
}

function doorAt(port: number): Door {
  return { name: 'here', port, tls: false, credentials: () => '' }
}

interface Case {
  readonly plan?: Partial<TransferPlan>
  readonly sender?: Mangle
  readonly receiver?: Mangle
  /** Whoever receives talks to somebody who never answers, or who hangs up at once. */
  readonly instead?: 'deaf' | 'closed'
  /** A fault that is planted meanwhile. */
  readonly fault?: string
}

/** Runs one transfer, and resolves with what has been counted. */
async function judged(t: Test, { plan, sender, receiver, instead, fault }: Case): Promise<Tally> {
  const { port } = await startGateway(t)
  const timeline = new Timeline()
  if (fault !== undefined) timeline.begin(fault)
  const tally = new Tally()
  const through = async (mangle: Mangle | undefined) =>
    doorAt(mangle === undefined ? port : await startMangler(t, port, mangle))
  const receiverDoor =
    instead === undefined
      ? await through(receiver)
      : doorAt(await startMangler(t, undefined, (bytes) => (instead === 'deaf' ? bytes : undefined)))
  const senderDoor = await through(sender)
  const job = new Job(1, new Random(1), { tally, timeline, deadlineMs: instead === 'deaf' ? 300 : 20_000 })
  const run = (each: Job) => new Transfer(each, senderDoor, { ...PLAN, ...plan }, receiverDoor).run()
  await runJob('transfers', run, job)
  for (const each of job.kept) each.leave('destroy')
  return tally
}

t.test('a transfer to which nothing happens is verified, and breaks no rule', async (t) => {
  for (const plan of [
    {},
    { framing: 'chunked' },
    { framing: 'form' },
    { receivers: [{ ...RECEIVER, rangeFrom: 99 }] },
  ]) {
    const tally = await judged(t, { plan: plan as Partial<TransferPlan>, receiver: (bytes) => bytes })
    t.same([...tally.broken], [])
    t.equal(tally.total.verified, 1)
    t.equal(tally.toldComplete, 1)
  }
})

t.test('what a sender does itself is a cut with its reason, and breaks no rule', async (t) => {
  const leaves = { at: 20_000, way: 'reset' } as const
  for (const http10 of [false, true]) {
    const plan = { framing: 'chunked', leaves, receivers: [{ ...RECEIVER, http10 }] } as const
    const tally = await judged(t, { plan })
    t.same([...tally.broken], [])
    t.equal(tally.total.cut, 1)
    t.ok([...tally.cuts.keys()].every((reason) => reason === 'sender_left' || reason === 'abandoned'))
  }
})

t.test('who talks through that proxy is told at once when the gateway closes', async (t) => {
  const server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\n\r\nhalf'))
  const to = await listenOnLoopback(server)
  t.teardown(() => server.close())
  const client = await connect({ port: await startMangler(t, to, (bytes) => bytes) })
  await client.waitForClose()
  t.match(client.text, /half$/, 'after all that it has said')
})

const WRONG: readonly [what: string, rule: Rule, scene: Case][] = [
  ['a byte that is another', 'wrong bytes', { receiver: flip }],
  ['a byte that is missing', 'wrong bytes', { receiver: drop }],
  ['a byte that comes twice', 'wrong bytes', { receiver: repeat }],
  ['a length that is too small', 'truncations that look clean', { receiver: announceFewer(BYTES, BYTES - 100) }],
  ['a receiver that lacks bytes of a complete transfer', 'truncations that look clean', { receiver: cutOff }],
  [
    'a sender that is not told that all went well',
    'sides that disagree',
    { sender: replace('Transfer complete.', 'Transfer finished.') },
  ],
  [
    'a range that is answered with everything',
    'sides that disagree',
    { receiver: replace('206 ', '200 '), plan: { receivers: [{ ...RECEIVER, rangeFrom: 99 }] } },
  ],
  ['somebody who is never answered', 'requests without an end', { instead: 'deaf' }],
  ['somebody who is turned away', 'ends that nothing explains', { instead: 'closed' }],
]

for (const [what, rule, scene] of WRONG)
  t.test(`${what}: ${rule}`, async (t) => {
    const tally = await judged(t, scene)
    t.ok((tally.broken.get(rule) ?? 0) > 0, `found ${JSON.stringify([...tally.broken])}`)
    t.ok(
      tally.problems.some((each) => each.rule === rule && each.text.length > 20),
      'with its details',
    )
  })

t.test('who is turned away while descriptors are few is explained', async (t) => {
  const tally = await judged(t, { instead: 'closed', fault: 'descriptors at their limit' })
  t.same([...tally.broken], [])
  t.same([...tally.refusals], [['turned away', 1]])
})

t.test('leaks, and silence, of a real process', async (t) => {
  const folder = join(t.testdir({}), 'leaky')
  mkdirSync(folder)
  const gateway = await GatewayProcess.start(t, { name: 'leaky', folder, log: 'pipe', config: {} })
  const baseline = await baselineOf(gateway)
  t.same(await leaksOf(gateway, baseline), [])
  const waiting = await Connection.open(doorAt(gateway.port))
  // In one write: what comes while a sender waits stays in the kernel.
  await waiting.send('PUT /leak HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12')
  await eventually(async () => (await gateway.metrics()).value('pipegate_held_bytes') > 0 || 'nothing is held', SOON)
  // What asks for the figures may not be gone yet, on a machine that has much to do, and counts as long.
  await eventually(async () => {
    const [leak = 'no leak'] = await leaksOf(gateway, baseline, 0)
    const isNamed = ['waiting 2', 'heldBytes 2', 'openRequests 1', 'descriptors 1'].every((what) => leak.includes(what))
    return isNamed || leak
  }, SOON)
  waiting.leave('destroy')
  t.same(await leaksOf(gateway, baseline), [])
  t.match(await leaksOf(gateway, { ...baseline, residentBytes: baseline.residentBytes - 1e9 }), [/grown by/])
  await silences(t, gateway)
  t.equal(await gateway.stop(), 0)
  t.same(gateway.log.problems, [])
})

/** A stop that nobody has planted is silence of the loop, and one that was planted is not. */
async function silences(t: Test, gateway: GatewayProcess): Promise<void> {
  const longest: number[] = []
  for (const isPlanted of [false, true]) {
    const timeline = new Timeline()
    const probe = new Probe({ port: gateway.port, pid: gateway.pid, tls: false }, timeline, 'leaky stopped')
    await probe.heard
    const end = isPlanted ? timeline.begin('leaky stopped') : () => {}
    gateway.child.kill('SIGSTOP')
    await sleep(3000)
    gateway.child.kill('SIGCONT')
    end()
    await eventually(async () => (await gateway.get('health')) !== undefined || 'it does not go on', SOON)
    await sleep(200)
    await probe.stop()
    longest.push(probe.longestMs)
  }
  t.ok(longest[0]! > 2500, `${longest[0]} ms`)
  t.ok(longest[1]! < 2500, `${longest[1]} ms`)
}

t.test('a log that is torn, or lacks lines', async (t) => {
  const problems = (text: string) => {
    const check = new LogCheck()
    for (const byte of Buffer.from(text)) check.push(Buffer.from([byte]))
    return check.problems
  }
  const line = (fields: object) => `${JSON.stringify(fields)}\n`
  const request = (id: number) => line({ level: 30, id, msg: 'request' })
  const lost = line({ level: 40, lines: 1, msg: 'lines of the log were lost' })
  t.same(problems(request(2) + request(1)), [])
  t.same(problems(request(1) + lost + request(3)), [])
  t.match(problems(request(1) + request(3)), [/1 of 3 requests have no line/])
  t.match(problems(`{"level":30,"i${request(1)}`), [/torn/])
  t.match(problems(request(1).trimEnd()), [/no end/])
})

t.test('a fault that cannot be planted, or not be mended', async (t) => {
  const tally = new Tally()
  const timeline = new Timeline()
  let mended = 0
  const fail = () => {
    throw new Error('no')
  }
  const faults = [
    { name: 'a', what: '', lasts: [0, 1] as const, plant: fail },
    { name: 'b', what: '', lasts: [0, 1] as const, plant: () => fail },
    { name: 'c', what: '', lasts: [0, 1] as const, plant: () => () => void mended++ },
  ]
  await plantFaults(faults, 1, { random: new Random(1), tally, timeline, note: () => {} })
  t.equal(tally.broken.get('faults that could not be planted or mended'), 2)
  t.equal(mended, 1)
  t.equal(timeline.within('c', 0, Number.POSITIVE_INFINITY) > 0, true)
})
