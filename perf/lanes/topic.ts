import { runMessages } from '../brokers/measure.js'
import type { Lane } from '../lane.js'

export const topic: Lane = {
  name: 'topic',
  title: '4 publishers and 16 subscribers, who all get every message, beside message systems',
  deadline: 1200,
  compares: true,
  run: (context) =>
    runMessages(context, {
      kind: 'topic',
      senders: 4,
      receivers: 16,
      window: 16,
      perSecond: 200,
      receiver: 'subscriber',
    }),
}
