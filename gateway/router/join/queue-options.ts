/** The parameters of a queue: of its senders, and of its receivers. */
import { Refusal } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import type { Parameters } from '../../http/parameters.js'

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

function refuse(parameters: Parameters, names: readonly string[]): Refusal | undefined {
  const n = parameters.get('n')
  const found = n !== undefined && n !== '1' ? `n=${n}` : names.find((name) => parameters.has(name))
  return found === undefined ? undefined : new Refusal(FAILURES.notWithQueue, { found: `?${found}` })
}
