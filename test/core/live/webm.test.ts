/** Streams that are made by hand: where one can begin, whatever the pieces in which they come. */
import t, { type Test } from 'tap'
import * as id from '../../../core/live/ebml-ids.js'
import { isWebm, WebmReader } from '../../../core/live/webm.js'
import {
  AUDIO,
  audio,
  bothTracks,
  delta,
  ebml,
  element,
  group,
  info,
  key,
  lying,
  number,
  open,
  simple,
  timestamp,
  track,
  tracks,
  VIDEO,
} from './ebml-maker.js'
import { type Reading, read, readCut, readInPieces } from './reading.js'

const known = (...content: Uint8Array[]) => element(id.CLUSTER, [timestamp, ...content])
const unknown = (...content: Uint8Array[]) => open(id.CLUSTER, [timestamp, ...content])
const segmentHead = open(id.SEGMENT)
const head = Buffer.concat([ebml(), segmentHead, info, bothTracks])
const audioHead = Buffer.concat([ebml(), segmentHead, info, tracks(track(2, AUDIO))])
const voids = element(id.VOID, Buffer.alloc(200))
const cues = element(id.CUES, Buffer.from('points'))

/** Reads a stream whole, cut at every byte, and in pieces of many lengths: it must say the same each time. */
function everyCut(t: Test, stream: Uint8Array): Reading {
  const whole = read(stream)
  for (let cut = 1; cut < stream.length; cut++) t.same(readCut(stream, [cut]), whole, `cut at ${cut}`)
  for (const length of [1, 2, 3, 5, 7, 11, 13]) t.same(readInPieces(stream, length), whole, `pieces of ${length}`)
  return whole
}

/** A case: the parts of a stream; parts in `[]` are Clusters, those in `[[]]` entries. */
type Part = Uint8Array | readonly [Uint8Array] | readonly [readonly [Uint8Array]]

function expected(parts: readonly Part[]) {
  const clusters: number[] = []
  const entries: number[] = []
  const bytes: Uint8Array[] = []
  let offset = 0
  for (const part of parts) {
    const isCluster = !(part instanceof Uint8Array)
    const isEntry = isCluster && !(part[0] instanceof Uint8Array)
    if (isCluster) clusters.push(offset)
    if (isEntry) entries.push(offset)
    const content = (
      isEntry ? (part as readonly [readonly [Uint8Array]])[0][0] : isCluster ? part[0] : part
    ) as Uint8Array
    bytes.push(content)
    offset += content.length
  }
  return { stream: Buffer.concat(bytes), clusters, entries }
}

