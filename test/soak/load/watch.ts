/** Those who watch transfers: they come, read events or a snapshot, and go. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from '../tally.js'
import type { Door } from './connection.js'
import type { Job } from './job.js'

/** @param visible names on which something is going on */
export function watch(door: Door, visible: ReadonlySet<string>) {
  return async (job: Job): Promise<Outcome> => {
    const name = job.random.pick([...visible]) ?? 'nothing'
    const isSnapshot = job.random.chance(40)
    const connection = await job.connect(door)
    if (connection === undefined) return job.refused('turned away', 'a spectator')
    let text = ''
    await connection.request(`GET /${name}?${isSnapshot ? 'status' : 'progress'}`, 'Accept: text/event-stream\r\n', {
      onBody: (bytes) => (text += bytes.toString('latin1')),
    })
    await job.until(() => connection.isOver || text.includes('\n\n'))
    if (connection.isUnanswered) return job.refused(job.unanswered(connection), connection.story)
    if (connection.status !== 200) return job.refused(connection.field('x-pipe-code') ?? '?', connection.story)
    if (!isSnapshot) await sleep(job.random.below(1500))
    if (!connection.isOver) connection.leave(job.random.pick(['destroy', 'reset'] as const)!)
    check(job, isSnapshot ? [text] : [...text.matchAll(/^data: ?(.*)$/gm)].map(([, data]) => data!), connection.hasLeft)
    return { result: 'verified', bytes: text.length }
  }
}

/** What has come is JSON; the last event may have been cut off by the spectator itself. */
function check(job: Job, texts: readonly string[], mayBeCut: boolean): void {
  for (const text of mayBeCut ? texts.slice(0, -1) : texts) {
    try {
      JSON.parse(text)
    } catch {
      job.tally.problem('wrong bytes', `an event that is no JSON: ${text.slice(0, 200)}`)
    }
  }
}
