import type { SinkListener } from '../ports.js'
import type { MessageStream } from '../topic/message-stream.js'
import type { TopicCursor } from '../topic/topic-cursor.js'

/** The topic, as its subscribers see it. */
export interface SubscribedTopic {
  drained(subscriber: Subscriber): void
  finished(subscriber: Subscriber): void
  cutSubscriber(subscriber: Subscriber, reason: 'fault'): void
  left(subscriber: Subscriber): void
}

/** A subscriber's place in a topic: its transport reports here. Calls after its end do nothing. */
export class Subscriber implements SinkListener {
  constructor(
    readonly topic: SubscribedTopic,
    readonly cursor: TopicCursor,
    readonly stream: MessageStream,
  ) {}

  drained(): void {
    if (this.cursor.present) this.topic.drained(this)
  }

  finished(): void {
    if (this.cursor.present) this.topic.finished(this)
  }

  fault(): void {
    if (this.cursor.present) this.topic.cutSubscriber(this, 'fault')
  }

  left(): void {
    if (this.cursor.present) this.topic.left(this)
  }
}
