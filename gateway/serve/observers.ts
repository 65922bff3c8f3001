import { isDoneOfMany, type PipeObserver, type PipeView } from '../../core/index.js'
import type { GatewayLog } from '../log/log.js'

/** Logs one line for each transfer, but for each line of an upload only when it fails. Null when that level is not logged. */
export function transferLog(onEnded: GatewayLog['transfer']): PipeObserver | null {
  if (onEnded === null) return null
  const nothing = () => {}
  const unlessOfMany = (pipe: PipeView) => {
    if (!isDoneOfMany(pipe)) onEnded(pipe)
  }
  return {
    onWaiting: nothing,
    onJoined: nothing,
    onLeft: nothing,
    onLooked: nothing,
    onPaired: nothing,
    onEnded: unlessOfMany,
  }
}

/** One observer that calls all that there are. */
export function allObservers(observers: readonly (PipeObserver | null)[]): PipeObserver | null {
  return observers.reduce(bothObservers, null)
}

function bothObservers(first: PipeObserver | null, second: PipeObserver | null): PipeObserver | null {
  if (first === null || second === null) return first ?? second
  return {
    onWaiting(pipe) {
      first.onWaiting(pipe)
      second.onWaiting(pipe)
    },
    onJoined(pipe, side) {
      first.onJoined(pipe, side)
      second.onJoined(pipe, side)
    },
    onLeft(pipe, side) {
      first.onLeft(pipe, side)
      second.onLeft(pipe, side)
    },
    onLooked(pipe) {
      first.onLooked(pipe)
      second.onLooked(pipe)
    },
    onPaired(pipe) {
      first.onPaired(pipe)
      second.onPaired(pipe)
    },
    onEnded(pipe) {
      first.onEnded(pipe)
      second.onEnded(pipe)
    },
  }
}
