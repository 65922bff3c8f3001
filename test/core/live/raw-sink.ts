import { FakeSink } from '../fakes/sink.js'

/** A sink of a stream whose bytes are a test's own: what it took is judged afterwards. */
export class RawSink extends FakeSink {
  protected override check(): void {}
}
