/** WebM, made here: as ffmpeg and browsers write it live, with sizes that are unknown, and as liars do. */

/** An element of EBML: its ID, its size in 4 bytes or unknown, and its content. */
export function element(id: number, content: Uint8Array | 'open', announced?: number): Buffer {
  const digits = id.toString(16)
  const head = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  if (content === 'open') return Buffer.concat([head, Buffer.from('01ffffffffffffff', 'hex')])
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(BigInt(announced ?? content.length))
  size[0]! |= 0x01
  return Buffer.concat([head, size, content])
}

export function docType(name = 'webm'): Buffer {
  return element(0x1a45dfa3, element(0x4282, Buffer.from(name)))
}

type Track = 'video' | 'audio'
const TYPES: Readonly<Record<Track, number>> = { video: 1, audio: 2 }

/** Everything before the first Cluster. */
export function header(tracks: readonly Track[] = ['video', 'audio']): Buffer {
  const entries = tracks.map((track, i) =>
    element(0xae, Buffer.concat([element(0xd7, Buffer.of(i + 1)), element(0x83, Buffer.of(TYPES[track]))])),
  )
  const info = element(0x1549a966, element(0x2ad7b1, Buffer.of(0x0f, 0x42, 0x40)))
  return Buffer.concat([docType(), element(0x18538067, 'open'), info, element(0x1654ae6b, Buffer.concat(entries))])
}

/** A Cluster of unknown size with one block of video. */
export function cluster(kind: 'key' | 'delta', payload: Uint8Array): Buffer {
  const block = Buffer.concat([Buffer.of(0x81, 0, 0, kind === 'key' ? 0x80 : 0), payload])
  return Buffer.concat([element(0x1f43b675, 'open'), element(0xe7, Buffer.of(1)), element(0xa3, block)])
}

/** A stream, and where one may begin in it. */
export interface Broadcast {
  readonly bytes: Buffer
  readonly headerLength: number
  /** Places of the Clusters that begin with a keyframe. */
  readonly entries: readonly number[]
  /** Places of all Clusters. */
  readonly clusters: readonly number[]
}

/** @param keyEvery each Cluster of that many begins with a keyframe, the first one included */
export function broadcast(payloads: readonly Uint8Array[], keyEvery: number, head = header()): Broadcast {
  const parts = [head]
  const [entries, clusters]: [number[], number[]] = [[], []]
  let at = head.length
  payloads.forEach((payload, i) => {
    clusters.push(at)
    if (i % keyEvery === 0) entries.push(at)
    const bytes = cluster(i % keyEvery === 0 ? 'key' : 'delta', payload)
    parts.push(bytes)
    at += bytes.length
  })
  return { bytes: Buffer.concat(parts), headerLength: head.length, entries, clusters }
}

/**
 * The pieces of a broadcast that somebody got from its beginning, as [from, to); undefined when it is anything else than pieces
 * of it, each of which ends where a Cluster does and is followed by an entry.
 */
export function piecesOf(got: Buffer, { bytes, entries, clusters }: Broadcast): [number, number][] | undefined {
  const pieces: [number, number][] = []
  let [at, place] = [0, 0]
  for (;;) {
    const end = place + sameFor(got, at, bytes, place)
    if (at + end - place === got.length) return [...pieces, [place, end]]
    // All Clusters begin alike, so the last one that goes on as expected may be another one already.
    const border = clusters.findLast((cluster) => cluster <= end)
    if (border === undefined || border <= place) return undefined
    pieces.push([place, border])
    at += border - place
    const next = entries.find(
      (entry) => entry > border && sameFor(got, at, bytes, entry) >= Math.min(4096, got.length - at),
    )
    if (next === undefined) return undefined
    place = next
  }
}

/** For how many bytes the one goes on as the other does. */
function sameFor(one: Buffer, at: number, other: Buffer, place: number): number {
  let length = 0
  for (let step = 64 * 1024; step > 0; step = Math.floor(step / 2)) {
    const isSame = () =>
      at + length + step <= one.length &&
      place + length + step <= other.length &&
      other.compare(one, at + length, at + length + step, place + length, place + length + step) === 0
    while (isSame()) length += step
  }
  return length
}
