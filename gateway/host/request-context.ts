import { type SideLimits, Throttle } from '../../core/index.js'
import type { HeaderList } from '../http/response/answer.js'
import { validateHeader, validateHeadersOnce } from '../http/response/validation.js'
import { attempt } from './error-boundary.js'
import type { Identity, Join, Right, Slot } from './plugin-api.js'

const NONE: HeaderList = []

/** What a context has of the exchange that it stands for. */
export interface ContextExchange {
  readonly id: number
  readonly clientAddress: string
  headersAlways: HeaderList
}

/** A request as plugins see it. Made only when plugins are loaded, and then for every request: what few need is made late. */
export class RequestContext implements Join {
  side: Join['side'] = 'receiver'
  right: Right = 'receive'
  name = ''
  key = ''
  identity: Identity | undefined
  /** What the gates asked for on this side. */
  limits: SideLimits | undefined
  headers = NONE
  /** Who refused it, when a plugin did. */
  refusedBy = 'gateway'
  claimedBy: string | undefined
  over = false
  /** The side has been let in: what the gates said of it has been read. */
  #admitted = false
  slots: unknown[] | undefined
  #releases: (() => void)[] | undefined

  readonly id: number
  readonly clientAddress: string

  /** @param onFault what a release throws */
  constructor(
    readonly exchange: ContextExchange,
    readonly onFault: (error: unknown) => void,
  ) {
    this.id = exchange.id
    this.clientAddress = exchange.clientAddress
  }

  onOver(release: () => void): void {
    if (this.over) this.#run(release)
    else if (this.#releases === undefined) this.#releases = [release]
    else this.#releases.push(release)
  }

  /** The response is over: runs every release, the last one first. */
  end(): void {
    if (this.over) return
    this.over = true
    const releases = this.#releases
    this.#releases = undefined
    if (releases !== undefined) for (const release of releases.reverse()) this.#run(release)
  }

  addHeadersAlways(headers: HeaderList): void {
    const sound = validateHeadersOnce(headers)
    const { headersAlways } = this.exchange
    this.exchange.headersAlways = headersAlways.length === 0 ? sound : [...headersAlways, ...sound]
  }

  asks({ side, right }: Pick<Join, 'side' | 'right'>, name: string): void {
    this.side = side
    this.right = right
    this.name = name
    this.key = pipeKey(this.identity?.project ?? '', name)
  }

  /** From here on it is too late for what a gate may say. */
  admit(): void {
    this.#admitted = true
  }

  /** @throws TypeError or RangeError when the project could be taken for a part of a name */
  identify(identity: Identity): void {
    this.#inTime('identify')
    const { project } = identity
    if (typeof project !== 'string') throw new TypeError('a project is a text')
    if (/[\x00-\x20\x7f]/.test(project)) throw new RangeError('a project has no spaces or control characters')
    this.identity = identity
    this.key = pipeKey(project, this.name)
  }

  tighten(limit: 'maxBytes' | 'totalMs', value: number): void {
    this.#inTime('tighten')
    if (limit !== 'maxBytes' && limit !== 'totalMs') throw new RangeError(`there is no limit "${limit}"`)
    // It would be stricter than nothing, and make every other limit void.
    if (typeof value !== 'number' || Number.isNaN(value)) throw new TypeError(`the limit ${limit} is no number`)
    const before = this.limits?.[limit] ?? Number.POSITIVE_INFINITY
    this.limits = { ...this.limits, [limit]: Math.min(before, value) }
  }

  throttle(throttle: Throttle): void {
    this.#inTime('throttle')
    if (!(throttle instanceof Throttle)) throw new TypeError('a throttle is made by host.throttle()')
    this.limits = { ...this.limits, throttles: [...(this.limits?.throttles ?? []), throttle] }
  }

  addHeader(name: string, value: string): void {
    this.#inTime('addHeader')
    this.headers = [...this.headers, validateHeader(name, value)]
  }

  #run(release: () => void): void {
    attempt(release, this.onFault)
  }

  #inTime(what: string): void {
    if (this.#admitted) throw new Error(`${what}() comes too late: the side has been let in`)
  }
}

/** A name within a project's namespace. No name has a space in it, so no two projects can mean the same pipe. */
export function pipeKey(project: string, name: string): string {
  return project === '' ? name : `${project} ${name}`
}

/** The two halves of a key. */
export function splitKey(key: string): { readonly project: string; readonly name: string } {
  const space = key.indexOf(' ')
  return { project: key.slice(0, Math.max(0, space)), name: key.slice(space + 1) }
}

let slots = 0

/** A place on every visit that only its holder can find. */
export function newSlot<T>(): Slot<T> {
  const at = slots++
  return {
    get: (context) => (context as RequestContext).slots?.[at] as T | undefined,
    set: (context, value) => {
      const visit = context as RequestContext
      visit.slots ??= []
      visit.slots[at] = value
    },
  }
}
