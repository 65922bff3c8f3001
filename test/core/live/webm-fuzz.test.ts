/**
 * Streams with random mistakes in them. The reader never throws, says the same in whatever pieces they come, keeps a bounded
 * state, and agrees with a second reader that has the whole stream before it and goes about it in another way.
 */
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import * as id from '../../../core/live/ebml-ids.js'
import { Random } from '../../model/random.js'
import { AUDIO, ebml, element, group, open, simple, timestamp, track, tracks, VIDEO } from './ebml-maker.js'
import { read, readCut } from './reading.js'
import { readWhole } from './whole-reader.js'

const SECONDS = Number(process.env.PIPEGATE_FUZZ_SECONDS ?? 5)
const seed = Number(process.env.PIPEGATE_SEED ?? randomBytes(4).readUInt32LE())
const FEWEST = 2000

const sizeLength = (random: Random) => random.pick([undefined, undefined, 4, 8])

function randomBlock(random: Random): Buffer {
  const block = {
    track: random.between(1, 3),
    isKey: random.chance(50),
    payload: Buffer.alloc(random.below(30), random.pick(['\x1f\x43\xb6\x75', '\xa3\x81', '\0', '\xff'])!, 'latin1'),
    trackLength: random.chance(90) ? 1 : random.between(1, 8),
  }
  return random.chance(70) ? simple(block) : group(block)
}

const some = (random: Random, most: number, make: () => Buffer): Buffer[] =>
  Array.from({ length: random.below(most + 1) }, make)

const LOOSE = [id.VOID, id.CRC_32, id.TAGS, id.CUES, id.SEEK_HEAD, id.CHAPTERS, id.ATTACHMENTS, id.INFO, 0x1abcdef0]

function randomLoose(random: Random): Buffer {
  return element(random.pick(LOOSE)!, Buffer.alloc(random.below(40), 0xa3), sizeLength(random))
}

function randomCluster(random: Random): Buffer {
  const content = [timestamp, ...some(random, 5, () => (random.chance(90) ? randomBlock(random) : voidOf(random)))]
  return random.chance(50)
    ? open(id.CLUSTER, content, random.between(1, 8))
    : element(id.CLUSTER, content, sizeLength(random))
}

const voidOf = (random: Random) => element(id.VOID, Buffer.alloc(random.below(9), 0xec))

function randomDocument(random: Random): Buffer {
  const content = [
    ...some(random, 3, () => randomLoose(random)),
    ...(random.chance(95)
      ? [tracks(...some(random, 3, () => track(random.between(1, 3), random.pick([VIDEO, AUDIO])!)))]
      : []),
    ...some(random, 3, () => randomLoose(random)),
    ...some(random, 6, () => (random.chance(85) ? randomCluster(random) : randomLoose(random))),
  ]
  const segment = random.chance(70) ? open(id.SEGMENT, content, random.between(1, 8)) : element(id.SEGMENT, content, 8)
  return Buffer.concat([ebml(random.pick(['webm', 'matroska'])), ...some(random, 1, () => voidOf(random)), segment])
}

/** A few mistakes: other bytes, bytes that are missing, bytes that are there twice. */
function mutate(random: Random, stream: Buffer): Buffer {
  let out = stream
  for (let left = random.below(4); left > 0 && out.length > 0; left--) {
    const at = random.below(out.length)
    const length = random.between(1, 8)
    if (random.chance(60)) {
      out = Buffer.from(out)
      out[at] = random.chance(50) ? random.below(256) : out[at]! ^ (1 << random.below(8))
    } else if (random.chance(50)) out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)])
    else out = Buffer.concat([out.subarray(0, at + length), out.subarray(at)])
  }
  return out
}

function* randomCuts(random: Random, length: number) {
  const most = random.pick([1, 4, 40, 400])!
  for (let at = random.between(1, most); at < length; at += random.between(1, most)) yield at
}

t.test(`random streams, seed ${seed}`, async (t) => {
  const random = new Random(seed)
  const end = Date.now() + SECONDS * 1000
  const seen = { streams: 0, plain: 0, entries: 0, renewed: 0, faults: new Set<string>() }
  while (Date.now() < end || seen.streams < FEWEST) {
    const stream = mutate(
      random,
      Buffer.concat([randomDocument(random), ...some(random, 1, () => randomDocument(random))]),
    )
    const whole = read(stream)
    const hint = () => `stream ${seen.streams} of seed ${seed}: ${stream.toString('hex')}`
    if (!isDeepStrictEqual(readCut(stream, randomCuts(random, stream.length)), whole))
      return t.fail(`${hint()} is another one in pieces`)
    const { fault, ...rest } = whole
    if (!isDeepStrictEqual({ ...rest, isBroken: fault !== undefined }, { ...readWhole(stream) }))
      return t.fail(`${hint()} is another one for the second reader`)
    seen.streams++
    seen.entries += whole.entries.length
    if (whole.headers.length > 1) seen.renewed++
    if (whole.fault !== undefined) {
      seen.plain++
      seen.faults.add(whole.fault)
    }
  }
  t.comment(seen.streams, 'streams,', seen.plain, 'broken,', seen.entries, 'entries,', [...seen.faults].join('; '))
  t.ok(seen.entries > seen.streams / 2, 'there is something to find')
  t.ok(seen.renewed > seen.streams / 100, 'streams that begin anew')
  t.ok(seen.plain > seen.streams / 5 && seen.plain < seen.streams, 'and mistakes that matter')
  t.ok(seen.faults.size >= 10, `of many kinds (${seen.faults.size})`)
})
