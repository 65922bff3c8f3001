/** Streams of real programs: the entries are those that ffprobe's packets allow, and ffmpeg plays from each of them without a complaint. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import * as id from '../../../core/live/ebml-ids.js'
import { Chromium } from '../../support/browser.js'
import { amount, sample } from '../../support/thorough.js'
import { bare } from './ebml-maker.js'
import { type Reading, readInPieces } from './reading.js'
import { ffmpeg, INPUTS, type Packet, packetsOf, play, record, WAYS } from './real-streams.js'

const CLUSTER = bare(id.CLUSTER)

/** Every place where the bytes of a Cluster's ID are: in payloads of some hundred kilobytes they hardly come by chance. */
function clustersIn(stream: Buffer): number[] {
  const found: number[] = []
  for (let at = stream.indexOf(CLUSTER); at >= 0; at = stream.indexOf(CLUSTER, at + 1)) found.push(at)
  return found
}

/** The first stream of video; without any, none. */
function pictureOf(packets: readonly Packet[]): number {
  return Math.min(...packets.filter(({ isVideo }) => isVideo).map(({ stream }) => stream))
}

/** Clusters whose first packet of the picture is a key; without a picture all. */
function entriesIn(clusters: readonly number[], packets: readonly Packet[]): number[] {
  const picture = pictureOf(packets)
  if (!packets.some(({ stream }) => stream === picture)) return [...clusters]
  return clusters.filter((from, i) => {
    const to = clusters[i + 1] ?? Number.POSITIVE_INFINITY
    return packets.find(({ stream, offset }) => stream === picture && offset > from && offset < to)?.isKey
  })
}

/** How many entries of a stream are played from. */
const PLAYED = amount(2, 5)

/** Plays from some entries to the end, and counts the frames: none is missing, and there is nothing to complain about. */
async function assertPlays(t: Test, stream: Buffer, packets: readonly Packet[], { entries, headers }: Reading) {
  const picture = pictureOf(packets)
  const step = Math.max(1, Math.floor(entries.length / PLAYED))
  for (const [from, header] of entries.filter((_, i) => i % step === 0)) {
    const joined = Buffer.concat([Buffer.from(headers[header]!, 'hex'), stream.subarray(from)])
    const { frames, complaints } = await play(joined)
    t.equal(complaints, '', `from ${from}`)
    t.equal(frames, packets.filter((packet) => packet.stream === picture && packet.offset > from).length, 'frames')
  }
}

/** @param fewest how many entries there must be at least */
async function check(t: Test, stream: Buffer, fewest: number): Promise<Reading> {
  const reading = readInPieces(stream, 1000)
  t.match(reading, { state: 'clusters', fault: undefined })
  for (const length of [1, 17, 65_536]) t.same(readInPieces(stream, length), reading, `pieces of ${length}`)
  const clusters = clustersIn(stream)
  t.same(reading.clusters, clusters)
  const packets = await packetsOf(stream)
  const offsets = reading.entries.map(([offset]) => offset)
  t.same(offsets, entriesIn(clusters, packets))
  t.ok(offsets.length >= fewest, `${offsets.length} entries in ${clusters.length} Clusters`)
  await assertPlays(t, stream, packets, reading)
  return reading
}

for (const [codecs, input] of sample(Object.entries(INPUTS), 3)) {
  for (const [way, output] of Object.entries(WAYS)) {
    t.test(`${codecs}, ${way}`, async (t) => {
      const path = join(t.testdir(), 'stream')
      await ffmpeg([...input, ...output], path)
      // With two pictures the keyframes of the second often begin the Cluster.
      await check(t, readFileSync(path), codecs.includes('two') ? 1 : 2)
      if (way !== 'live') return
      await check(t, await ffmpeg([...input, ...output], '-'), 2)
    })
  }
}

t.test('two files, one after the other', async (t) => {
  const part = await ffmpeg([...INPUTS['VP8 and Opus']!, ...WAYS.live!], '-')
  const alone = readInPieces(part, 1000)
  const { entries, headers } = readInPieces(Buffer.concat([part, part]), 1000)
  const offsets = alone.entries.map(([offset]) => offset)
  t.same(entries, [...offsets.map((at) => [at, 0]), ...offsets.map((at) => [part.length + at, 1])])
  t.equal(headers[0], headers[1])
})

t.test('a browser records', async (t) => {
  const chromium = await Chromium.start(t, ['--autoplay-policy=no-user-gesture-required'])
  const both = { hasVideo: true, hasAudio: true, times: 1, ms: amount(2500, 4000) }
  const recordings = {
    'VP8 and Opus': { ...both, mimeType: 'video/webm;codecs=vp8,opus' },
    'VP9 alone': { ...both, hasAudio: false, mimeType: 'video/webm;codecs=vp9' },
    'Opus alone': { ...both, hasVideo: false, mimeType: 'audio/webm;codecs=opus' },
    'VP8 and Opus, started three times': { ...both, mimeType: 'video/webm;codecs=vp8,opus', times: 3, ms: 1500 },
  }
  for (const [name, recording] of sample(Object.entries(recordings), 2)) {
    t.test(name, async (t) => {
      const stream = await record(t, chromium, recording)
      if (recording.times === 1) return void (await check(t, stream, 1))
      const whole = readInPieces(stream, 1000)
      t.equal(whole.fault, undefined)
      t.equal(whole.headers.length, recording.times)
      t.same(whole.clusters, clustersIn(stream))
      // ffprobe reads one recording at a time.
      const parts: number[] = []
      for (let at = stream.indexOf(bare(id.EBML)); at >= 0; at = stream.indexOf(bare(id.EBML), at + 1)) parts.push(at)
      t.equal(parts.length, recording.times)
      const entries: (readonly [number, number])[] = []
      for (const [i, from] of parts.entries()) {
        const part = await check(t, stream.subarray(from, parts[i + 1]), 1)
        entries.push(...part.entries.map(([at]) => [from + at, i] as const))
      }
      t.same(whole.entries, entries)
    })
  }
})
