/** Peers of a duplex pipe on a bench: senders and receivers in one. */
import assert from 'node:assert/strict'
import type { DuplexJoinOptions, DuplexPeer, Refusal, SenderJoinOptions } from '../../../core/index.js'
import type { Bench } from './bench.js'
import { FakeSender, headOf } from './sides.js'
import { FakeSink } from './sink.js'
import { FakeSource } from './source.js'

export interface PeerOptions
  extends Partial<Pick<SenderJoinOptions, 'waitMs' | 'stallMs' | 'onlyIfAwaited' | 'limits'>> {
  readonly length?: number
  /** What receives what the other says. */
  readonly sink?: FakeSink
  readonly duplex?: DuplexJoinOptions
}

export class FakePeer extends FakeSender {
  constructor(
    stream: number,
    source: FakeSource,
    readonly sink: FakeSink,
    readonly peer: DuplexPeer,
  ) {
    super(stream, source, peer.sender)
  }

  /** Its connection is gone: both of its places learn of it, the response first. */
  override leave(): void {
    this.sink.disconnected = true
    this.peer.receiver.left()
    super.leave()
  }

  /** It ends both directions in order. */
  close(): void {
    this.sink.disconnected = true
    this.peer.close()
  }

  drain(bytes = Number.POSITIVE_INFINITY): void {
    this.sink.empty(bytes)
    this.peer.receiver.drained()
  }

  /** What it has heard. */
  get heard(): Uint8Array {
    return this.sink.bytes
  }
}

export function tryPeer(bench: Bench, key: string, options: PeerOptions = {}): FakePeer | Refusal {
  const { waitMs = 300_000, length, sink = new FakeSink(), duplex, ...others } = options
  const stream = bench.streams++
  const source = new FakeSource()
  const joined = bench.table.joinPeer(key, source, headOf(stream, length), {
    kind: 'duplex',
    receivers: 1,
    waitMs,
    stallMs: 0,
    transferId: `transfer-${stream}`,
    expectedBytes: undefined,
    duplex: { ...duplex, sink },
    ...others,
  })
  return joined instanceof bench.core.Refusal ? joined : new FakePeer(stream, source, sink, joined)
}

export function peer(bench: Bench, key: string, options?: PeerOptions): FakePeer {
  const joined = tryPeer(bench, key, options)
  if (joined instanceof bench.core.Refusal) assert.fail(`refused: ${joined.text}`)
  return joined
}
