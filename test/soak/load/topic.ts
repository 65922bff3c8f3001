/** A topic with some subscribers and a publisher: all have the same messages, whole and in their order. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from '../tally.js'
import { Call } from './call.js'
import type { Door } from './connection.js'
import type { Job } from './job.js'

export function published(door: Door) {
  return async (job: Job): Promise<Outcome> => {
    const { random } = job
    const path = `/topic-${job.id}?topic`
    const subscribers = Array.from({ length: random.between(1, 3) }, (_, i) => {
      // The first one stays.
      const leavesAt = i > 0 && random.chance(30) ? random.below(5000) : Number.POSITIVE_INFINITY
      return new Call(job, door, `GET ${path}`, { leavesAt })
    })
    await Promise.all(subscribers.map((each) => each.start()))
    // Over TLS the head comes with the first message, which waits for all of them.
    if (!door.tls) await job.until(() => subscribers.every(({ isOver, status }) => isOver || status > 0))
    let sent = ''
    let min = subscribers.filter(({ isOver }) => !isOver).length
    const calls = [...subscribers]
    const here = () => subscribers.filter(({ isOver }) => !isOver)
    for (let n = random.between(3, 12); n > 0 && here().length > 0; n--) {
      const message = `${n} ${'x'.repeat(random.below(random.pick([10, 1000, 60_000])!))}`
      const publisher = new Call(job, door, `POST ${path}&wait=20&min=${min}`, { body: Buffer.from(message) })
      calls.push(publisher)
      await publisher.start()
      await job.until(() => publisher.isOver)
      if (publisher.refusal !== undefined) break
      if (!/^\[INFO\] Delivered to \d subscriber/.test(publisher.text)) {
        job.tally.problem('ends that nothing explains', `a message: ${publisher.text}; ${publisher.story}`)
        break
      }
      sent += `${message}\n`
      min = 0
      await sleep(random.below(40))
    }
    const refusal = calls.map((each) => each.refusal).find((code) => code !== undefined)
    if (refusal === undefined) await job.until(() => here().every(({ text }) => text.length >= sent.length))
    const story = calls.map((each) => each.story).join('; ')
    for (const { text, connection, story: own } of subscribers) {
      if (connection?.reader.complete === true && connection.status === 200)
        job.tally.problem('truncations that look clean', `a subscriber of a topic that goes on: ${own}`)
      if (connection?.status === 200 && !sent.startsWith(text) && (refusal === undefined || !text.startsWith(sent)))
        job.tally.problem('wrong bytes', `${text.length} of ${sent.length} characters: ${own}`)
    }
    for (const each of calls) each.leave()
    // It is no transfer that anybody is told the end of.
    job.tally.unheard++
    if (refusal !== undefined) return job.refused(refusal, story)
    const bytes = subscribers.reduce((sum, { text }) => sum + text.length, 0)
    if (subscribers.some(({ hasLeft, text }) => hasLeft && text === sent)) return { result: 'verified', bytes }
    job.explain('a topic without an end', story)
    return { result: 'cut', why: 'a topic without an end', bytes }
  }
}
