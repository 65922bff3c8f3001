import type { EndReason } from '../end-reason.js'
import type { MatchedReceiver } from './matched-receiver.js'
import { Pipe } from './pipe.js'
import type { PipeContext } from './pipe-context.js'

/** The stream from a worker to whoever asked. It begins as soon as there is a worker, for the asker has waited all the time. */
export class Answer extends Pipe {
  override readonly kind = 'ask'

  /** @param over called when it has ended, in whatever way */
  constructor(
    context: PipeContext,
    id: number,
    key: string,
    readonly over: () => void,
  ) {
    super(context, id, key, 1)
  }

  override get isAnswer(): boolean {
    return true
  }

  /** The asker receives it. */
  receive(asker: MatchedReceiver): void {
    asker.belongsTo(this)
    this.enter(asker)
  }

  override end(reason: EndReason): void {
    if (this.state === 'ended') return
    super.end(reason)
    this.over()
  }
}
