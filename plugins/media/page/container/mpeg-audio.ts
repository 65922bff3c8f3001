/** MP3 and AAC without a container: frames, each of which says how long it is. No DOM. */

const MP3_KBITS = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const
const MP3_RATES = [44_100, 48_000, 32_000] as const

/** `short`: two frames in a row tell, and they are not there yet. */
export function mpegAudio(bytes: Uint8Array): 'mp3' | 'aac' | 'short' | undefined {
  for (const [kind, lengthAt] of [
    ['aac', adtsLength],
    ['mp3', mp3Length],
  ] as const) {
    const length = lengthAt(bytes, 0)
    if (length === undefined) continue
    if (bytes.length < length + 7) return 'short'
    if (lengthAt(bytes, length) !== undefined) return kind
  }
  return undefined
}

/** Of the frame at this place, in bytes; undefined when there is none. ISO/IEC 13818-7. */
function adtsLength(bytes: Uint8Array, at: number): number | undefined {
  if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xf6) !== 0xf0) return undefined
  const length = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5)
  return length >= 7 ? length : undefined
}

/** The same for layer III of MPEG 1, 2 and 2.5: ISO/IEC 11172-3. */
function mp3Length(bytes: Uint8Array, at: number): number | undefined {
  const [sync, kind, figures] = [bytes[at], bytes[at + 1]!, bytes[at + 2]!]
  if (sync !== 0xff || (kind & 0xe6) !== 0xe2 || (kind & 0x18) === 0x08) return undefined
  const version = kind & 0x18
  const kbits = MP3_KBITS[version === 0x18 ? 1 : 2][figures >> 4]
  const rate = MP3_RATES[(figures >> 2) & 3]
  if (!kbits || rate === undefined) return undefined
  const scaled = version === 0x18 ? rate : version === 0x10 ? rate / 2 : rate / 4
  return Math.floor(((version === 0x18 ? 144 : 72) * kbits * 1000) / scaled) + ((figures >> 1) & 1)
}
