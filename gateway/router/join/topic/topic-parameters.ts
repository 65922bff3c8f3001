/** The parameters of a topic: of a publisher, and of a subscriber. */
import { type PublishOptions, Refusal, type TopicJoinOptions } from '../../../../core/index.js'
import { FAILURES } from '../../../http/failures.js'
import type { Parameters } from '../../../http/parameters.js'
import type { RouterOptions } from '../../options.js'
import { readWait } from '../join-options.js'
import { unwanted } from '../unwanted.js'

/** What neither side of a topic has. */
const NEITHER = ['size', 'lag', 'join', 'stall', 'transfer'] as const
/** What only a publisher has. */
const PUBLISHERS = ['min', 'slow', 'lines'] as const

export interface PublisherParameters extends PublishOptions, TopicJoinOptions {
  /** Each line of the body is a message. */
  readonly lines: boolean
}

export function readPublisher(parameters: Parameters, defaults: RouterOptions): PublisherParameters | Refusal {
  const refusal = refuse(parameters, NEITHER)
  if (refusal !== undefined) return refusal
  const min = parameters.integer('min', 0, defaults.maxSubscribers)
  if (min instanceof Refusal) return min
  const waitMs = readWait(parameters, defaults)
  if (waitMs instanceof Refusal) return waitMs
  const onlyIfAwaited = parameters.switch('now')
  if (onlyIfAwaited instanceof Refusal) return onlyIfAwaited
  const slow = parameters.word('slow', ['hold', 'cut'])
  if (slow instanceof Refusal) return slow
  const lines = parameters.switch('lines')
  if (lines instanceof Refusal) return lines
  return { min: min ?? 0, waitMs, onlyIfAwaited, slow, lines: lines === true, newTransferId: defaults.newTransferId }
}

/** Whether it comes only if a publisher waits. */
export function readSubscriber(parameters: Parameters): { readonly onlyIfAwaited: boolean | undefined } | Refusal {
  const refusal = refuse(parameters, [...NEITHER, ...PUBLISHERS])
  if (refusal !== undefined) return refusal
  const onlyIfAwaited = parameters.switch('now')
  return onlyIfAwaited instanceof Refusal ? onlyIfAwaited : { onlyIfAwaited }
}

export function notWithTopic(found: string): Refusal {
  return new Refusal(FAILURES.notWithTopic, { found })
}

function refuse(parameters: Parameters, names: readonly string[]): Refusal | undefined {
  const found = unwanted(parameters, names)
  return found === undefined ? undefined : notWithTopic(found)
}
