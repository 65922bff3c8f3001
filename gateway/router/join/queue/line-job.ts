import type { EndReason, PipeView, SenderEndpoint, SenderEvent, Source } from '../../../../core/index.js'

/** The upload that a job is a line of. Called from inside the core. */
export interface JobOwner {
  /** A worker gets it now. */
  begun(job: LineJob): void
  /** That worker was gone before anything had arrived there, and it waits again. */
  returned(job: LineJob): void
  over(job: LineJob, reason: EndReason, pipe: PipeView): void
}

/** One line as a sender of a queue. All of it has been read before it joins, so there is nothing to pause. */
export class LineJob implements Source {
  /** Its place in the queue. */
  endpoint: SenderEndpoint | undefined
  isWaiting = true

  constructor(
    readonly owner: JobOwner,
    /** Its length. */
    readonly bytes: number,
  ) {}

  pause(): void {}

  resume(): void {}

  notify(event: SenderEvent): void {
    if (event === 'streaming') this.owner.begun(this)
    else if (event === 'given_back') this.owner.returned(this)
  }

  end(reason: EndReason, pipe: PipeView): void {
    this.owner.over(this, reason, pipe)
  }
}
