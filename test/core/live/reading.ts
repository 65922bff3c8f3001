/** Feeds a stream to the reader in pieces, and writes down what it says. */
import { type WebmListener, WebmReader } from '../../../core/live/webm.js'

export interface Reading {
  readonly state: string
  readonly fault: string | undefined
  readonly undecided: number | undefined
  /** Offsets of Clusters. */
  readonly clusters: readonly number[]
  /** Offsets where one may begin, and which of the headers goes before. */
  readonly entries: readonly (readonly [offset: number, header: number])[]
  /** As they came up, each once. */
  readonly headers: readonly string[]
  /** What `header` was at the end. */
  readonly header: string | undefined
}

class Notes implements WebmListener {
  readonly clusters: number[] = []
  readonly entries: [number, number][] = []
  readonly headers: Uint8Array[] = []

  onCluster(offset: number): void {
    this.clusters.push(offset)
  }

  onEntry(offset: number, header: Uint8Array): void {
    this.entries.push([offset, this.#numberOf(header)])
  }

  #numberOf(header: Uint8Array): number {
    // The same object is the same header: not one with the same bytes.
    if (!this.headers.includes(header)) this.headers.push(header)
    return this.headers.indexOf(header)
  }
}

/** Cuts the stream before each of these offsets. Each piece is lent: it is overwritten when the call returns. */
export function readCut(stream: Uint8Array, cuts: Iterable<number>): Reading {
  const notes = new Notes()
  const reader = new WebmReader(notes)
  let from = 0
  const feed = (to: number) => {
    const loan = Uint8Array.from(stream.subarray(from, to))
    reader.feed(loan)
    loan.fill(0xa3)
    from = to
  }
  for (const cut of cuts) if (cut > from && cut < stream.length) feed(cut)
  feed(stream.length)
  return {
    state: reader.state,
    fault: reader.fault,
    undecided: reader.undecided,
    clusters: notes.clusters,
    entries: notes.entries,
    headers: notes.headers.map(hex),
    header: reader.header && hex(reader.header),
  }
}

export function readInPieces(stream: Uint8Array, length: number): Reading {
  return readCut(
    stream,
    (function* () {
      for (let at = length; at < stream.length; at += length) yield at
    })(),
  )
}

export function read(stream: Uint8Array): Reading {
  return readCut(stream, [])
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
