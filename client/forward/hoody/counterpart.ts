import { ConnectionLost } from '../../wire/failures.js'
import type { Carrier } from '../carry.js'

/** The server has waited for the other side as long as it was asked to. */
export class NobodyCame extends ConnectionLost {}

/** A forward of Hoody on the same name, for one connection. */
export interface Counterpart extends Carrier {
  /** Resolves when this side has its place. @throws RequestRefused, ConnectionLost */
  readonly placed: Promise<void>
  /** Resolves when it is there. @throws RequestRefused, ConnectionLost, NotPossible */
  readonly there: Promise<void>
  /** Resolves when nothing of it is left on the name, as far as this side can tell. */
  readonly over: Promise<void>
  /** Breaks off what is not over, so that the other side sees it. */
  cut(why: Error): void
}

/** Takes a place on the name. @param waitS so long the server waits for the other side, in seconds */
export type Call = (waitS: number) => Promise<Counterpart>
