import { runMessages } from '../brokers/measure.js'
import type { Lane } from '../lane.js'

export const queue: Lane = {
  name: 'queue',
  title: '64 producers and 64 workers, one of whom gets each message, beside message systems',
  deadline: 1200,
  compares: true,
  run: (context) =>
    runMessages(context, {
      kind: 'queue',
      senders: 64,
      receivers: 64,
      window: 1,
      perSecond: 500,
      receiver: 'worker',
    }),
}
