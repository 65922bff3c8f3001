/** What the port `Source` promises, once, for every implementation of it: the scripted one and the gateway's. */

import t, { type Test } from 'tap'
import { END_REASONS, type EndReason, type SenderEvent } from '../../core/index.js'
import { Random } from '../model/random.js'
import { makeCertificate } from '../support/certificate.js'
import { eventually } from '../support/eventually.js'
import { isThorough } from '../support/thorough.js'
import type { Place } from './sink-rig.js'
import { PIPE } from './source-driver.js'
import { FakeSourceRig, type OpenedSource, type SourceRig } from './source-rig.js'
import { startHost } from './uws-host.js'
import { UwsSourceRig } from './uws-source-rig.js'

const KIB = 1024
const MIB = 1024 * KIB
const SIZES = [0, 1, 2, 4096, 16 * KIB, 64 * KIB + 1, 128 * KIB - 1, 128 * KIB, 128 * KIB + 1, 777_777, 2 * MIB + 1]
const PLACES: readonly Place[] = ['callback', 'turn']
/** Long enough for a report that must not come to come. */
const QUIET_MS = 100

async function sleepQuietly(): Promise<void> {
  const until = performance.now() + QUIET_MS
  await eventually(() => performance.now() >= until || 'the time is not over')
}

/** Resolves when nothing is delivered any more. */
async function standsStill({ driver }: OpenedSource): Promise<void> {
  for (let before = -1; before !== driver.fed; ) {
    before = driver.fed
    await sleepQuietly()
  }
}

function reports({ driver }: OpenedSource, what: string): Promise<void> {
  return eventually(() => driver.reports.includes(what) || `no "${what}", ${driver.fed} bytes`, { timeoutMs: 120_000 })
}

async function deliversAll(t: Test, opened: OpenedSource, title: string): Promise<void> {
  const { driver } = opened
  await reports(opened, 'end')
  const { problems, fed, reports: told } = driver
  t.same({ problems, fed, told }, { problems: [], fed: driver.stream.length, told: ['end'] }, title)
}

const parts: Promise<unknown>[] = []

