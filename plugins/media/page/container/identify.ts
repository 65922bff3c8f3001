/** What a stream is, by its first bytes: what its sender calls it is a hint at best. No DOM. */
import { type Finding, MORE } from './finding.js'
import { isMp4, readMp4 } from './mp4.js'
import { mpegAudio } from './mpeg-audio.js'
import { isEbml, readWebm } from './webm.js'

/** A header that is longer than this is none. */
export const MOST_BYTES = 2_000_000
/** Enough for three packets of an MPEG transport stream, wherever it was joined. */
const ENOUGH = 4 * 192

const SIGNATURES: readonly (readonly [pattern: RegExp, what: string, isMedia: boolean])[] = [
  [/^OggS/, 'Ogg', true],
  [/^fLaC/, 'FLAC', true],
  [/^RIFF....WAVE/s, 'WAV', true],
  [/^RIFF....AVI /s, 'AVI', true],
  [/^FLV\x01/, 'Flash video', true],
  [/^\x00\x00\x01\xba/, 'an MPEG programme stream', true],
  [/^\x00\x00(\x00)?\x01[\x67\x27\x40\x42]/, 'H.264 or H.265 without a container', true],
  [/^#EXTM3U/, 'a playlist (HLS), which leads elsewhere', true],
  [/^%PDF/, 'a PDF', false],
  [/^\x89PNG/, 'a PNG picture', false],
  [/^\xff\xd8\xff/, 'a JPEG picture', false],
  [/^PK\x03\x04/, 'a ZIP archive', false],
  [/^\x1f\x8b/, 'gzip data', false],
]

/** @param bytes what has come, from its first byte on @param isAll nothing comes any more */
export function identify(bytes: Uint8Array, isAll: boolean): Finding {
  const finding = recognise(bytes, isAll)
  if (finding.kind !== 'more') return finding
  if (isAll) return { kind: 'other', what: bytes.length === 0 ? 'empty' : 'too short to be played', isMedia: false }
  return bytes.length < MOST_BYTES
    ? MORE
    : { kind: 'other', what: 'a recording whose header does not end', isMedia: true }
}

function recognise(bytes: Uint8Array, isAll: boolean): Finding {
  if (bytes.length < 16) return MORE
  if (isEbml(bytes)) return readWebm(bytes)
  if (isMp4(bytes)) return readMp4(bytes)
  const text = String.fromCharCode(...bytes.subarray(0, 16))
  if (text.startsWith('ID3')) return sound('MP3', 'audio/mpeg')
  const signature = SIGNATURES.find(([pattern]) => pattern.test(text))
  if (signature !== undefined) return { kind: 'other', what: signature[1], isMedia: signature[2] }
  if (bytes.length < ENOUGH && !isAll) return MORE
  if (isTransportStream(bytes))
    return { kind: 'other', what: 'an MPEG transport stream', isMedia: true, isAnywhere: true }
  const audio = mpegAudio(bytes)
  if (audio === 'short') return MORE
  if (audio !== undefined) return audio === 'mp3' ? sound('MP3', 'audio/mpeg') : sound('AAC', 'audio/aac')
  return { kind: 'other', what: 'nothing that is known here as a recording', isMedia: false }
}

function sound(label: string, mime: string): Finding {
  return { kind: 'stream', container: label, mime, tracks: [{ kind: 'audio', label: 'sound', codec: mime }] }
}

/** Each packet begins with 0x47; on a disc 4 bytes stand before it. It may have been joined in the middle of one. */
function isTransportStream(bytes: Uint8Array): boolean {
  return [188, 192].some((size) => {
    for (let first = 0; first < size; first++) {
      if ([0, 1, 2].every((i) => bytes[first + i * size] === 0x47)) return true
    }
    return false
  })
}
