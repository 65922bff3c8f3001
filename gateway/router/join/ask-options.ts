/** The parameters of questions: of askers, of workers, and of answers. */
import { CORE_FAILURES, Refusal } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import { type Parameters, show } from '../../http/parameters.js'
import type { RequestView } from '../../http/request-view.js'
import type { AnswerIds } from '../answer-ids.js'
import type { RouterOptions } from '../options.js'
import { unwanted } from './unwanted.js'

const MAX_WITHIN_S = 86_400
const WITHIN_S = 300
const MAX_TAKE_S = 86_400

/** Of other kinds of names, and what would ask for another response than the answer. */
const OF_OTHERS = ['min', 'slow', 'lag', 'join', 'reply'] as const
const OF_ASKERS = ['within', 'take', 'stall', 'size', 'transfer'] as const

/** What an asker asks for besides, in milliseconds. */
export function readAsker(parameters: Parameters): { readonly takeMs: number; readonly withinMs: number } | Refusal {
  const refusal = refuse(parameters, OF_OTHERS)
  if (refusal !== undefined) return refusal
  const within = parameters.integer('within', 1, MAX_WITHIN_S)
  if (within instanceof Refusal) return within
  const take = parameters.integer('take', 1, MAX_TAKE_S)
  if (take instanceof Refusal) return take
  return { takeMs: (take ?? 0) * 1000, withinMs: (within ?? WITHIN_S) * 1000 }
}

/** Why a worker cannot ask for this; undefined when it can. */
export function refuseWorker(parameters: Parameters): Refusal | undefined {
  return refuse(parameters, [...OF_OTHERS, ...OF_ASKERS])
}

/** Why an answer cannot have this. Its response tells how it ended, so it may say when. */
export function refuseAnswer(parameters: Parameters): Refusal | undefined {
  return refuse(parameters, ['min', 'slow', 'lag', 'join', 'within', 'take', 'now', 'wait'], true)
}

function refuse(parameters: Parameters, names: readonly string[], mayDigest = false): Refusal | undefined {
  const found = unwanted(parameters, names, mayDigest)
  return found === undefined ? undefined : notWithAsk(found)
}

export function notWithAsk(found: string): Refusal {
  return new Refusal(FAILURES.notWithAsk, { found })
}

/** Where the worker of this request sends its answer to, up to the name of the answer. HTTP/1.0 may not say which host it asks. */
export function answerAddress(request: RequestView, { schemeOf, hosts }: RouterOptions): string {
  const host = hosts.clientHost(request)
  const origin = host === '' ? '' : `${schemeOf(request)}://${host}`
  return `${origin}${request.path.replace(/[^\x21-\x7e]+/g, encodeURIComponent)}?${keptOf(request.query)}answer=`
}

/** Parameters of a worker's request that say nothing about its answer. What others say may be what lets it in: a signed link. */
const OF_WORKERS = ['serve', 'answer', 'wait', 'now', 'n', 'download', 'filename', 'sha256']

function keptOf(query: string): string {
  const kept = new URLSearchParams(query)
  for (const name of OF_WORKERS) kept.delete(name)
  return kept.size === 0 ? '' : `${kept}&`
}

/** Why nobody waits for the answer of this name: it has been used, or there never was one. */
export function refusalOfAnswer(refusal: Refusal, ids: AnswerIds, key: string, id: string): Refusal {
  if (refusal.failure !== CORE_FAILURES.answerGone || ids.wasDrawn(id, key)) return refusal
  return new Refusal(FAILURES.noSuchAnswer, { found: show(id) })
}
