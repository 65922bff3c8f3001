/** Codec strings (RFC 6381) of the records that containers carry for a decoder. No DOM. Undefined where a record is too short. */

const two = (value: number, radix = 10) => value.toString(radix).padStart(2, '0')

/** ISO/IEC 14496-15, AVCDecoderConfigurationRecord: `avc1.64001f`. */
export function avcCodec(record: Uint8Array, entry = 'avc1'): string | undefined {
  if (record.length < 4) return undefined
  return `${entry}.${two(record[1]!, 16)}${two(record[2]!, 16)}${two(record[3]!, 16)}`
}

/** ISO/IEC 14496-15, HEVCDecoderConfigurationRecord, and its annex E: `hvc1.1.6.L93.B0`. */
export function hevcCodec(record: Uint8Array, entry: string): string | undefined {
  if (record.length < 13) return undefined
  const general = record[1]!
  const space = ['', 'A', 'B', 'C'][general >> 6]!
  const tier = (general & 0x20) === 0 ? 'L' : 'H'
  // The flags stand there from the last to the first.
  let flags = 0
  for (let bit = 0; bit < 32; bit++) flags = flags * 2 + ((record[2 + ((31 - bit) >> 3)]! >> (bit & 7)) & 1)
  const constraints = [...record.subarray(6, 12)].map((each) => each.toString(16).toUpperCase())
  while (constraints.at(-1) === '0') constraints.pop()
  const level = `${tier}${record[12]}`
  return [entry, `${space}${general & 0x1f}`, flags.toString(16).toUpperCase(), level, ...constraints].join('.')
}

/** AV1CodecConfigurationRecord: `av01.0.04M.08`. */
export function av1Codec(record: Uint8Array): string | undefined {
  if (record.length < 4) return undefined
  const [profile, level] = [record[1]! >> 5, record[1]! & 0x1f]
  const flags = record[2]!
  const tier = (flags & 0x80) === 0 ? 'M' : 'H'
  const depth = (flags & 0x40) === 0 ? 8 : (flags & 0x20) === 0 ? 10 : 12
  return `av01.${profile}.${two(level)}${tier}.${two(depth)}`
}

/** The `vpcC` box without its version and flags: `vp09.00.31.08`. */
export function vpCodec(record: Uint8Array, entry: string): string | undefined {
  if (record.length < 3) return undefined
  return `${entry}.${two(record[0]!)}.${two(record[1]!)}.${two(record[2]! >> 4)}`
}
