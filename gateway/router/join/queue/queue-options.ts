/** The parameters of a queue: of its senders, and of its receivers. */
import { Refusal } from '../../../../core/index.js'
import { FAILURES } from '../../../http/failures.js'
import { isOff, type Parameters } from '../../../http/parameters.js'
import { unwanted } from '../unwanted.js'

const MAX_TAKE_S = 86_400

/** Of other kinds of names. */
const OF_OTHERS = ['min', 'slow', 'lag', 'join', 'within'] as const
/** Of those who have something to send. */
const OF_SENDERS = ['take', 'size'] as const

/** What a sender asks for besides. */
export function readQueueSender(parameters: Parameters): { readonly takeMs: number } | Refusal {
  const refusal = refuse(parameters, OF_OTHERS)
  if (refusal !== undefined) return refusal
  const take = parameters.integer('take', 1, MAX_TAKE_S)
  return take instanceof Refusal ? take : { takeMs: (take ?? 0) * 1000 }
}

/** Why a receiver cannot ask for this; undefined when it can. */
export function refuseQueueReceiver(parameters: Parameters): Refusal | undefined {
  return refuse(parameters, [...OF_OTHERS, ...OF_SENDERS])
}

/** What makes no sense for many jobs in one request, of either side. */
const NOT_WITH_LINES = ['transfer', 'reply', 'size'] as const
/** Besides those, what says something about one job. */
const NOT_OF_LINES_WORKERS = ['take', 'stall'] as const

/** Why a request cannot have these for many jobs; undefined when it can. */
export function refuseWithLines(parameters: Parameters, side: 'sender' | 'receiver'): Refusal | undefined {
  const names = side === 'sender' ? NOT_WITH_LINES : [...NOT_WITH_LINES, ...NOT_OF_LINES_WORKERS]
  const sha256 = parameters.get('sha256')
  const hasDigest = sha256 !== undefined && !isOff(sha256)
  const found = hasDigest ? 'sha256' : names.find((name) => parameters.has(name))
  return refuse(parameters, OF_OTHERS) ?? (found === undefined ? undefined : notWithQueueLines(`?${found}`))
}

export function notWithQueueLines(found: string): Refusal {
  return new Refusal(FAILURES.notWithQueueLines, { found })
}

function refuse(parameters: Parameters, names: readonly string[]): Refusal | undefined {
  const found = unwanted(parameters, names, true)
  return found === undefined ? undefined : new Refusal(FAILURES.notWithQueue, { found })
}
