import { keep } from '../bytes.js'
import type { Clock, Deadline } from '../clock.js'
import type { MemoryBudget } from '../flow/slab-pool.js'
import type { Publisher, PublishOptions, TopicMessage } from '../topic-options.js'

/** The topic that it waits in. */
export interface PublicationOwner {
  /** Its time is over. */
  expired(publication: Publication): void
  /** Its publisher has gone. */
  withdrawn(publication: Publication): void
}

/** A message that waits: for somebody to come, or for those who have not taken what came before. Counted as held. */
export class Publication {
  readonly message: TopicMessage
  readonly #deadline: Deadline
  #isOver = false

  /** The memory for it has been taken. */
  constructor(
    { bytes, type }: TopicMessage,
    readonly options: PublishOptions,
    readonly publisher: Publisher,
    readonly owner: PublicationOwner,
    readonly memory: Pick<MemoryBudget, 'give'>,
    clock: Clock,
  ) {
    this.message = { bytes: keep(bytes), type }
    this.#deadline = clock.after(options.waitMs, () => owner.expired(this))
  }

  /** It waits no more, whatever becomes of it. */
  over(): void {
    this.#isOver = true
    this.#deadline.cancel()
    this.memory.give(this.message.bytes.byteLength)
  }

  /** The publisher's connection is gone, or it does not want this any more: nobody gets it, and nobody is told. */
  withdraw(): void {
    if (!this.#isOver) this.owner.withdrawn(this)
  }
}
