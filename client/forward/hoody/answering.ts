import { setTimeout as sleep } from 'node:timers/promises'
import type { NamedPlace } from '../../place.js'
import { SocketBroken } from '../carry.js'
import type { Connections } from '../connections.js'
import { dial, type Endpoint, inWords } from '../endpoint.js'
import { Persistence } from '../link/persistence.js'
import type { News } from '../news.js'
import { within } from '../within.js'
import { type Call, type Counterpart, NobodyCame } from './counterpart.js'

/** What the server waits for the other side, in seconds. Nothing passes meanwhile, and proxies cut what is silent for a minute. */
const TURN_S = 40
/** So long the server may take to say that a place is free, in milliseconds. */
const CLOSING_MS = 5000

export interface HoodyOptions {
  readonly place: NamedPlace
  readonly endpoint: Endpoint
  readonly call: Call
  readonly connections: Connections
  /** Milliseconds that the other side may be away; undefined: for ever. */
  readonly waitMs: number | undefined
  readonly signal: AbortSignal
  readonly on: (news: News) => void
}

/** `--connect`: waits on the name, and connects to the service when somebody has come; again and again, one at a time. */
export async function answer({ place, endpoint, call, connections, waitMs, signal, on }: HoodyOptions): Promise<never> {
  const persistence = new Persistence(`Two others are on this name already: ${place.name}.`, (trouble) =>
    on({ event: 'trouble', ...trouble }),
  )
  for (;;) {
    const other = await within(waitMs, signal, (signal) => comes(call, persistence, signal))
    await serve(other, endpoint, connections, signal)
  }
}

/** By turns, as often as it takes. */
async function comes(call: Call, persistence: Persistence, signal: AbortSignal): Promise<Counterpart> {
  for (;;) {
    signal.throwIfAborted()
    const beganAt = performance.now()
    try {
      const other = await call(TURN_S)
      other.placed.then(
        () => persistence.met(),
        () => {},
      )
      return await there(other, signal)
    } catch (error) {
      signal.throwIfAborted()
      const why = error instanceof NobodyCame ? undefined : (error as Error)
      await persistence.afterTurn(why, performance.now() - beganAt, signal)
    }
  }
}

/** The counterpart when it is there, or nothing is left of it. */
export async function there(other: Counterpart, signal: AbortSignal): Promise<Counterpart> {
  const stop = () => other.cut(new Error('this forward ends'))
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    await other.there
    return other
  } catch (error) {
    other.cut(error as Error)
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

async function serve(
  other: Counterpart,
  endpoint: Endpoint,
  connections: Connections,
  signal: AbortSignal,
): Promise<void> {
  try {
    const socket = await dial(endpoint, signal)
    await connections.carry(socket, other, new Promise<never>(() => {}))
  } catch (error) {
    other.cut(new SocketBroken('the service does not take it'))
    connections.refuse(undefined, `${inWords(endpoint)}: ${(error as Error).message}`)
  }
  await closed(other, signal)
}

/** Nothing of it is left on the name, or the server is too slow to say so. */
export async function closed(other: Counterpart, signal: AbortSignal): Promise<void> {
  await Promise.race([other.over, sleep(CLOSING_MS, undefined, { signal, ref: false })])
}
