/** What the port `Sink` promises, once, for every implementation of it: the scripted one and the gateway's. */

import t, { type Test } from 'tap'
import type { EndReason } from '../../core/index.js'
import { makeCertificate } from '../support/certificate.js'
import { eventually } from '../support/eventually.js'
import { isThorough } from '../support/thorough.js'
import { FakeRig, type OpenedSink, type Place, type SinkRig } from './sink-rig.js'
import { startHost } from './uws-host.js'
import { UwsSinkRig } from './uws-sink-rig.js'

const KIB = 1024
const MIB = 1024 * KIB
/** Around the sizes at which the gateway changes its ways. */
const SIZES = [
  [0, 1, 2, 4095, 4096, 4097],
  [16 * KIB - 17, 16 * KIB - 16, 16 * KIB - 15, 16 * KIB, 16 * KIB + 1],
  [64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB, 128 * KIB + 1, 777_777, MIB, MIB + 1],
].flat()
const PIECES = [997, 16 * KIB - 16, 64 * KIB + 1, 2 * MIB]
const PLACES: readonly Place[] = ['callback', 'turn']
const REASONS: readonly EndReason[] = ['sender_left', 'broken_body', 'receivers_stalled', 'fault']
const LARGE = 8 * MIB

/** Long enough for a report that must not come to come. */
const QUIET_MS = 100

async function sleepQuietly(): Promise<void> {
  const until = performance.now() + QUIET_MS
  await eventually(() => performance.now() >= until || 'the time is not over')
}

function hasEnded({ receiver }: OpenedSink): Promise<void> {
  return eventually(() => receiver.outcome !== 'open' || `${receiver.body.length} bytes, and no end`, {
    timeoutMs: 120_000,
  })
}

/** Resolves when the sink takes nothing any more. */
async function standsStill({ driver }: OpenedSink): Promise<void> {
  for (let before = -1; before !== driver.taken; ) {
    before = driver.taken
    await sleepQuietly()
  }
}

function isPrefix(part: Buffer, of: Uint8Array): boolean {
  return Buffer.compare(part, of.subarray(0, part.length)) === 0
}

/** The receiver has what the sink said it took, and it ended well. */
async function endsWhole(t: Test, opened: OpenedSink, title: string): Promise<void> {
  const { driver, receiver } = opened
  await hasEnded(opened)
  await eventually(() => driver.finished || `${title}: finish() was not answered`)
  const { bytes } = driver.plan
  t.same(
    { problems: driver.problems, outcome: receiver.outcome, taken: driver.taken, received: receiver.body.length },
    { problems: [], outcome: 'complete', taken: bytes, received: bytes },
    title,
  )
  t.ok(receiver.body.equals(driver.stream), `${title}: the same bytes`)
}

/** Nobody takes it for complete, and what came is the front of the stream. */
async function endsBroken(t: Test, opened: OpenedSink, title: string): Promise<void> {
  const { driver, receiver } = opened
  receiver.thaw()
  await hasEnded(opened)
  t.not(receiver.outcome, 'complete', title)
  if (receiver.outcome === 'cut') {
    t.ok(isPrefix(receiver.body, driver.stream), `${title}: the bytes that came are the right ones`)
    t.ok(receiver.body.length <= driver.taken, `${title}: ${receiver.body.length}`)
  }
  await sleepQuietly()
  t.same(driver.problems, [], title)
  t.equal(driver.finished, false, title)
  receiver.close()
}

const parts: Promise<unknown>[] = []