const STREAMS: Readonly<Record<string, readonly Part[]>> = {
  'Clusters of unknown size, as recorders write them': [
    head,
    [[unknown(key, audio, delta)]],
    [unknown(delta, audio)],
    [[unknown(key, delta)]],
    [unknown(delta)],
  ],
  'Clusters of known size': [head, [[known(key, audio)]], [known(delta, delta, audio)], [[known(key)]]],
  'audio comes first: the first video block counts': [
    head,
    [[unknown(audio, audio, key)]],
    [unknown(audio, delta, key)],
    [[known(audio, key, delta)]],
    [known(audio, delta, key)],
  ],
  'BlockGroups: a keyframe is one that refers to nothing': [
    head,
    [[known(group({ track: 1, isKey: true }))]],
    [known(group({ track: 1 }), key)],
    [[unknown(group({ track: 2, isKey: true }), group({ track: 2 }), group({ track: 1, isKey: true }), delta)]],
    [unknown(group({ track: 2, isKey: true }), group({ track: 1 }), group({ track: 1, isKey: true }))],
  ],
  'a BlockGroup without a Block says nothing': [
    head,
    [[known(group({ track: 1, isKey: true }))]],
    [known(element(id.BLOCK_GROUP, [number(0x9b, 40)]))],
  ],
  'audio only: each Cluster, even an empty one': [
    audioHead,
    [[unknown(audio)]],
    [[known(audio)]],
    [[unknown()]],
    [[known()]],
  ],
  'no block of video in a Cluster, no entry': [head, [known(audio)], [unknown(audio)], [known()], [[known(key)]]],
  'other elements between Clusters, and in them': [
    head,
    [[unknown(element(0xa7, Buffer.of(9)), voids, element(id.CRC_32, Buffer.alloc(4)), key)]],
    cues,
    [[known(voids, element(0xab, Buffer.of(9)), audio, key)]],
    element(id.TAGS, Buffer.from('tags')),
    voids,
    [unknown(voids, delta)],
    element(id.CHAPTERS, Buffer.from('chapters')),
    element(id.ATTACHMENTS, Buffer.from('a font')),
    [[unknown(key)]],
    element(id.SEEK_HEAD, Buffer.from('places')),
    bothTracks,
    info,
  ],
  'an element that nobody knows, anywhere': [
    ebml('matroska', [element(0x4dbb, Buffer.from('?'))]),
    voids,
    segmentHead,
    element(0x1abcdef0, Buffer.from('?')),
    element(id.TRACKS, [
      element(0x4dbb, Buffer.from('?')),
      element(id.TRACK_ENTRY, [
        element(0x63a2, Buffer.alloc(30)),
        number(id.TRACK_NUMBER, 1),
        number(id.TRACK_TYPE, VIDEO),
      ]),
    ]),
    [[unknown(element(0x4dbb, Buffer.from('?')), element(0x1abcdef0, Buffer.from('?')), key)]],
    element(0x1abcdef0, Buffer.from('?')),
    [[unknown(key)]],
  ],
  'lengths of 1 to 8 bytes say the same': [
    ebml(),
    open(id.SEGMENT, [], 1),
    element(id.TRACKS, [track(1, VIDEO)], 5),
    [[open(id.CLUSTER, [element(id.SIMPLE_BLOCK, [Buffer.of(0x81, 0, 0, 0x80)], 3)], 1)]],
    [[open(id.CLUSTER, [element(id.SIMPLE_BLOCK, [Buffer.of(0x81, 0, 0, 0x80)], 8)], 4)]],
    [element(id.CLUSTER, [element(id.SIMPLE_BLOCK, [Buffer.of(0x81, 0, 0, 0)], 2)], 7)],
    [[element(id.CLUSTER, [element(id.BLOCK_GROUP, [element(id.BLOCK, Buffer.of(0x81, 0, 0, 0), 4)], 6)], 2)]],
  ],
  'numbers of tracks of 1 to 8 bytes': [
    ebml(),
    segmentHead,
    tracks(track(3, AUDIO), track(0x123456, VIDEO)),
    [[unknown(simple({ track: 0x123456, trackLength: 4, isKey: true }))]],
    [[unknown(simple({ track: 3, trackLength: 8 }), simple({ track: 0x123456, trackLength: 7, isKey: true }))]],
    [unknown(simple({ track: 0x123456, trackLength: 8 }))],
    [[known(simple({ track: 0x123456, trackLength: 8, isKey: true, payload: Buffer.alloc(0) }))]],
  ],
  'two videos: the first in Tracks counts': [
    ebml(),
    segmentHead,
    tracks(track(1, AUDIO), track(7, VIDEO), track(3, VIDEO)),
    [[unknown(simple({ track: 3 }), simple({ track: 7, isKey: true }))]],
    [unknown(simple({ track: 3, isKey: true }), simple({ track: 7 }))],
    [known(simple({ track: 3, isKey: true }))],
  ],
  'a video without a number has not that of the track before it': [
    ebml(),
    segmentHead,
    tracks(track(2, AUDIO), element(id.TRACK_ENTRY, [number(id.TRACK_TYPE, VIDEO)])),
    [known(audio)],
  ],
  'a recorder that was started again: a new header': [
    head,
    [[unknown(key)]],
    [unknown(delta)],
    ebml(),
    segmentHead,
    tracks(track(2, VIDEO), track(1, AUDIO)),
    [unknown(key)],
    [[unknown(key, simple({ track: 2, isKey: true }))]],
  ],
  'nothing but a header, and then another': [head, ebml(), segmentHead, bothTracks, [[known(key)]]],
  'payloads that look like elements': [
    head,
    [[unknown(audio, simple({ track: 2, payload: Buffer.concat([unknown(key), ebml()]) }), key)]],
    [unknown(delta, simple({ track: 1, isKey: true, payload: known(key) }))],
  ],
}

for (const [name, parts] of Object.entries(STREAMS)) {
  t.test(name, async (t) => {
    const { stream, clusters, entries } = expected(parts)
    const found = everyCut(t, stream)
    t.equal(found.fault, undefined)
    t.equal(found.state, 'clusters')
    t.same(found.clusters, clusters, 'Clusters')
    t.same(
      found.entries.map(([offset]) => offset),
      entries,
      'entries',
    )
  })
}

t.test('a Segment of known size ends, and another header may follow', async (t) => {
  const segment = (...content: Uint8Array[]) => element(id.SEGMENT, [info, bothTracks, ...content], 8)
  const first = Buffer.concat([ebml(), segment(known(key), unknown(delta), unknown(key))])
  const stream = Buffer.concat([first, ebml('matroska'), segment(known(key)), voids])
  const { fault, headers, entries } = everyCut(t, stream)
  t.equal(fault, undefined)
  const at = (bytes: Uint8Array, nth: number) => {
    let found = -1
    for (let i = 0; i <= nth; i++) found = stream.indexOf(bytes, found + 1)
    return found
  }
  t.same(entries, [
    [at(known(key), 0), 0],
    [at(unknown(key), 0), 0],
    [at(known(key), 1), 1],
  ])
  t.same(headers, [
    Buffer.concat([ebml(), segmentHead, info, bothTracks]).toString('hex'),
    Buffer.concat([ebml('matroska'), segmentHead, info, bothTracks]).toString('hex'),
  ])
})

