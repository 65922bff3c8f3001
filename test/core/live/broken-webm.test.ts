/** Streams that are no WebM, or lie: plain bytes from there on, with a reason, whatever the pieces in which they come. */
import t from 'tap'
import * as id from '../../../core/live/ebml-ids.js'
import { WebmReader } from '../../../core/live/webm.js'
import {
  audio,
  bare,
  bothTracks,
  ebml,
  element,
  info,
  key,
  lying,
  number,
  open,
  timestamp,
  track,
  tracks,
  VIDEO,
} from './ebml-maker.js'
import { read, readInPieces } from './reading.js'

const segmentHead = open(id.SEGMENT)
const head = Buffer.concat([ebml(), segmentHead, info, bothTracks])
const cluster = open(id.CLUSTER, [timestamp, key])
const ebmlOf = (...content: Uint8Array[]) => element(id.EBML, content)
const webm = element(id.DOC_TYPE, Buffer.from('webm'))
const inCluster = (...content: Uint8Array[]) => Buffer.concat([head, open(id.CLUSTER, content)])
const inKnownCluster = (...content: Uint8Array[]) => Buffer.concat([head, element(id.CLUSTER, content)])
const segment = (...content: Uint8Array[]) => Buffer.concat([ebml(), element(id.SEGMENT, content)])

const NO_EBML = 'no EBML header at its beginning'
const TOO_LONG = 'an element that is longer than the one that it is in'
const NO_ID = 'an ID that is none'
const NO_SIZE = 'an element of unknown size that has to have one'
const NO_TRACK = 'a Cluster before any track'
const SHORT = 'a block that is too short'
const DOC_TYPE = 'a DocType that is neither webm nor matroska'
const NO_HEADER = 'a Segment without an EBML header'
const NOT_THERE = 'an element that cannot be in the one that it is in'

const BROKEN: Readonly<Record<string, readonly [stream: Uint8Array, fault: string]>> = {
  'a text': [Buffer.from('hello'), NO_EBML],
  'one byte': [Buffer.from('R'), NO_EBML],
  nearly: [Buffer.from('1a45dfa4', 'hex'), NO_EBML],
  'an MP4': [Buffer.from('\0\0\0\x18ftypisom'), NO_EBML],
  'a Segment alone': [segmentHead, NO_EBML],
  'Void first': [Buffer.concat([element(id.VOID, Buffer.alloc(3)), head]), NO_EBML],
  'another DocType': [ebml('wobm'), DOC_TYPE],
  'a longer DocType': [ebml('webmovie'), DOC_TYPE],
  'a shorter DocType': [ebml('web'), DOC_TYPE],
  'a very long DocType': [ebml(`matroska${' '.repeat(300)}`), DOC_TYPE],
  'no DocType': [ebmlOf(number(0x4286, 1)), 'an EBML header that does not say of what'],
  'an empty EBML header': [ebmlOf(), 'an EBML header that does not say of what'],
  'no DocType in the second header': [
    Buffer.concat([head, cluster, ebmlOf(number(0x4286, 1))]),
    'an EBML header that does not say of what',
  ],
  'another EBML': [ebmlOf(number(id.EBML_READ_VERSION, 2), webm), 'a version of EBML that is not known'],
  'longer IDs': [ebmlOf(webm, number(id.EBML_MAX_ID_LENGTH, 5)), 'IDs of more than 4 bytes'],
  'longer sizes': [ebmlOf(webm, number(id.EBML_MAX_SIZE_LENGTH, 9)), 'sizes of more than 8 bytes'],
  'a number of 9 bytes': [
    ebmlOf(element(id.EBML_READ_VERSION, Buffer.from('000000000000000001', 'hex'))),
    'a number of more than 8 bytes',
  ],
  'an EBML header without a size': [open(id.EBML, [webm]), NO_SIZE],
  'no Segment': [Buffer.concat([ebml(), info]), 'something that is neither a Segment nor an EBML header'],
  'something behind the Segment': [
    Buffer.concat([segment(bothTracks, cluster), element(id.TAGS, Buffer.of(1))]),
    'something that is neither a Segment nor an EBML header',
  ],
  'a Segment behind the Segment': [Buffer.concat([segment(bothTracks, cluster), segmentHead]), NO_HEADER],
  'a Segment behind one that has no Cluster': [Buffer.concat([segment(bothTracks), segmentHead]), NO_HEADER],
  'a Segment in the Segment': [Buffer.concat([head, cluster, segmentHead]), NO_HEADER],
  'an EBML header in a Segment that is longer': [segment(bothTracks, ebml()), NOT_THERE],
  'no Tracks': [Buffer.concat([ebml(), segmentHead, info, cluster]), NO_TRACK],
  'empty Tracks': [Buffer.concat([ebml(), segmentHead, tracks(), cluster]), NO_TRACK],
  'no Tracks of its own': [Buffer.concat([head, cluster, ebml(), segmentHead, cluster]), NO_TRACK],
  'Tracks without a size': [Buffer.concat([ebml(), segmentHead, open(id.TRACKS, [track(1, VIDEO)])]), NO_SIZE],
  'a TrackEntry without a size': [Buffer.concat([ebml(), segmentHead, tracks(open(id.TRACK_ENTRY))]), NO_SIZE],
  'Info without a size': [Buffer.concat([ebml(), segmentHead, open(id.INFO)]), NO_SIZE],
  'a block without a size': [inCluster(open(id.SIMPLE_BLOCK)), NO_SIZE],
  'a BlockGroup without a size': [inCluster(open(id.BLOCK_GROUP, [], 1)), NO_SIZE],
  'an empty SimpleBlock': [inCluster(element(id.SIMPLE_BLOCK, Buffer.alloc(0))), SHORT],
  'a SimpleBlock of 3 bytes': [inCluster(element(id.SIMPLE_BLOCK, Buffer.of(0x81, 0, 0))), SHORT],
  'a SimpleBlock whose track is longer than it': [
    inCluster(element(id.SIMPLE_BLOCK, Buffer.of(0x08, 0, 0, 0, 0, 0, 0))),
    SHORT,
  ],
  'a SimpleBlock whose track is none': [inCluster(element(id.SIMPLE_BLOCK, Buffer.alloc(40))), SHORT],
  'an empty Block': [inCluster(element(id.BLOCK_GROUP, [element(id.BLOCK, Buffer.alloc(0))])), SHORT],
  'an ID of 5 bytes': [inCluster(Buffer.of(0x08)), NO_ID],
  'an ID of zeros': [inCluster(Buffer.of(0)), NO_ID],
  'an ID without a bit': [inCluster(Buffer.of(0x80)), NO_ID],
  'an ID of 2 bytes without a bit': [inCluster(Buffer.of(0x40, 0)), NO_ID],
  'an ID of ones': [inCluster(Buffer.of(0xff)), NO_ID],
  'an ID of 3 bytes of ones': [inCluster(Buffer.of(0x3f, 0xff, 0xff)), NO_ID],
  'a size of 9 bytes': [inCluster(Buffer.of(0xa3, 0)), 'a size of more than 8 bytes'],
  'an element that is longer than the EBML header': [ebmlOf(webm, lying(id.VOID, 1)), TOO_LONG],
  'an element that is longer than the Segment': [segment(bothTracks, lying(id.TAGS, 1)), TOO_LONG],
  'a Cluster that is longer than the Segment': [segment(bothTracks, lying(id.CLUSTER, 1)), TOO_LONG],
  'a block in a Cluster of unknown size that is longer than the Segment': [
    segment(bothTracks, open(id.CLUSTER, [lying(id.SIMPLE_BLOCK, 1)])),
    TOO_LONG,
  ],
  'an element that is longer than the Cluster': [inKnownCluster(timestamp, lying(id.SIMPLE_BLOCK, 4)), TOO_LONG],
  'an element that is longer than the BlockGroup': [inCluster(element(id.BLOCK_GROUP, lying(id.BLOCK, 50))), TOO_LONG],
  'a TrackEntry that is longer than Tracks': [
    Buffer.concat([ebml(), segmentHead, tracks(lying(id.TRACK_ENTRY, 1))]),
    TOO_LONG,
  ],
  'a head that is longer than the Cluster': [
    Buffer.concat([inKnownCluster(timestamp, bare(id.SIMPLE_BLOCK)), Buffer.of(0x84, 0, 0, 0, 0)]),
    TOO_LONG,
  ],
  'a head of unknown size that is longer than the Segment': [
    Buffer.concat([segment(bothTracks, bare(id.CLUSTER)), Buffer.of(0xff)]),
    TOO_LONG,
  ],
  'a Cluster in a Cluster that is longer': [inKnownCluster(element(id.CLUSTER, key)), NOT_THERE],
  'an element that never ends': [inCluster(lying(id.SIMPLE_BLOCK, 2 ** 33)), 'an element that is too long to be true'],
  'a Cluster that is broken when it is decided': [inCluster(key, Buffer.of(0)), NO_ID],
}

