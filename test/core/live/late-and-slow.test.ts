/** Viewers of WebM that come late begin at a keyframe, and those that fall behind go on at one. */
import assert from 'node:assert/strict'
import t from 'tap'
import * as id from '../../../core/live/ebml-ids.js'
import { Random } from '../../model/random.js'
import { Bench } from '../fakes/bench.js'
import type { FakeReceiver, FakeSender } from '../fakes/sides.js'
import { audio, bothTracks, ebml, info, open, simple, timestamp } from './ebml-maker.js'
import { RawSink } from './raw-sink.js'

/** Clusters are this long, more or less: entries that are closer than 16 KiB count as one. */
const PAYLOAD = 20_000
const LIMITS = {
  idleMs: 0,
  windowBytes: 100_000,
  holdBytes: 1_000_000,
  live: {
    maxViewers: 300,
    maxStreams: 2,
    maxAllViewers: 300,
    budgetBytes: 4_000_000,
    skipFromBytes: 100_000,
    skipToBytes: 50_000,
    stallMs: 60_000,
    restMs: 60_000,
  },
}

/** A stream, and where one can begin in it. */
interface Recording {
  readonly bytes: Buffer
  /** Offset of each Cluster that begins with a keyframe, and what a joiner gets in front. */
  readonly entries: readonly { readonly offset: number; readonly header: Buffer }[]
}

const HEADER = Buffer.concat([ebml(), open(id.SEGMENT, [info, bothTracks])])
/** The same, told from the other by its length. */
const OTHER = Buffer.concat([ebml('webm', [Buffer.of(0xec, 0x80)]), open(id.SEGMENT, [info, bothTracks])])

/** Keyframes in every `every`th Cluster; another header at each of `anew`. */
function record(clusters: number, { every = 2, anew = [] as readonly number[] } = {}): Recording {
  const parts: Buffer[] = [HEADER]
  const entries = []
  let header = HEADER
  let length = HEADER.length
  for (let i = 0; i < clusters; i++) {
    if (anew.includes(i)) {
      header = OTHER
      parts.push(OTHER)
      length += OTHER.length
    }
    const isKey = i % every === 0
    if (isKey) entries.push({ offset: length, header })
    const payload = Buffer.alloc(PAYLOAD, `${i} `)
    const cluster = open(id.CLUSTER, [timestamp, audio, simple({ track: 1, isKey, payload })])
    parts.push(cluster)
    length += cluster.length
  }
  return { bytes: Buffer.concat(parts), entries }
}

class Stage {
  readonly bench = new Bench({ limits: LIMITS, slabBytes: 8192, maxSlabs: 600, turn: [1e12, 1000] })
  readonly sender: FakeSender
  fed = 0

  constructor(
    readonly recording: Recording,
    live: Parameters<Bench['sender']>[1] = { live: { lagBytes: 1_000_000 } },
  ) {
    this.sender = this.bench.sender('a', live)
  }

  feed(bytes: number): void {
    // Lent for the call.
    const loan = new Uint8Array(this.recording.bytes.subarray(this.fed, this.fed + bytes))
    this.fed += loan.length
    if (loan.length > 0) this.sender.endpoint.feed(loan)
    loan.fill(0xff)
  }

  view(room = Number.POSITIVE_INFINITY, live: { atNextByte?: boolean; slow?: 'cut' } = {}): FakeReceiver {
    return this.bench.receiver('a', { live, sink: new RawSink(room) })
  }

  end(): void {
    this.feed(Number.POSITIVE_INFINITY)
    this.sender.end()
  }

  get counts() {
    return this.sender.endpoint.pipe.live!
  }
}

/**
 * Asserts that these bytes are the stream from `offset` on, to the end unless it was cut, where parts that begin and end with an
 * entry may be left out. Returns how many.
 */
function leftOut({ bytes, entries }: Recording, got: Buffer, offset: number, toEnd = true): number {
  const places = new Map(entries.map((entry) => [entry.offset, entry]))
  let at = offset
  let skips = 0
  for (let i = 0; i < got.length; ) {
    const most = Math.min(got.length - i, nextOf(entries, at, bytes.length) - at)
    if (most > 0 && got.compare(bytes, at, at + most, i, i + most) === 0) {
      at += most
      i += most
      continue
    }
    const here = places.get(at)
    assert.ok(here, `wrong byte near ${at}`)
    const there = entries.find((entry) => {
      if (entry.offset <= at) return false
      const head = entry.header === here.header ? Buffer.alloc(0) : entry.header
      const want = Buffer.concat([head, bytes.subarray(entry.offset, entry.offset + 200)])
      return got.compare(want, 0, want.length, i, i + want.length) === 0
    })
    assert.ok(there, `after ${at} comes no later entry`)
    i += there.header === here.header ? 0 : there.header.length
    at = there.offset
    skips++
  }
  if (toEnd) assert.equal(at, bytes.length, 'it has the end')
  return skips
}

