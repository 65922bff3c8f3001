/** What the player asks for: what its own address says, or what the sender turns out to be. */
import type { DisplayState } from '../../../page-kit/page/display-state.js'
import { isLiveName } from '../player-status.js'
import type { NameFollower } from './name-follower.js'

/** @param query of the page @param shown of the name; null when nobody tells */
export function addressOf(address: string, query: string, shown: DisplayState | null): string {
  const parameters = new URLSearchParams(query)
  if (!saysHow(parameters) && shown !== null && shown.state !== 'idle' && isLiveName(shown)) parameters.set('live', '')
  if (shown === null) parameters.delete('wait')
  const kept = parameters.toString().replace(/=(?=&|$)/g, '')
  return kept === '' ? address : `${address}?${kept}`
}

/**
 * Who waits for a sender as a receiver decides what the name is, and a live sender could not have it any more. So a player that was
 * not told watches until somebody is there. It resolves at once where nobody tells, or where it was told.
 */
export async function senderIsThere(query: string, follower: NameFollower, signal: AbortSignal): Promise<void> {
  if (saysHow(new URLSearchParams(query))) return
  while (!signal.aborted && follower.shown !== null && !follower.shown.hasSender && !isWaitingLive(follower.shown)) {
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  signal.throwIfAborted()
}

function isWaitingLive(shown: DisplayState): boolean {
  return shown.state === 'waiting' && isLiveName(shown)
}

function saysHow(parameters: URLSearchParams): boolean {
  return parameters.has('live') || parameters.has('n')
}
