/** The parameters of the peers of a duplex pipe. */
import { type DuplexLetter, Refusal, type StreamHead } from '../../../../core/index.js'
import type { RequestContext } from '../../../host/request-context.js'
import { FAILURES } from '../../../http/failures.js'
import { type Parameters, show } from '../../../http/parameters.js'
import { unwanted } from '../unwanted.js'

/** Of other kinds of names. */
const OF_OTHERS = ['min', 'slow', 'lag', 'join', 'within', 'take'] as const
/** What would change the answer, which a whole peer has not: its response is what the other one says. */
const OF_PARTS = ['reply'] as const
/** No letter. */
const PLAIN = ['', '1', 'true', 'yes']

/** Whether both directions are one request. */
export function isWholePeer(parameters: Parameters): boolean {
  return !isLetter(letterOf(parameters))
}

/** The letter of this part of a peer, which is no whole one. */
export function readLetter(parameters: Parameters): DuplexLetter | Refusal {
  return refuse(parameters, OF_OTHERS) ?? (letterOf(parameters) as DuplexLetter)
}

/** Why a whole peer cannot ask for this; undefined when it can. */
export function refuseWholePeer(parameters: Parameters): Refusal | undefined {
  const letter = letterOf(parameters)
  if (PLAIN.includes(letter)) return refuse(parameters, [...OF_OTHERS, ...OF_PARTS])
  return new Refusal(FAILURES.badParameter, { name: 'duplex', found: show(letter), expected: 'nothing, a or b' })
}

function letterOf(parameters: Parameters): string {
  return parameters.get('duplex')?.toLowerCase() ?? ''
}

function isLetter(text: string): text is DuplexLetter {
  return text === 'a' || text === 'b'
}

function refuse(parameters: Parameters, names: readonly string[]): Refusal | undefined {
  const found = unwanted(parameters, names)
  return found === undefined ? undefined : new Refusal(FAILURES.notWithDuplex, { found })
}

/** A whole peer sends and receives: the right to send has been asked for. */
export function refuseOneWay(context: RequestContext | null): Refusal | undefined {
  const mayReceive = context?.identity === undefined || context.identity.rights.has('receive')
  return mayReceive ? undefined : new Refusal(FAILURES.needsBothRights)
}

/** What a peer says has no length for the other one: a response with a length would be over with its last byte, and its request too. */
export function headOfPeer({ fields }: StreamHead): StreamHead {
  return { length: undefined, fields }
}