function contract(rig: SinkRig): void {
  const part = (what: string, run: (t: Test) => Promise<void>) => parts.push(t.test(`${rig.name}: ${what}`, run))

  part('exactly the bytes that it took arrive, and then the connection serves the next request', async (t) => {
    for (const [at, place] of PLACES.entries()) {
      for (const [nth, piece] of PIECES.entries()) {
        for (const [i, bytes] of SIZES.entries()) {
          // By day each size in half of the pieces from a callback, in the others from a turn of its own.
          if (!isThorough && (i + nth + at) % 2 !== 0) continue
          // Hundreds of tiny pieces say nothing that tens do not.
          if (bytes > 400 * piece) continue
          const opened = await rig.open({ bytes, piece })
          await rig.at(place, () => {
            opened.driver.begin()
            opened.driver.advance()
          })
          const title = `${bytes} bytes by ${piece} from a ${place}`
          await endsWhole(t, opened, title)
          t.ok(await opened.receiver.isUsable(), `${title}: the next request is answered`)
          opened.receiver.close()
        }
      }
    }
  })

  part('a byte leaves as soon as it is offered, without waiting for the next one', async (t) => {
    const opened = await rig.open({ bytes: 5, piece: 1 })
    opened.driver.upTo = 0
    await rig.at('callback', () => opened.driver.begin())
    for (let bytes = 1; bytes <= 5; bytes++) {
      await rig.at(bytes % 2 === 0 ? 'turn' : 'callback', () => {
        opened.driver.upTo = bytes
        opened.driver.advance()
      })
      await eventually(() => opened.receiver.body.length === bytes || `${opened.receiver.body.length} of ${bytes}`)
    }
    await endsWhole(t, opened, 'five bytes, one by one')
    opened.receiver.close()
  })

  part('large pieces one by one, from callbacks of another connection: as a fan-out feeds it', async (t) => {
    for (const piece of [16 * KIB - 16, 64 * KIB, 100_001, 128 * KIB]) {
      const bytes = 12 * piece + 1
      const opened = await rig.open({ bytes, piece })
      const { driver, receiver } = opened
      driver.upTo = 1
      await rig.at('callback', () => {
        driver.begin()
        driver.advance()
      })
      while (driver.upTo < bytes) {
        await eventually(() => driver.taken === driver.upTo || `${driver.taken} of ${driver.upTo} were taken`)
        await rig.at('callback', () => {
          driver.upTo += piece
          driver.advance()
        })
      }
      await endsWhole(t, opened, `12 times ${piece} bytes`)
      receiver.close()
    }
  })

  part('it stops for a receiver that freezes, and goes on when there is room', async (t) => {
    for (const place of PLACES) {
      const opened = await rig.open({ bytes: LARGE, piece: 128 * KIB })
      const { driver, receiver } = opened
      for (const round of ['first', 'second']) {
        const at = driver.taken
        await eventually(() => receiver.body.length === at || `${receiver.body.length} of ${at} came`)
        receiver.freeze()
        await rig.at(place, () => {
          if (round === 'first') driver.begin()
          driver.upTo = LARGE
          driver.advance()
        })
        await standsStill(opened)
        // Once it has read a lot, the kernel gives the client a larger buffer, which is none of the sink's business.
        if (round === 'first') {
          t.ok(driver.full, 'it took less than all')
          t.ok(driver.taken <= rig.frozenBytes, `it took ${driver.taken} bytes that nobody read`)
        }
        driver.upTo = round === 'first' ? driver.taken : LARGE
        receiver.thaw()
      }
      await endsWhole(t, opened, `frozen twice, from a ${place}`)
      t.ok(driver.count('drained') > 0)
      receiver.close()
    }
  })

  part('a receiver that reads in tiny steps gets everything', async (t) => {
    const opened = await rig.open({ bytes: 300_001, piece: 20_000 }, { readBytes: 211 })
    await rig.at('callback', () => {
      opened.driver.begin()
      opened.driver.advance()
    })
    await endsWhole(t, opened, '211 bytes at a time')
    opened.receiver.close()
  })

  part('abort at any point is not a clean end, and nothing is reported after it', async (t) => {
    for (const place of PLACES) {
      const unbegun = await rig.open({ bytes: 1000, piece: 100 })
      await rig.at(place, () => unbegun.driver.abort('no_sender'))
      await hasEnded(unbegun)
      t.equal(unbegun.receiver.outcome, 'refused', 'before begin it is an error status')
      await endsBroken(t, unbegun, `before begin, from a ${place}`)

      for (const [when, upTo] of [
        ['after begin', 0],
        ['after a byte', 1],
        ['in the middle', 70_001],
        ['before the last byte', 99_999],
      ] as const) {
        for (const [i, reason] of REASONS.entries()) {
          const opened = await rig.open({ bytes: 100_000, piece: 40_000 })
          opened.driver.upTo = upTo
          await rig.at('callback', () => {
            opened.driver.begin()
            opened.driver.advance()
            if (i === 0) opened.driver.abort(reason)
          })
          if (i > 0) {
            await eventually(() => opened.driver.taken === upTo || `${opened.driver.taken} of ${upTo} were taken`)
            if (i > 1)
              await eventually(() => opened.receiver.body.length === upTo || `${opened.receiver.body.length} came`)
            await rig.at(place, () => opened.driver.abort(reason))
          }
          await endsBroken(t, opened, `${when}, ${reason}, from a ${place}`)
        }
      }
    }
  })

  part('abort while a frozen receiver has the front of the stream, and while the end waits', async (t) => {
    for (const place of PLACES) {
      const middle = await rig.open({ bytes: LARGE, piece: 100_000 })
      middle.receiver.freeze()
      await rig.at('callback', () => {
        middle.driver.begin()
        middle.driver.advance()
      })
      await standsStill(middle)
      await rig.at(place, () => middle.driver.abort())
      await endsBroken(t, middle, `frozen, from a ${place}`)

      for (const bytes of [0, 1, 3000, 100_000, 2 * MIB]) {
        const opened = await rig.open({ bytes, piece: 60_000 })
        let late = false
        await rig.at('callback', () => {
          opened.driver.begin()
          opened.driver.advance()
          // Only in the same callback is the answer to finish() sure to be missing.
          late = opened.driver.finishing && !opened.driver.finished
          if (late) opened.driver.abort()
        })
        if (late) await endsBroken(t, opened, `${bytes} bytes, after finish() said not yet`)
        else await endsWhole(t, opened, `${bytes} bytes, which ended at once or later`)
        opened.receiver.close()
      }
    }
  })

  part('a receiver that leaves is reported once, and nothing after it', async (t) => {
    for (const way of rig.ways) {
      for (const [when, upTo] of [
        ['before begin', -1],
        ['before the first byte', 0],
        ['in the middle', 50_000],
      ] as const) {
        const opened = await rig.open({ bytes: 100_000, piece: 30_000 })
        const { driver, receiver } = opened
        driver.upTo = Math.max(0, upTo)
        if (upTo >= 0)
          await rig.at('callback', () => {
            driver.begin()
            driver.advance()
          })
        await eventually(() => receiver.body.length === driver.upTo || `${receiver.body.length} bytes came`)
        receiver.leave(way)
        await eventually(() => driver.gone || `${when}, ${way}: nobody has said that it left`)
        await sleepQuietly()
        t.same(driver.problems, [], `${when}, ${way}`)
        t.equal(driver.count('left'), 1, `${when}, ${way}`)
        // The core may not have heard of it yet.
        if (upTo >= 0) await rig.at('turn', () => t.doesNotThrow(() => lateCalls(driver.sink)))
        await sleepQuietly()
        t.same(driver.problems, [], `${when}, ${way}, later calls`)
      }
      const frozen = await rig.open({ bytes: LARGE, piece: 128 * KIB })
      frozen.receiver.freeze()
      await rig.at('callback', () => {
        frozen.driver.begin()
        frozen.driver.advance()
      })
      await standsStill(frozen)
      frozen.receiver.leave(way)
      await eventually(() => frozen.driver.gone || `frozen, ${way}: nobody has said that it left`)
      await sleepQuietly()
      t.same(frozen.driver.problems, [], `frozen, ${way}`)
      frozen.receiver.close()
    }
  })

  /** A fake objects to calls that a transport has to bear. */
  function lateCalls(sink: OpenedSink['driver']['sink']): void {
    if (rig instanceof FakeRig) return
    sink.write(new Uint8Array(10))
    sink.abort('sender_left', undefined as never)
  }
}

// More transfers at once would wait for each other on a machine that has other things to do.
t.jobs = 4
for (const announced of [true, false]) {
  const framing = announced ? 'announced' : 'not announced'
  contract(new FakeRig(`scripted, at once, ${framing}`, announced, true))
  contract(new FakeRig(`scripted, late, ${framing}`, announced, false))
}
const hosts = [await startHost(t), await startHost(t, makeCertificate(t.testdir({})))]
for (const host of hosts) for (const announced of [true, false]) contract(new UwsSinkRig(host, announced))
await Promise.all(parts)
t.test('no defect was caught, and nothing is left', async (t) => {
  for (const host of hosts) {
    t.same(host.faults, [])
    await eventually(() => host.missing === 0 || `${host.missing} bytes of the connection that served callbacks`)
    // Whoever has gone while it was not read is looked for every four seconds, and the first look may only ask.
    await eventually(() => host.keepalive.size <= 1 || `${host.keepalive.size} connections are kept alive`, {
      timeoutMs: 60_000,
    })
    await eventually(() => host.open <= 1 || `${host.open} responses are open`)
  }
})
