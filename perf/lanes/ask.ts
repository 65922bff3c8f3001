import { runMessages } from '../brokers/measure.js'
import type { Lane } from '../lane.js'

export const ask: Lane = {
  name: 'ask',
  title: '64 askers and 16 workers, one of whom answers each question, beside message systems',
  deadline: 1200,
  compares: true,
  run: (context) =>
    runMessages(context, {
      kind: 'ask',
      senders: 64,
      receivers: 16,
      window: 1,
      perSecond: 500,
      receiver: 'worker',
    }),
}
