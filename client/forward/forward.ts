import type { NamedPlace } from '../place.js'
import type { Connections } from './connections.js'
import type { Line } from './link/line.js'
import { Meeting } from './link/meeting.js'
import { Persistence } from './link/persistence.js'
import type { News } from './news.js'
import type { Side } from './side.js'
import type { WayChoice } from './ways/way-choice.js'
import { within } from './within.js'

export interface ForwardOptions {
  readonly place: NamedPlace
  readonly side: Side
  readonly ways: WayChoice
  readonly connections: Connections
  /** Milliseconds that the other side may be away; undefined: for ever. */
  readonly waitMs: number | undefined
  readonly signal: AbortSignal
  readonly on: (news: News) => void
}

/**
 * Forwards until its signal is aborted. When the two sides lose each other they meet again; connections that are carried go on
 * meanwhile, if they can.
 * @throws TimedOut, RequestRefused, ConnectionLost, NotPossible, and what `start` of the side throws
 */
export async function forward({ place, side, ways, connections, waitMs, signal, on }: ForwardOptions): Promise<never> {
  const persistence = new Persistence(
    `Another forward with --${side.role} is on this name: ${place.name}.`,
    (trouble) => on({ event: 'trouble', ...trouble }),
  )
  let line: Line | undefined
  try {
    await side.start()
    for (;;) {
      signal.throwIfAborted()
      line = await within(waitMs, signal, (signal) =>
        new Meeting({ place, role: side.role, signal, persistence }).run(),
      )
      persistence.met()
      on({ event: 'met' })
      const why = await hear(line, side, ways, signal, on)
      if (!signal.aborted) on({ event: 'parted', why: why?.message })
    }
  } finally {
    side.stop()
    connections.cutAll()
    await line?.close()
  }
}

/** Until the line is over, or nobody wants it any more. */
async function hear(
  line: Line,
  side: Side,
  ways: WayChoice,
  signal: AbortSignal,
  on: ForwardOptions['on'],
): Promise<Error | undefined> {
  const chosen = () => {
    if (ways.isChosen) on({ event: 'way', way: ways.best.name })
  }
  const own = ways.findOwn().then((own) => {
    line.tell({ type: 'ways', ways: [...own] })
    chosen()
  })
  side.line(line)
  try {
    return await new Promise<Error | undefined>((resolve, reject) => {
      const interrupted = () => resolve(undefined)
      signal.addEventListener('abort', interrupted, { once: true })
      void line.over.then(resolve).finally(() => signal.removeEventListener('abort', interrupted))
      own.catch(reject)
      line.listen((message) => {
        if (message.type !== 'ways') return side.heard(message)
        try {
          ways.setOthers(message.ways)
          chosen()
        } catch (error) {
          reject(error)
        }
      })
    })
  } finally {
    side.line(undefined)
  }
}
