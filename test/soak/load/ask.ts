/** A question, its worker and its answer: who asks gets all of the right one, or a failure that it can tell. */

import { bodyOf } from '../../support/tape.js'
import type { Outcome } from '../tally.js'
import { Call } from './call.js'
import type { Door } from './connection.js'
import type { Job } from './job.js'

const KIB = 1024
const TROUBLES = ['asker leaves', 'answer breaks', 'worker leaves'] as const
/** What an asker is told when a worker fails as planned; an answer may break before its head has been read. */
const OF_WORKERS = ['SENDER_LEFT', 'RECEIVERS_LEFT', 'NO_ANSWER']

export function asked(door: Door) {
  return async (job: Job): Promise<Outcome> => {
    const { random } = job
    const size = () => random.below(random.pick([1, 50, 600])! * KIB) + 1
    const [question, answer] = [bodyOf(job.id, size()), bodyOf(job.id + 1, size())]
    const trouble = random.chance(25) ? random.pick(TROUBLES)! : 'none'
    const at = random.below(trouble === 'worker leaves' ? question.length : answer.length)
    const asker = new Call(job, door, `POST /ask-${job.id}?ask&wait=40&within=10`, {
      body: question,
      expected: answer,
      ...(trouble === 'asker leaves' && { leavesAt: at }),
    })
    const worker = new Call(job, door, `GET /ask-${job.id}?serve&wait=40`, {
      expected: question,
      ...(trouble === 'worker leaves' && { leavesAt: at }),
    })
    const isAskerFirst = random.chance(50)
    const running = isAskerFirst ? [asker.start(), worker.start()] : [worker.start(), asker.start()]
    let failure: unknown
    for (const each of running) each.catch((error: unknown) => (failure ??= error))
    await job.until(() => {
      if (failure !== undefined) throw failure
      return worker.isOver || asker.isOver
    })
    let answering: Call | undefined
    const address = worker.connection?.field('x-pipe-answer')
    if (worker.isWhole && !worker.hasLeft && address !== undefined && !asker.isOver) {
      const { pathname, search } = new URL(address)
      const stopAt = trouble === 'answer breaks' ? { stopAt: at } : {}
      answering = new Call(job, door, `PUT ${pathname}${search}`, { body: answer, ...stopAt })
      await answering.start()
      await job.until(() => answering!.isOver)
    }
    // Nobody is left who could answer it when its worker has gone.
    if (answering?.refusal === undefined && !worker.hasLeft && worker.refusal === undefined)
      await job.until(() => asker.isOver)
    const calls = [asker, worker, ...(answering === undefined ? [] : [answering])]
    for (const each of calls) each.leave()
    return outcome(job, calls, trouble)
  }
}

function outcome(job: Job, [asker, worker, answering]: readonly Call[], trouble: string): Outcome {
  const calls = [asker!, worker!, ...(answering === undefined ? [] : [answering])]
  const story = `${trouble}: ${calls.map((each) => each.story).join('; ')}`
  for (const each of [asker!, worker!]) each.judge()
  const isDone = answering?.isWhole === true && answering.text.endsWith('[INFO] Transfer complete.\n')
  if (isDone) job.tally.toldComplete++
  else job.tally.unheard++
  // The asker is told nothing of its question but the answer.
  job.tally.unheard++
  if (isDone && trouble === 'none' && !asker!.isWhole)
    job.tally.problem('sides that disagree', `told that it is complete, and the asker has a part: ${story}`)
  if (asker!.isWhole && trouble === 'answer breaks')
    job.tally.problem('truncations that look clean', `an answer that broke: ${story}`)
  if (asker!.isWhole && !asker!.hasLeft) return { result: 'verified', bytes: asker!.bytes + worker!.bytes }
  const codes = calls.map((each) => each.refusal).filter((code) => code !== undefined)
  const planned = trouble !== 'none' && codes.every((code) => OF_WORKERS.includes(code) || code === 'ANSWER_GONE')
  if (planned) return { result: 'cut', why: trouble, bytes: 0 }
  if (codes[0] !== undefined) return job.refused(codes[0], story)
  const why = asker!.hasLeft || worker!.hasLeft ? 'abandoned' : 'overflow'
  job.explain(why, story)
  return { result: 'cut', why, bytes: 0 }
}
