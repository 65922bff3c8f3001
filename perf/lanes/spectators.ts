import type { Lane } from '../lane.js'
import { Relay } from '../relay.js'

export const spectators: Lane = {
  name: 'spectators',
  title: 'A body with Content-Length, with and without 50 spectators',
  deadline: 120,
  async run({ head, report }) {
    const relay = await Relay.start(head)
    const answer = await fetch(`http://127.0.0.1:${relay.target.port}/nobody?progress`)
    await answer.body?.cancel()
    await relay.stop()
    if (answer.status === 501) report.note('skipped: this gateway has no ?progress yet')
    // Whoever builds ?progress finds out here that the lane is to be written.
    else throw new Error(`?progress answers ${answer.status}: the gateway has spectators now, and this lane has none`)
  },
}
