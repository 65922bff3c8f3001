import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { NamedPlace } from '../../place.js'
import { STILL_HERE } from '../frames.js'
import { NotPossible } from '../link/not-possible.js'
import { DuplexTransport } from './duplex.js'
import { PipesTransport } from './pipes.js'
import type { Transport, TransportName, Way } from './way.js'

/** Each of two requests that are open at the same time has something of the other within this time, in milliseconds. */
const TRIAL_MS = 5000

/** The ways there are, and those that both sides can take. */
export class WayChoice {
  readonly #all: Readonly<Record<TransportName, Transport>>
  /** undefined: not known at present. */
  #own: readonly TransportName[] | undefined
  #others: readonly string[] | undefined

  /** @param only undefined: whatever both sides can take */
  constructor(
    place: NamedPlace,
    readonly only: TransportName | undefined,
  ) {
    this.#all = { pipes: new PipesTransport(place), duplex: new DuplexTransport(place) }
  }

  /** Both sides have said what they can. */
  get isChosen(): boolean {
    return this.#own !== undefined && this.#others !== undefined
  }

  /** The best one that both can take; pipes as long as that is not known. */
  get best(): Transport {
    if (this.only !== undefined) return this.#all[this.only]
    const isBoth = this.#own?.includes('duplex') && this.#others?.includes('duplex')
    return isBoth ? this.#all.duplex : this.#all.pipes
  }

  /** The one of this name; pipes for a name that is not known. */
  of(name: string | undefined): Transport {
    return name === 'duplex' ? this.#all.duplex : this.#all.pipes
  }

  /** The two sides have met: finds out what this one can take at present, by taking it. @throws NotPossible */
  async findOwn(): Promise<readonly TransportName[]> {
    this.#own = undefined
    this.#others = undefined
    const own = await this.#taken()
    this.#own = own
    return own
  }

  async #taken(): Promise<readonly TransportName[]> {
    if (this.only === 'pipes') return ['pipes']
    const isDuplex = await carriesBothWays(this.#all.duplex)
    if (this.only === undefined) return isDuplex ? ['duplex', 'pipes'] : ['pipes']
    if (isDuplex) return ['duplex']
    throw new NotPossible('--via duplex: the way to this server does not carry both directions at once.')
  }

  /** What the other side has said. @throws NotPossible */
  setOthers(names: readonly string[]): void {
    this.#others = names
    if (this.only !== undefined && !names.includes(this.only)) {
      throw new NotPossible(`--via ${this.only}: the other side does not take it.`)
    }
  }
}

/** Whether two requests meet there, and what each of them writes reaches the other before either has ended. */
async function carriesBothWays(transport: Transport): Promise<boolean> {
  const id = randomBytes(16).toString('base64url')
  const ways = [transport.open(id, 'listen'), transport.open(id, 'connect')]
  for (const { out, delivered } of ways) {
    delivered.catch(() => {})
    out.on('error', () => {}).write(STILL_HERE)
  }
  const late = new Promise<false>((resolve) => setTimeout(resolve, TRIAL_MS, false).unref())
  try {
    return await Promise.race([late, Promise.all(ways.map(somethingComes)).then(() => true)])
  } catch {
    return false
  } finally {
    for (const way of ways) way.cut()
  }
}

async function somethingComes(way: Way): Promise<void> {
  const stream = await way.in
  stream.on('error', () => {})
  await once(stream, 'data')
}
