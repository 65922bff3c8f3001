/** Feeds a fan-out whose receivers keep up, and prints how many bytes of heap that took per chunk. Run with `ROOMY`. */
import { Cursor } from '../../core/flow/cursor.js'
import { FanOut } from '../../core/flow/fan-out.js'
import { type PipeView, type Sink, SlabPool, type Source, TurnBudget } from '../../core/index.js'
import { measureHeap } from './heap.js'

const RECEIVERS = 8
const CHUNKS = 200_000
const ROUNDS = 3

/** Takes everything and does nothing. */
class DiscardingSink implements Sink {
  taken = 0
  begin(): void {}
  write(bytes: Uint8Array): number {
    this.taken += bytes.byteLength
    return bytes.byteLength
  }
  readonly isFull = false
  postpone(): void {}
  queued(): number {
    return 0
  }
  isHere(): boolean {
    return true
  }
  hasArrived(): boolean {
    return true
  }
  finish(): boolean {
    return true
  }
  refuse(): void {}
  abort(): void {}
}

const source: Source = { pause() {}, resume() {}, notify() {}, end() {} }
const owner = { streamFinished() {}, streamOverflowed() {}, now: () => 0 }
const pool = new SlabPool(65_536, 64)
const fanOut = new FanOut(source, { windowBytes: 2 ** 20, holdBytes: 2 ** 21 }, pool, owner, new TurnBudget())
const sinks = Array.from({ length: RECEIVERS }, () => new DiscardingSink())
fanOut.start(
  sinks.map((sink) => new Cursor(sink)),
  { length: undefined, fields: [] },
  {} as PipeView,
)
const chunk = new Uint8Array(65_536)
// Until the code is compiled, the compiler allocates.
for (let i = 0; i < CHUNKS; i++) fanOut.feed(chunk)
/** What the code itself allocates it allocates every time; what only some rounds see is V8's own. */
let bytes = Number.POSITIVE_INFINITY
for (let round = 0; round < ROUNDS; round++) {
  const allocated = measureHeap()
  for (let i = 0; i < CHUNKS; i++) fanOut.feed(chunk)
  bytes = Math.min(bytes, allocated() ?? bytes)
}
const complete = sinks.every((sink) => sink.taken === (1 + ROUNDS) * CHUNKS * chunk.byteLength)
console.log(JSON.stringify({ bytesPerChunk: bytes / CHUNKS, complete }))
