/** WebM and Matroska (RFC 9559): what tracks there are, from the header. No DOM. */
import { children, type Element, elementAt, text, unsigned } from './ebml.js'
import { type Finding, MORE, streamOf, type Track } from './finding.js'
import { av1Codec } from './video-codec.js'

const [EBML, DOC_TYPE, SEGMENT, TRACKS, CLUSTER] = [0x1a45dfa3, 0x4282, 0x18538067, 0x1654ae6b, 0x1f43b675]
const [TRACK_ENTRY, TRACK_TYPE, CODEC_ID, CODEC_PRIVATE] = [0xae, 0x83, 0x86, 0x63a2]
const [VIDEO, PIXEL_WIDTH, PIXEL_HEIGHT] = [0xe0, 0xb0, 0xba]
const [ENCODINGS, ENCODING, ENCRYPTION] = [0x6d80, 0x6240, 0x5035]

export const isEbml = (bytes: Uint8Array): boolean => unsigned(bytes, 0, 4) === EBML

/** @param bytes from the first byte of the stream; a broken header is a finding, too */
export function readWebm(bytes: Uint8Array): Finding {
  try {
    return read(bytes)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { kind: 'other', what: 'a WebM with a broken header', isMedia: true }
  }
}

function read(bytes: Uint8Array): Finding {
  const head = elementAt(bytes, 0)
  if (head === undefined || head.end > bytes.length) return MORE
  const docType = children(bytes, head).find(({ id }) => id === DOC_TYPE)
  const container = docType !== undefined && text(bytes, docType) !== 'webm' ? 'Matroska' : 'WebM'
  const segment = elementAt(bytes, head.end)
  if (segment === undefined) return MORE
  if (segment.id !== SEGMENT) throw new RangeError('no segment')
  for (let at = segment.start; at < segment.end; ) {
    const found = elementAt(bytes, at)
    if (found === undefined) return MORE
    if (found.id === CLUSTER) throw new RangeError('no tracks before the first cluster')
    if (found.end > bytes.length) return MORE
    if (found.id === TRACKS) return streamOf(container, 'webm', tracksIn(bytes, found))
    at = found.end
  }
  throw new RangeError('no tracks')
}

function tracksIn(bytes: Uint8Array, tracks: Element): Track[] {
  return children(bytes, tracks)
    .filter(({ id }) => id === TRACK_ENTRY)
    .map((entry) => trackOf(bytes, entry))
}

function trackOf(bytes: Uint8Array, entry: Element): Track {
  const parts = new Map(children(bytes, entry).map((each) => [each.id, each]))
  const type = parts.get(TRACK_TYPE)
  const number = type === undefined ? 0 : unsigned(bytes, type.start, type.end)
  const kind = number === 1 ? 'video' : number === 2 ? 'audio' : 'other'
  const id = parts.has(CODEC_ID) ? text(bytes, parts.get(CODEC_ID)!) : 'no codec'
  const record = parts.get(CODEC_PRIVATE)
  const setup = record === undefined ? new Uint8Array() : bytes.subarray(record.start, record.end)
  if (isEncrypted(bytes, parts.get(ENCODINGS))) return { kind, label: `${id}, encrypted`, codec: undefined }
  const [label, codec] = codecOf(id, setup)
  return { kind, label, codec, ...sizeOf(bytes, parts.get(VIDEO)) }
}

function codecOf(id: string, setup: Uint8Array): [label: string, codec: string | undefined] {
  switch (id) {
    case 'V_VP8':
      return ['VP8', 'vp8']
    case 'V_VP9':
      return ['VP9', vp9Codec(setup)]
    case 'V_AV1':
      // Without a record: main profile, 8 bits, a level that is enough for 1080p. The stream itself is what decides.
      return ['AV1', av1Codec(setup) ?? 'av01.0.08M.08']
    case 'A_OPUS':
      return ['Opus', 'opus']
    case 'A_VORBIS':
      return ['Vorbis', 'vorbis']
    case 'V_MPEG4/ISO/AVC':
      return ['H.264', undefined]
    case 'V_MPEGH/ISO/HEVC':
      return ['H.265', undefined]
    default:
      return [id.replace(/^[A-Z]_/, ''), undefined]
  }
}

/** Its setup is a list of features, each with an id and a length of one byte; none has to be there. */
function vp9Codec(setup: Uint8Array): string {
  const [, profile, level, depth] = [1, 2, 3].reduce<(number | undefined)[]>((found, id) => {
    for (let at = 0; at + 2 < setup.length; at += 2 + setup[at + 1]!) if (setup[at] === id) found[id] = setup[at + 2]
    return found
  }, [])
  if (profile === undefined || level === undefined) return 'vp9'
  const all = [profile, level, depth ?? 8].map((each) => String(each).padStart(2, '0'))
  return `vp09.${all.join('.')}`
}

function sizeOf(bytes: Uint8Array, video: Element | undefined): { width: number; height: number } {
  const size = { width: 0, height: 0 }
  if (video === undefined) return size
  for (const { id, start, end } of children(bytes, video)) {
    if (id === PIXEL_WIDTH) size.width = unsigned(bytes, start, end)
    if (id === PIXEL_HEIGHT) size.height = unsigned(bytes, start, end)
  }
  return size
}

function isEncrypted(bytes: Uint8Array, encodings: Element | undefined): boolean {
  if (encodings === undefined) return false
  return children(bytes, encodings).some(
    (each) => each.id === ENCODING && children(bytes, each).some(({ id }) => id === ENCRYPTION),
  )
}
