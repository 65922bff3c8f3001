/** The phase of a name, from what is displayed and what has been observed. No DOM. */
import type { Snapshot } from '../../transfer-status/snapshot.js'
import type { DisplayState } from './display-state.js'

/** What a reader is told: a state of the name, or that its stream stands still. */
export type Phase = Snapshot['state'] | 'stalled'

/** What only a page knows that has watched for a while. */
export interface Observation {
  /** Seconds since bytes moved last; null when that was not seen. */
  readonly quietFor: number | null
  /** Bytes per second. */
  readonly peak: number | null
}

export const NO_OBSERVATION: Observation = { quietFor: null, peak: null }

/** A stream without bytes for this many seconds is stalled. Many streams pause for less. */
const STALL_SEC = 5
/** While bytes are on their way, it is the receiver that is waited for: it may be reading what its machine has, which nobody sees. */
const DRAIN_SEC = 120

export function phaseOf(shown: DisplayState, { quietFor }: Observation): Phase {
  // Where messages come when they come, and answers when they are found, silence is no standstill.
  if (shown.state !== 'streaming' || shown.ask || shown.topic || shown.duplex) return shown.state
  const isStill = quietFor === null ? shown.speed === 0 : quietFor >= (shown.inFlight > 0 ? DRAIN_SEC : STALL_SEC)
  return isStill ? 'stalled' : 'streaming'
}

/** Nothing has arrived for a while, and the receiver is the one who is waited for. */
export function isDraining(shown: DisplayState, { quietFor }: Observation): boolean {
  return shown.state === 'streaming' && shown.inFlight > 0 && quietFor !== null && quietFor >= STALL_SEC
}

export const isOver = (phase: Phase): boolean => phase === 'complete' || phase === 'failed'
export const isFlowing = (phase: Phase): boolean => phase === 'streaming' || phase === 'stalled'
