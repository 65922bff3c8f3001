/** What the examples with `?topic` need around them. */
import { eventually } from '../support/eventually.js'
import type { Stage } from './stage.js'

export const TOPIC_STAGES: Readonly<Record<string, Stage>> = {
  'topic-events': {
    async endless(_dir, run) {
      const [desk] = run
      await eventually(() => desk!.text.includes('web 1.4.2 is out') || `the desk shows ${desk!.text}`)
    },
  },
  'topic-nobody': {},
  'topic-lines': {},
  'topic-sse': {},
}