for (const [name, [stream, fault]] of Object.entries(BROKEN)) {
  t.test(name, async (t) => {
    const all = Buffer.concat([stream, head, cluster, Buffer.alloc(100, 0xff)])
    const whole = read(all)
    t.match(whole, { state: 'plain', fault, header: undefined, undecided: undefined })
    t.equal(read(stream).fault, fault, 'as soon as it is there')
    for (const length of [1, 2, 3, 5, 8, 13]) t.same(readInPieces(all, length), whole, `in pieces of ${length}`)
  })
}

t.test('what was an entry before the stream broke stays one', async (t) => {
  const { entries, clusters, headers } = read(
    Buffer.concat([head, cluster, open(id.CLUSTER, [audio, Buffer.of(0), key])]),
  )
  t.same(entries, [[head.length, 0]])
  t.same(clusters, [head.length, head.length + cluster.length])
  t.equal(headers[0], head.toString('hex'))
})

t.test('a header has 1 MiB at most, and what is left out does not count', async (t) => {
  const MOST = 1024 * 1024
  const filling = MOST - head.length - 12
  const tags = (bytes: number) => element(id.TAGS, Buffer.alloc(bytes, 'tags'), 8)
  const stream = (bytes: number) => Buffer.concat([head, element(id.VOID, Buffer.alloc(MOST)), tags(bytes), cluster])
  const most = readInPieces(stream(filling), 1000)
  t.match(most, { state: 'clusters', entries: { length: 1 } })
  t.ok(most.header === Buffer.concat([head, tags(filling)]).toString('hex'))
  t.match(read(stream(filling + 1)), { state: 'plain', fault: 'a header of more than 1 MiB' })
})

t.test('an element of 4 GiB allocates nothing before its bytes come', async (t) => {
  const before = process.memoryUsage().arrayBuffers
  const readers = Array.from({ length: 100 }, () => new WebmReader({ onCluster() {}, onEntry() {} }))
  const stream = Buffer.concat([ebml(), segmentHead, lying(id.TRACKS, 2 ** 32, lying(id.TRACK_ENTRY, 2 ** 31))])
  for (const reader of readers) reader.feed(stream)
  t.ok(readers.every(({ state }) => state === 'header'))
  const each = (process.memoryUsage().arrayBuffers - before) / readers.length
  t.ok(each < 8192, `${each} bytes for a reader`)
})