t.test("a joiner's header has no place, no sum and no filling of the whole stream", async (t) => {
  const tags = element(id.TAGS, Buffer.from('tags'))
  const chapters = element(id.CHAPTERS, Buffer.from('chapters'))
  const seekHead = element(id.SEEK_HEAD, Buffer.from('places'))
  const crc = element(id.CRC_32, Buffer.alloc(4))
  const attachments = element(id.ATTACHMENTS, Buffer.alloc(5000, 'a font'))
  const inner = element(id.INFO, [crc, element(id.VOID, Buffer.alloc(9))])
  const before = [crc, seekHead, voids, inner, cues, bothTracks, attachments, chapters, tags]
  for (const segment of [open(id.SEGMENT, before), element(id.SEGMENT, [...before, known(key)], 4)]) {
    const stream = Buffer.concat([ebml(), voids, segment])
    const whole = segment.includes(bareCluster) ? stream : Buffer.concat([stream, known(key)])
    const { headers, header } = everyCut(t, whole)
    t.same(headers, [Buffer.concat([ebml(), segmentHead, inner, bothTracks, chapters, tags]).toString('hex')])
    t.equal(header, headers[0])
  }
})
const bareCluster = Buffer.from('1f43b675', 'hex')

t.test('states, and what is undecided, as the bytes come', async (t) => {
  const entries: number[] = []
  const reader = new WebmReader({ onCluster() {}, onEntry: (offset) => entries.push(offset) })
  const feed = (bytes: Uint8Array) => {
    reader.feed(bytes)
    return { state: reader.state, header: reader.header !== undefined, undecided: reader.undecided }
  }
  t.same(feed(ebml().subarray(0, -1)), { state: 'unknown', header: false, undecided: undefined })
  t.same(feed(ebml().subarray(-1)), { state: 'header', header: false, undecided: undefined })
  t.same(feed(Buffer.concat([segmentHead, info, bothTracks])), { state: 'header', header: false, undecided: undefined })
  const cluster = unknown(audio, key, delta)
  const keyAt = cluster.indexOf(key)
  const part = { state: 'header', header: false, undecided: head.length }
  t.same(feed(cluster.subarray(0, 1)), part, 'a byte may be the first of a Cluster')
  t.same(feed(cluster.subarray(1, 4)), part)
  t.same(feed(cluster.subarray(4, keyAt)), { state: 'clusters', header: true, undecided: head.length })
  t.same(entries, [])
  // The head of a short block is there when the block is.
  feed(cluster.subarray(keyAt, -delta.length))
  t.same(entries, [head.length], 'it is told when the head of the video block is there')
  t.equal(reader.undecided, undefined)
  feed(delta)
  t.same(feed(unknown(audio)), { state: 'clusters', header: true, undecided: head.length + cluster.length })
  t.same(feed(cues), { state: 'clusters', header: true, undecided: undefined }, 'the Cluster was none')
  const old = reader.header
  const second = head.length + cluster.length + unknown(audio).length + cues.length
  t.equal(feed(ebml().subarray(0, 1)).undecided, second)
  t.same(feed(ebml().subarray(1)), { state: 'header', header: true, undecided: undefined })
  t.equal(reader.header, old, 'until the new one is whole')
  feed(Buffer.concat([segmentHead, bothTracks, unknown()]))
  t.not(reader.header, old)
  t.equal(reader.state, 'clusters')
})

t.test('a keyframe of megabytes is known by its first bytes', async (t) => {
  const entries: number[] = []
  const reader = new WebmReader({ onCluster() {}, onEntry: (offset) => entries.push(offset) })
  reader.feed(head)
  reader.feed(lying(id.CLUSTER, 2 ** 40))
  reader.feed(lying(id.SIMPLE_BLOCK, 2 ** 31, Buffer.alloc(20, '\x81\x00\x00\x80', 'latin1')))
  t.same(entries, [head.length])
})

t.test('isWebm', async (t) => {
  t.ok(isWebm(ebml()))
  t.ok(isWebm(ebml().subarray(0, 2)))
  t.notOk(isWebm(Buffer.from('\x1aE\xdf', 'latin1').fill('x', 2)))
  t.notOk(isWebm(Buffer.from('RIFF')))
})