/** The next entry behind this offset, or the end. */
function nextOf(entries: Recording['entries'], at: number, end: number): number {
  return entries.find(({ offset }) => offset > at)?.offset ?? end
}

const bytesOf = ({ sink }: FakeReceiver): Buffer => Buffer.from(sink.bytes)

t.test('who comes late gets the header, and the stream from the next keyframe on', async (t) => {
  const recording = record(30)
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed)
    const stage = new Stage(recording)
    const viewers: { viewer: FakeReceiver; from: number }[] = [{ viewer: stage.view(), from: 0 }]
    while (stage.fed < recording.bytes.length) {
      stage.feed(random.chance(50) ? random.between(1, 60) : random.between(1, 30_000))
      if (random.chance(30) && viewers.length < 40) viewers.push({ viewer: stage.view(), from: stage.fed })
    }
    stage.end()
    for (const { viewer, from } of viewers) {
      const entry = recording.entries.find(({ offset }) => offset >= from)
      const offset = from === 0 ? 0 : (entry?.offset ?? recording.bytes.length)
      const header = from === 0 || entry === undefined ? Buffer.alloc(0) : entry.header
      assert.equal(viewer.sink.offset, offset, `seed ${seed}: who came at ${from}`)
      assert.ok(
        bytesOf(viewer).equals(Buffer.concat([header, recording.bytes.subarray(offset)])),
        `seed ${seed}, ${from}`,
      )
      assert.deepEqual(viewer.sink.log, ['begin', 'finish'])
    }
    stage.bench.assertEmpty()
  }
  t.pass('20 streams, byte for byte')
})

t.test('a place in a part of which nothing is known yet counts, and its beginning has been kept', async (t) => {
  const recording = record(4)
  const { offset } = recording.entries[1]!
  const stage = new Stage(recording)
  stage.feed(offset - 1)
  const viewer = stage.view()
  // The Cluster's head, its time, a part of the audio: then only the frame.
  for (let i = 0; i < 30; i++) stage.feed(1)
  t.same(viewer.sink.log, [], 'its head waits for its first bytes')
  t.ok(stage.bench.slabs.heldBytes > 0)
  stage.feed(100)
  t.equal(viewer.sink.offset, offset)
  stage.end()
  t.ok(bytesOf(viewer).equals(Buffer.concat([HEADER, recording.bytes.subarray(offset)])))
  stage.bench.assertEmpty()
})

t.test('nothing is kept for a viewer that goes while it waits', async (t) => {
  const recording = record(4)
  const stage = new Stage(recording)
  stage.feed(recording.entries[1]!.offset - 1)
  const viewer = stage.view()
  stage.feed(10)
  viewer.leave()
  t.equal(stage.bench.slabs.heldBytes, 0)
  const other = stage.view()
  stage.end()
  t.same(other.sink.log, ['begin', 'finish'])
  t.same([other.sink.offset, other.sink.received], [recording.bytes.length, 0], 'no keyframe came any more')
  stage.bench.assertEmpty()
})

t.test('who does not want to wait gets the header, and the next byte', async (t) => {
  const recording = record(4)
  const stage = new Stage(recording)
  stage.feed(30_000)
  const viewer = stage.view(10, { atNextByte: true })
  stage.feed(5000)
  t.equal(viewer.sink.offset, 30_000)
  viewer.drain()
  stage.end()
  t.ok(bytesOf(viewer).equals(Buffer.concat([HEADER, recording.bytes.subarray(30_000)])))
  stage.bench.assertEmpty()
})

t.test('while the header has not come, everybody waits for it', async (t) => {
  const recording = record(4)
  const stage = new Stage(recording)
  stage.feed(2)
  const viewers = [stage.view(), stage.view(Number.POSITIVE_INFINITY, { atNextByte: true })]
  for (let i = 0; i < HEADER.length - 2; i++) stage.feed(1)
  stage.feed(50)
  stage.end()
  const [atKey, atByte] = viewers.map((viewer) => viewer.sink.offset)
  t.equal(atKey, recording.entries[0]!.offset)
  t.ok(atByte! > 2 && atByte! <= HEADER.length + 50, `${atByte}`)
  t.ok(bytesOf(viewers[1]!).equals(Buffer.concat([HEADER, recording.bytes.subarray(atByte)])))
  stage.bench.assertEmpty()
})

