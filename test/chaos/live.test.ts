/**
 * Live streams over real sockets, whose viewers come and go at random, freeze, die, and never read. Whatever they do: what a
 * viewer has is the stream from the offset that it was told, byte for byte; who looks complete has the end; who reads what comes is
 * not cut; the sender is never held back, unless it asked for that; and nothing is left behind.
 *
 * `PIPEGATE_SEED=<seed> node dist/test/chaos/live.test.js` begins with that seed; `PIPEGATE_CHAOS_SECONDS` says for how long.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Random } from '../model/random.js'
import { eventually } from '../support/eventually.js'
import { type Running, startGateway } from '../support/gateway.js'
import { connectPeer } from '../support/peer.js'
import { ResponseReader } from '../support/response-reader.js'
import { bodyOf } from '../support/tape.js'
import { amount } from '../support/thorough.js'
import { LiveViewer } from './live-viewer.js'
import { Diary } from './participant.js'
import { ROUNDS } from './rounds.js'
import { keepsNothing, openSockets } from './watch.js'

const KIB = 1024
const MIB = 1024 * KIB
const SECONDS = Number(process.env.PIPEGATE_CHAOS_SECONDS ?? amount(4, 16))
const FIRST = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 3

/** One stream and its viewers. Resolves with every rule that was broken. */
async function runStream(
  seed: number,
  running: Running,
): Promise<{ problems: string[]; diary: Diary; viewers: number }> {
  const random = new Random(seed)
  const diary = new Diary()
  const door = { port: running.port, tls: running.tls }
  const slow = random.pick(['cut', 'cut', 'skip', 'hold', undefined])
  const bytes = random.between(100 * KIB, 6 * MIB)
  const body = bodyOf(seed, bytes)
  const dies = random.chance(25)
  const path = `/live-${seed}`
  const viewers: LiveViewer[] = []
  const join = () => {
    const viewer = new LiveViewer(viewers.length, body, random.chance(30) ? path : `${path}?live`, random, diary, door)
    viewers.push(viewer)
    return viewer.run()
  }
  const query = `live&lag=${8 * MIB}${slow === undefined ? '' : `&slow=${slow}`}${slow === 'hold' ? '&stall=1' : ''}`
  let text = ''
  const reader = new ResponseReader((piece) => (text += piece.toString('latin1')))
  const sender = await connectPeer({ ...door, onBytes: (piece) => reader.push(piece) })
  diary.note('sender', `PUT ${query}, ${bytes} bytes${dies ? ', dies' : ''}`)
  await sender.send(`PUT ${path}?${query} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`)
  await eventually(() => text.includes('streaming') || 'the sender is not told that it streams')
  const stopAt = dies ? random.below(bytes) : bytes
  for (let at = 0; at < stopAt; ) {
    if (random.chance(40) && viewers.length < 40) void join()
    const end = Math.min(stopAt, at + random.pick([500, 16 * KIB, 100 * KIB])! + random.below(300))
    await sender.send(body.subarray(at, end))
    at = end
    await sleep(random.below(4))
  }
  diary.note('sender', dies ? `dies at ${stopAt}` : 'has sent all')
  const problems: string[] = []
  if (dies) sender.leave('reset')
  else
    await eventually(() => reader.complete || `the sender is not answered: ${text}`, { timeoutMs: 30_000 }).catch(
      (error) => problems.push(error.message),
    )
  if (!dies && !/\[INFO\] Live stream ended \(peak \d+ viewers\)\.\n$/.test(text)) problems.push(`sender: ${text}`)
  for (const viewer of viewers) if (viewer.trouble === 'stuck') viewer.thaw()
  const all = () => viewers.find((viewer) => !viewer.isOver && !viewer.hasLeft)
  await eventually(() => all() === undefined || `${all()!.who} never ends`, { timeoutMs: 30_000 }).catch((error) =>
    problems.push(error.message),
  )
  for (const viewer of viewers)
    for (const fault of faults(viewer, bytes, dies)) problems.push(`${viewer.who}: ${fault}`)
  for (const viewer of viewers) viewer.close()
  sender.leave('destroy')
  return { problems, diary, viewers: viewers.length }
}

function* faults(viewer: LiveViewer, bytes: number, dies: boolean) {
  const { wrongAt, reader, isWhole, status, offset = 0, hasLeft, isGood } = viewer
  if (wrongAt !== undefined) yield `wrong byte at ${wrongAt}`
  if (reader.problem !== undefined && !hasLeft) yield reader.problem
  // Who comes when the stream is over waits for the next one, or joins nothing.
  if (status !== 200) return
  if (reader.head!.headers.get('content-length') !== undefined && offset < bytes) yield 'a Content-Length'
  if (isWhole && dies) yield 'looks complete, and the sender died'
  if (isWhole && offset + reader.bodyBytes !== bytes)
    yield `looks complete with ${reader.bodyBytes} from ${offset} of ${bytes}`
  if (isGood && !dies && !isWhole) yield `read all that came, and has ${reader.bodyBytes} from ${offset} of ${bytes}`
}

t.setTimeout((SECONDS + 200) * 1000)
for (const round of ROUNDS) {
  t.test(`viewers come and go, ${round.name}`, { timeout: (SECONDS + 150) * 1000 }, async (t) => {
    const running = await startGateway(t, { wait: '1' }, { tls: round.tls })
    const sockets = openSockets()
    let next = FIRST
    let streams = 0
    let viewers = 0
    let failures = 0
    const until = performance.now() + SECONDS * 1000 * round.share
    const work = async () => {
      while (performance.now() < until && failures < 5) {
        const seed = next++
        const report = await runStream(seed, running)
        streams++
        viewers += report.viewers
        if (report.problems.length === 0) continue
        failures++
        t.comment(`seed ${seed}:\n${report.diary.lines.join('\n')}`)
        t.fail(`seed ${seed}: ${report.problems.join('; ')}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    t.comment(`seeds ${FIRST} to ${next - 1}: ${streams} streams, ${viewers} viewers`)
    t.equal(failures, 0, 'every stream went as it must')
    t.ok(viewers > streams, 'there were viewers')
    await t.resolves(keepsNothing(running, sockets))
    t.equal(running.gateway.table.resting, 0)
    t.equal(running.gateway.table.viewers, 0)
  })
}
