/** Between which moments a list of revoked certificates holds, in milliseconds since 1970; undefined for one that is not well-formed. */
export interface RevocationList {
  readonly validFrom: number | undefined
  readonly validTo: number | undefined
}

const SEQUENCE = 0x30
const INTEGER = 0x02
const TIMES: readonly number[] = [0x17, 0x18]

/**
 * For the log only: whether a list counts is decided by OpenSSL, of which Node shows nothing for lists. RFC 5280, section 5.1:
 * version, algorithm and issuer stand before the two times.
 */
export function readListTimes(der: Buffer): RevocationList {
  try {
    const parts = partsOf(contentOf(contentOf(der)))
    const behindVersion = parts[0]?.tag === INTEGER ? 1 : 0
    const [from, to] = parts.slice(behindVersion + 2, behindVersion + 4).map(timeOf)
    return { validFrom: from, validTo: to }
  } catch {
    return { validFrom: undefined, validTo: undefined }
  }
}

interface Part {
  readonly tag: number
  readonly content: Buffer
  readonly rest: Buffer
}

/** @throws RangeError when it ends before its length says so */
function partOf(der: Buffer): Part {
  const first = der.readUInt8(1)
  const size = first < 0x80 ? 0 : first & 0x7f
  const length = size === 0 ? first : der.readUIntBE(2, size)
  const from = 2 + size
  return { tag: der.readUInt8(0), content: der.subarray(from, from + length), rest: der.subarray(from + length) }
}

function contentOf(der: Buffer): Buffer {
  const { tag, content } = partOf(der)
  if (tag !== SEQUENCE) throw new RangeError('no sequence')
  return content
}

/** The first five: no more are needed, and the next may be very many. */
function partsOf(content: Buffer): Part[] {
  const parts: Part[] = []
  for (let rest = content; rest.length > 0 && parts.length < 5; rest = parts.at(-1)!.rest) parts.push(partOf(rest))
  return parts
}

/** `YYMMDDHHMMSSZ` up to 2049, with four digits of the year from then on. */
function timeOf({ tag, content }: Part): number | undefined {
  if (!TIMES.includes(tag)) return undefined
  const text = content.toString('latin1')
  const long = text.length === 13 ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const iso = long.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  const ms = Date.parse(iso)
  return Number.isNaN(ms) ? undefined : ms
}