t.test('who falls behind leaves out whole parts, and goes on at a keyframe', async (t) => {
  const recording = record(60, { anew: [30] })
  let all = 0
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed)
    const stage = new Stage(recording)
    const viewers = Array.from({ length: 6 }, () => ({ viewer: stage.view(random.below(3000)), from: 0 }))
    while (stage.fed < recording.bytes.length) {
      stage.feed(random.between(1, 30_000))
      if (random.chance(5)) viewers.push({ viewer: stage.view(random.below(3000)), from: stage.fed })
      for (const { viewer } of viewers) if (random.chance(15)) viewer.drain(random.between(1, 150_000))
    }
    stage.end()
    for (const { viewer } of viewers) while (!viewer.sink.finished) viewer.drain(50_000)
    const { skips } = stage.counts
    let seen = 0
    for (const { viewer, from } of viewers) {
      const { offset } = viewer.sink
      const entry = recording.entries.find((each) => each.offset === offset)
      const header = from === 0 || entry === undefined ? Buffer.alloc(0) : entry.header
      const got = bytesOf(viewer)
      assert.ok(got.subarray(0, header.length).equals(header))
      seen += leftOut(recording, got.subarray(header.length), offset)
    }
    assert.ok(seen <= skips, `${seen} parts are missing, and ${skips} skips were counted`)
    all += seen
    stage.bench.assertEmpty()
  }
  t.ok(all > 20, `${all} parts were left out in all`)
})

t.test('a viewer that would rather be cut is', async (t) => {
  const recording = record(60)
  const stage = new Stage(recording, { live: { lagBytes: 200_000 } })
  const strict = stage.view(0, { slow: 'cut' })
  const patient = stage.view(0)
  stage.feed(200_000)
  t.equal(strict.sink.aborted, undefined)
  stage.feed(1)
  t.same([strict.sink.aborted, patient.sink.aborted], ['fell_behind', undefined])
  stage.feed(300_000)
  patient.drain(HEADER.length)
  t.equal(patient.sink.aborted, undefined)
  stage.sender.leave()
  stage.bench.assertEmpty()
})

t.test('a sender that wants slow viewers cut gets that for WebM, too', async (t) => {
  const stage = new Stage(record(60), { live: { lagBytes: 200_000, slow: 'cut' } })
  const slow = stage.view(0)
  stage.feed(200_001)
  t.equal(slow.sink.aborted, 'fell_behind')
  stage.end()
  stage.bench.assertEmpty()
})

t.test(
  'what breaks goes on as plain bytes: who waits begins at the next one, and who falls behind is cut',
  async (t) => {
    const { bytes } = record(8)
    const broken = Buffer.concat([bytes, Buffer.alloc(300_000, 0)])
    const stage = new Stage({ bytes: broken, entries: [] })
    const first = stage.view()
    stage.feed(bytes.length - 10)
    const waits = stage.view()
    const slow = stage.view(0)
    stage.feed(200)
    const now = stage.fed
    stage.feed(100)
    t.same([waits.sink.log, slow.sink.log], [['begin'], ['begin']])
    t.ok(waits.sink.offset >= bytes.length - 10 && waits.sink.offset <= now, `${waits.sink.offset}`)
    stage.end()
    t.ok(bytesOf(first).equals(broken), 'who was there notices nothing')
    t.ok(bytesOf(waits).equals(broken.subarray(waits.sink.offset)), 'without a header')
    slow.leave()
    stage.bench.assertEmpty()
  },
)

t.test('hold: who comes to a stream that is held begins at a keyframe of what is kept', async (t) => {
  const recording = record(8)
  const stage = new Stage(recording, { live: { slow: 'hold', lagBytes: 1 } })
  const first = stage.view()
  stage.feed(1000)
  first.leave()
  stage.feed(90_000)
  t.equal(stage.sender.source.paused, true)
  const second = stage.view()
  const { offset } = recording.entries[1]!
  t.equal(second.sink.offset, offset)
  stage.end()
  t.ok(bytesOf(second).equals(Buffer.concat([HEADER, recording.bytes.subarray(offset)])))
  stage.bench.assertEmpty()
})

t.test('very many tiny parts do not make the list of places long', async (t) => {
  const cluster = open(id.CLUSTER, [timestamp, simple({ track: 1, isKey: true, payload: Buffer.of(1) })])
  const bytes = Buffer.concat([HEADER, ...Array.from({ length: 20_000 }, () => cluster)])
  const stage = new Stage({ bytes, entries: [] })
  const slow = stage.view(0)
  while (stage.fed < bytes.length) stage.feed(1000)
  const late = stage.view()
  slow.drain()
  stage.end()
  t.ok(stage.counts.skips <= 1)
  t.equal(late.sink.aborted, undefined)
  stage.bench.assertEmpty()
})
