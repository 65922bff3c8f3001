import type { Readable, Writable } from 'node:stream'
import type { Role } from '../role.js'

/** What carries one connection through the gateway: two directions that share a fate. */
export interface Way {
  readonly name: TransportName
  /** Takes our frames. Its end is sent when all of them have been. */
  readonly out: Writable
  /** The other side's, once it is there. */
  readonly in: Promise<Readable>
  /** Resolves when the server has handed on all that was written to `out`, and rejects when that cannot be any more. */
  readonly delivered: Promise<void>
  /** Breaks off what is not over, so that the other side sees it. Nothing is told of it here. */
  cut(): void
}

/** Makes a way for each connection. */
export interface Transport {
  readonly name: TransportName
  /** @param id nobody else knows it; both sides say the same */
  open(id: string, role: Role): Way
}

export type TransportName = 'duplex' | 'pipes'

/** What carries connections: our own, or as Hoody's forward has it. */
export type WayName = TransportName | HoodyName

export type HoodyName = 'ws' | 'hoody-pipes'
