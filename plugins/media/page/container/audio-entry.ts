/** The codec of an `mp4a` entry: ISO/IEC 14496-1, the descriptors of its `esds` box. No DOM. */

const [ES, DECODER_CONFIG, DECODER_INFO] = [3, 4, 5]
/** ISO/IEC 14496-3 audio. */
const MPEG4_AUDIO = 0x40

/** `mp4a.40.2`, `mp4a.6b`; undefined when nothing says it. @param esds without its version and flags */
export function mp4aCodec(esds: Uint8Array): string | undefined {
  const es = descriptor(esds, 0, ES)
  if (es === undefined) return undefined
  const flags = esds[es + 2] ?? 0
  const dependsOn = flags & 0x80 ? 2 : 0
  const url = flags & 0x40 ? 1 + (esds[es + 3 + dependsOn] ?? 0) : 0
  const clock = flags & 0x20 ? 2 : 0
  const config = descriptor(esds, es + 3 + dependsOn + url + clock, DECODER_CONFIG)
  if (config === undefined) return undefined
  const type = esds[config]
  if (type === undefined) return undefined
  if (type !== MPEG4_AUDIO) return `mp4a.${type.toString(16)}`
  const info = descriptor(esds, config + 13, DECODER_INFO)
  if (info === undefined || info + 1 >= esds.length) return 'mp4a.40.2'
  const first = esds[info]! >> 3
  const object = first === 31 ? 32 + ((esds[info]! & 7) << 3) + (esds[info + 1]! >> 5) : first
  return `mp4a.40.${object}`
}

/** Where the content of the descriptor begins that stands at `at`, if it is of this kind. Its length has 7 bits a byte. */
function descriptor(bytes: Uint8Array, at: number, tag: number): number | undefined {
  if (bytes[at] !== tag) return undefined
  let start = at + 1
  while (start < at + 4 && (bytes[start]! & 0x80) !== 0) start++
  return start + 1
}
