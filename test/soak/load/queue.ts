/** A job on a queue, and workers of which some leave: the next one gets all of it, or its sender is told that nobody has. */

import { bodyOf } from '../../support/tape.js'
import type { Outcome } from '../tally.js'
import { Call } from './call.js'
import type { Door } from './connection.js'
import type { Job } from './job.js'

const KIB = 1024
const DONE = '[INFO] Transfer complete.\n'

export function queued(door: Door) {
  return async (job: Job): Promise<Outcome> => {
    const { random } = job
    const bytes = random.below(random.pick([1, 50, 2000])! * KIB) + 1
    const body = bodyOf(job.id, bytes)
    const name = `/queue-${job.id}?queue&wait=40`
    const sender = new Call(job, door, `PUT ${name}`, { body })
    const worker = (leavesAt = Number.POSITIVE_INFINITY) =>
      new Call(job, door, `GET ${name}`, { expected: body, leavesAt })
    const workers = [worker(random.chance(20) ? random.below(bytes) : undefined)]
    const isSenderFirst = random.chance(50)
    const running = [isSenderFirst ? sender.start() : workers[0]!.start()]
    running.push(isSenderFirst ? workers[0]!.start() : sender.start())
    let failure: unknown
    for (const each of running) each.catch((error: unknown) => (failure ??= error))
    await job.until(() => {
      if (failure !== undefined) throw failure
      const [first] = workers
      return sender.isOver || first!.hasLeft || first!.isLost || first!.refusal !== undefined
    })
    // One that has left may have cost nothing: then the next one gets it.
    if (!sender.isOver && workers[0]!.hasLeft) {
      workers.push(worker())
      await workers[1]!.start()
      await job.until(() => sender.isOver)
    }
    // The first one had left with all of it: nothing is there for the second.
    if (sender.isOver && workers[1]?.status === 0) workers.pop()!.leave()
    const isDone = sender.isWhole && sender.text.endsWith(DONE)
    if (isDone) await job.until(() => workers.every(({ isOver }) => isOver))
    for (const each of [sender, ...workers]) each.leave()
    return outcome(job, sender, workers, isDone)
  }
}

function outcome(job: Job, sender: Call, workers: readonly Call[], isDone: boolean): Outcome {
  const story = [sender, ...workers].map((each) => each.story).join('; ')
  for (const each of workers) each.judge()
  if (isDone) job.tally.toldComplete++
  else job.tally.unheard++
  const whole = workers.filter((each) => each.isWhole)
  const hasLeft = workers.some((each) => each.hasLeft)
  // One that has left may have read more than is known of it: then the next one has it as well.
  if (whole.filter((each) => !each.hasLeft).length > 1)
    job.tally.problem('sides that disagree', `two workers have one job: ${story}`)
  // What has been acknowledged by the machine of one that left counts as delivered.
  if (isDone && whole.length === 0 && !hasLeft)
    job.tally.problem('sides that disagree', `told that it is complete, and nobody has it: ${story}`)
  if (isDone && whole.length > 0) return { result: 'verified', bytes: whole[0]!.bytes }
  const refusal = [sender, ...workers].map((each) => each.refusal).find((code) => code !== undefined)
  if (refusal !== undefined) return job.refused(refusal, story)
  if (hasLeft) return { result: 'cut', why: 'worker left', bytes: 0 }
  const why = /Server is out of memory|memory/.test(sender.text) ? 'overflow' : 'a job without an end'
  job.explain(why, `${sender.text.slice(-200)}: ${story}`)
  return { result: 'cut', why, bytes: 0 }
}