function contract(rig: SourceRig): void {
  const part = (what: string, run: (t: Test) => Promise<void>) => parts.push(t.test(`${rig.name}: ${what}`, run))

  part('every byte is delivered once, then the end, once; then the connection serves again', async (t) => {
    for (const place of PLACES) {
      for (const bytes of SIZES) {
        const opened = await rig.open(bytes)
        const { driver, sender } = opened
        sender.sendUpTo(bytes)
        driver.tell('waiting')
        await rig.at(place, () => driver.resume())
        await deliversAll(t, opened, `${bytes} bytes, resumed from a ${place}`)
        await rig.at(place, () => driver.finish('complete'))
        await eventually(() => sender.outcome === 'complete' || `${bytes} bytes: the sender sees ${sender.outcome}`)
        t.ok(await sender.isUsable(), 'the next request is answered')
        t.same(driver.problems, [])
        sender.close()
      }
    }
  })

  part('it starts paused, and is paused again with what was read at most', async (t) => {
    for (const place of PLACES) {
      const opened = await rig.open(3 * MIB)
      const { driver, sender } = opened
      sender.sendUpTo(3 * MIB)
      await standsStill(opened)
      t.ok(driver.fed <= rig.readBytes, `${driver.fed} bytes came before it was resumed`)
      await rig.at(place, () => driver.resume())
      await eventually(() => driver.fed > MIB || 'it does not get there', { everyMs: 1 })
      if (driver.fed < driver.stream.length) {
        await rig.at(place, () => driver.pause())
        await standsStill(opened)
        t.ok(driver.fed < driver.stream.length || driver.mostAfterPause <= rig.readBytes)
        driver.resume()
      }
      await deliversAll(t, opened, `from a ${place}`)
      t.ok(driver.mostAfterPause <= rig.readBytes, `${driver.mostAfterPause} bytes after a pause`)
      sender.close()
    }
  })

  part('paused from inside a delivery, again and again', async (t) => {
    const random = new Random(31)
    const opened = await rig.open(12 * MIB)
    const { driver, sender } = opened
    let pauses = 0
    driver.onFeed = () => {
      if (driver.isPaused || !random.chance(40)) return
      pauses++
      driver.pause()
      // Not from inside the delivery, as a sink that drains.
      void rig.at(random.pick(PLACES)!, () => driver.resume())
    }
    sender.sendUpTo(12 * MIB)
    await rig.at('turn', () => driver.resume())
    await deliversAll(t, opened, `${pauses} pauses`)
    t.ok(pauses > 3, `${pauses} pauses`)
    t.ok(driver.mostAfterPause <= rig.readBytes, `${driver.mostAfterPause} bytes after a pause`)
    sender.close()
  })

  part('bytes are delivered as they come', async (t) => {
    const opened = await rig.open(5)
    const { driver, sender } = opened
    await rig.at('callback', () => driver.resume())
    for (let bytes = 1; bytes <= 5; bytes++) {
      sender.sendUpTo(bytes)
      await eventually(() => driver.fed === bytes || `${driver.fed} of ${bytes}`)
    }
    await deliversAll(t, opened, 'one by one')
    sender.close()
  })

  part('a sender that leaves is reported once, and nothing after it', async (t) => {
    for (const way of rig.ways) {
      for (const [when, upTo, isPaused] of [
        ['before its first byte', 0, false],
        ['in the middle', 70_000, false],
        ['paused', 2 * MIB, true],
      ] as const) {
        const opened = await rig.open(3 * MIB)
        const { driver, sender } = opened
        if (!isPaused) await rig.at('turn', () => driver.resume())
        sender.sendUpTo(upTo)
        if (isPaused) await standsStill(opened)
        else await eventually(() => driver.fed === upTo || `${driver.fed} of ${upTo}`)
        sender.leave(way)
        // Nobody looks at a connection that is paused.
        if (isPaused) await rig.at('turn', () => driver.resume())
        await reports(opened, 'left')
        await sleepQuietly()
        t.same([driver.problems, driver.reports], [[], ['left']], `${when}, ${way}`)
        t.doesNotThrow(() => rig.tellsNews && driver.problems.length === 0 && lateCalls(opened))
        await sleepQuietly()
        t.same([driver.problems, driver.reports], [[], ['left']], `${when}, ${way}, later calls`)
      }
    }
  })

  part('the sender is told all news in order', async (t) => {
    const opened = await rig.open(10)
    const { driver, sender } = opened
    const news: SenderEvent[] = [
      'waiting',
      'still_waiting',
      'receiver_joined',
      'receiver_left',
      'still_waiting',
      'receiver_joined',
    ]
    await rig.at('callback', () => driver.tell(news[0]!))
    for (const each of news.slice(1)) await rig.at('turn', () => driver.tell(each))
    const last: SenderEvent[] = ['streaming', 'given_back', 'streaming', 'uploaded']
    await rig.at('callback', () => {
      for (const each of last) driver.tell(each)
    })
    const all = [...news, ...last]
    if (rig.tellsNews) await eventually(() => sender.heard.length >= all.length || `${sender.heard} were heard`)
    sender.sendUpTo(10)
    await rig.at('turn', () => driver.resume())
    await reports(opened, 'end')
    await rig.at('callback', () => driver.finish('complete'))
    await eventually(() => sender.outcome === 'complete' || `the sender sees ${sender.outcome}`)
    t.same(sender.heard, all)
    t.same(driver.problems, [])
    sender.close()
  })

  part('any end but a complete one is not a clean end, at any point, and nothing is reported after it', async (t) => {
    const points = [0, 100_000, MIB, 3 * MIB]
    for (const [at, upTo] of points.entries()) {
      const all = END_REASONS.filter((reason) => reason !== 'complete')
      // In CI each reason at one point.
      const reasons = isThorough ? all : all.filter((_, i) => i % points.length === at)
      // At once: a client that still uploads is given half a second to read why.
      await Promise.all(reasons.map((reason, i) => endsBadly(t, upTo, reason, PLACES[i % 2]!)))
    }
  })

  async function endsBadly(t: Test, upTo: number, reason: EndReason, place: Place): Promise<void> {
    const title = `${reason} after ${upTo} bytes`
    const opened = await rig.open(3 * MIB)
    const { driver, sender } = opened
    driver.tell('waiting')
    // With a part of the body on its way the source stays paused.
    const isPaused = upTo === MIB
    if (!isPaused) await rig.at('turn', () => driver.resume())
    sender.sendUpTo(upTo)
    if (upTo === driver.stream.length) await reports(opened, 'end')
    else if (!isPaused) await eventually(() => driver.fed === upTo || `${driver.fed} of ${upTo}`)
    await rig.at(place, () => driver.finish(reason))
    await eventually(() => sender.outcome !== 'open' || `${title}: the response does not end`)
    t.not(sender.outcome, 'complete', title)
    sender.close()
    await sleepQuietly()
    // What comes before the connection is cut may be delivered: the endpoint drops it.
    const told = driver.reports.filter((each) => each !== 'end')
    const problems = driver.problems.filter((each) => !each.startsWith('bytes after'))
    t.same([problems, told], [[], []], title)
  }

  /** A fake objects to calls that a transport has to bear. */
  function lateCalls({ driver }: OpenedSource): void {
    if (rig instanceof FakeSourceRig) return
    driver.pause()
    driver.tell('receiver_left')
    driver.resume()
    driver.source.end('sender_left', PIPE)
  }
}

// More transfers at once would wait for each other on a machine that has other things to do.
t.jobs = 4
contract(new FakeSourceRig())
const hosts = [await startHost(t), await startHost(t, makeCertificate(t.testdir({})))]
for (const host of hosts) {
  for (const announced of [true, false]) {
    for (const replyAtEnd of [false, true]) contract(new UwsSourceRig(host, { announced, replyAtEnd, isForm: false }))
    contract(new UwsSourceRig(host, { announced, replyAtEnd: false, isForm: true }))
  }
}
await Promise.all(parts)
t.test('no defect was caught, and nothing is left', async (t) => {
  for (const host of hosts) {
    t.same(host.faults, [])
    // The one connection whose bytes are callbacks.
    // Whoever has gone while it was not read is looked for every four seconds, and the first look may only ask. Who closes its side
    // within 2 ms of its request is found by TCP keepalive, after 70 s.
    await eventually(() => host.keepalive.size <= 1 || `${host.keepalive.size} connections are kept alive`, {
      timeoutMs: 100_000,
    })
    await eventually(() => host.open <= 1 || `${host.open} responses are open`)
  }
})
