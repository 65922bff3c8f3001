/** The parameters of a live stream: of its sender, and of a viewer. */
import { type LiveReceiverOptions, type LiveSenderOptions, Refusal } from '../../../core/index.js'
import { FAILURES } from '../../http/failures.js'
import type { Parameters } from '../../http/parameters.js'
import type { RouterOptions } from '../options.js'
import { unwanted } from './unwanted.js'

const DEFAULT_LAG_BYTES = 8 * 1024 * 1024

/** Why these parameters cannot stand beside `live`; undefined when they can. */
export function refuseWithLive(parameters: Parameters): Refusal | undefined {
  const found = unwanted(parameters, ['size'])
  return found === undefined ? undefined : notWithLive(found)
}

export function notWithLive(found: string): Refusal {
  return new Refusal(FAILURES.notWithLive, { found })
}

/** What a sender asks for, and how many viewers it waits for. */
export function readLiveSender(
  parameters: Parameters,
  { maxViewers, maxLagBytes }: RouterOptions,
): { readonly live: LiveSenderOptions; readonly receivers: number } | Refusal {
  const refusal = refuseWithLive(parameters)
  if (refusal !== undefined) return refusal
  const slow = parameters.word('slow', ['skip', 'cut', 'hold'])
  if (slow instanceof Refusal) return slow
  const lagBytes = parameters.integer('lag', 1, maxLagBytes)
  if (lagBytes instanceof Refusal) return lagBytes
  const min = parameters.integer('min', 0, maxViewers)
  if (min instanceof Refusal) return min
  return { live: { slow, lagBytes: lagBytes ?? DEFAULT_LAG_BYTES }, receivers: min ?? 0 }
}

export function readLiveViewer(parameters: Parameters): LiveReceiverOptions | Refusal {
  const refusal = refuseWithLive(parameters)
  if (refusal !== undefined) return refusal
  const join = parameters.word('join', ['byte'])
  if (join instanceof Refusal) return join
  const slow = parameters.word('slow', ['cut'])
  if (slow instanceof Refusal) return slow
  return { atNextByte: join === 'byte', slow }
}
