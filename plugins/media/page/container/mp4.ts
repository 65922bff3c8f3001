/** MP4: what tracks there are, and whether it comes in fragments, without which it cannot be played while it comes. No DOM. */
import { mp4aCodec } from './audio-entry.js'
import { type Box, boxAt, boxes, boxIn } from './boxes.js'
import { type Finding, MORE, streamOf, type Track } from './finding.js'
import { av1Codec, avcCodec, hevcCodec, vpCodec } from './video-codec.js'

/** That of a fragmented file is some kilobytes; a longer one lists every picture. */
const MOST_HEADER = 1_000_000
/** What may stand first. */
const FIRST = new Set(['ftyp', 'styp', 'moov', 'free', 'skip', 'wide', 'mdat', 'moof', 'sidx'])
const PICTURES: Readonly<Record<string, string>> = {
  avc1: 'H.264',
  avc3: 'H.264',
  hvc1: 'H.265',
  hev1: 'H.265',
  av01: 'AV1',
  vp09: 'VP9',
  vp08: 'VP8',
}
const SOUNDS: Readonly<Record<string, readonly [label: string, codec: string]>> = {
  Opus: ['Opus', 'opus'],
  fLaC: ['FLAC', 'flac'],
  'ac-3': ['AC-3', 'ac-3'],
  'ec-3': ['E-AC-3', 'ec-3'],
}

const PLAIN: Finding = {
  kind: 'other',
  what: 'an MP4 in one piece',
  isMedia: true,
  remedy:
    'It can be played when all of it is there. To be played while it comes it has to be sent in fragments, or as WebM.',
}

export const isMp4 = (bytes: Uint8Array): boolean =>
  bytes.length >= 8 && FIRST.has(String.fromCharCode(...bytes.subarray(4, 8)))

/** @param bytes from the first byte of the stream; a broken header is a finding, too */
export function readMp4(bytes: Uint8Array): Finding {
  try {
    return read(bytes)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { kind: 'other', what: 'an MP4 with a broken header', isMedia: true }
  }
}

function read(bytes: Uint8Array): Finding {
  for (let at = 0; ; ) {
    const box = boxAt(bytes, at)
    if (box === undefined) return MORE
    if (box.type === 'mdat') return PLAIN
    if (box.type === 'moof') throw new RangeError('a fragment comes before the header')
    if (box.type === 'moov' && box.end - box.at > MOST_HEADER) return PLAIN
    if (box.end > bytes.length) return MORE
    if (box.type === 'moov') return ofHeader(bytes, box)
    at = box.end
  }
}

function ofHeader(bytes: Uint8Array, moov: Box): Finding {
  if (boxIn(bytes, moov, 'mvex') === undefined) return PLAIN
  const tracks = boxes(bytes, moov.start, moov.end).filter(({ type }) => type === 'trak')
  return streamOf(
    'fragmented MP4',
    'mp4',
    tracks.map((track) => trackOf(bytes, track)),
  )
}

function trackOf(bytes: Uint8Array, track: Box): Track {
  const handler = boxIn(bytes, track, 'mdia', 'hdlr')
  const type =
    handler === undefined ? '' : String.fromCharCode(...bytes.subarray(handler.start + 8, handler.start + 12))
  const descriptions = boxIn(bytes, track, 'mdia', 'minf', 'stbl', 'stsd')
  // Version, flags and a count stand before the entries.
  const entry = descriptions && boxes(bytes, descriptions.start + 8, descriptions.end)[0]
  if (entry === undefined) return { kind: 'other', label: 'a track that says nothing of itself', codec: undefined }
  if (type === 'vide') return pictureOf(bytes, entry)
  if (type === 'soun') return soundOf(bytes, entry)
  return { kind: 'other', label: entry.type, codec: undefined }
}

function pictureOf(bytes: Uint8Array, entry: Box): Track {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const size = { width: view.getUint16(entry.start + 24), height: view.getUint16(entry.start + 26) }
  // 78 bytes of fields that every picture has.
  const records = boxes(bytes, entry.start + 78, entry.end)
  const record = (type: string, skipped = 0) => {
    const found = records.find((each) => each.type === type)
    return found === undefined ? new Uint8Array() : bytes.subarray(found.start + skipped, found.end)
  }
  const codec = {
    avc1: () => avcCodec(record('avcC'), 'avc1'),
    avc3: () => avcCodec(record('avcC'), 'avc3'),
    hvc1: () => hevcCodec(record('hvcC'), 'hvc1'),
    hev1: () => hevcCodec(record('hvcC'), 'hev1'),
    av01: () => av1Codec(record('av1C')),
    vp09: () => vpCodec(record('vpcC', 4), 'vp09'),
    vp08: () => vpCodec(record('vpcC', 4), 'vp08'),
  }[entry.type]
  return { kind: 'video', label: labelOf(entry, PICTURES[entry.type]), codec: codec?.(), ...size }
}

function soundOf(bytes: Uint8Array, entry: Box): Track {
  const known = SOUNDS[entry.type]
  if (known !== undefined) return { kind: 'audio', label: known[0], codec: known[1] }
  if (entry.type !== 'mp4a') return { kind: 'audio', label: labelOf(entry, undefined), codec: undefined }
  // 28 bytes of fields that every sound has.
  const esds = boxes(bytes, entry.start + 28, entry.end).find(({ type }) => type === 'esds')
  const codec = esds && mp4aCodec(bytes.subarray(esds.start + 4, esds.end))
  return { kind: 'audio', label: codec?.startsWith('mp4a.40.') === false ? 'MP3' : 'AAC', codec }
}

function labelOf({ type }: Box, known: string | undefined): string {
  return type.startsWith('enc') ? 'encrypted content' : (known ?? type)
}
