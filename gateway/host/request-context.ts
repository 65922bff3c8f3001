import { type SideLimits, Throttle } from '../../core/index.js'
import type { ClientCertificate } from '../http/client-certificate.js'
import type { HeaderList } from '../http/response/answer.js'
import { validateHeader, validateHeadersOnce } from '../http/response/validation.js'
import type { Identity, Join, Right, Slot } from './api/context.js'
import { attempt } from './error-boundary.js'
import { pipeKey } from './pipe-key.js'

const NONE: HeaderList = []

/** What a context uses of its exchange. */
export interface ContextExchange {
  readonly id: number
  readonly clientAddress: string
  readonly clientCertificate: ClientCertificate | undefined
  headersAlways: HeaderList
}

/** A request as plugins see it. Made for every request when plugins are loaded, so what few need is allocated late. */
export class RequestContext implements Join {
  side: Join['side'] = 'receiver'
  right: Right = 'receive'
  name = ''
  key = ''
  identity: Identity | undefined
  /** The limits that admission hooks have set on this side. */
  limits: SideLimits | undefined
  headers = NONE
  /** The plugin that refused it, or `gateway`. */
  refusedBy = 'gateway'
  claimedBy: string | undefined
  over = false
  /** The side has been let in: what admission hooks set on it has been read. */
  #admitted = false
  slots: unknown[] | undefined
  #releases: (() => void)[] | undefined

  readonly id: number
  readonly clientAddress: string

  /** @param onFault is given what a release throws */
  constructor(
    readonly exchange: ContextExchange,
    readonly onFault: (error: unknown) => void,
  ) {
    this.id = exchange.id
    this.clientAddress = exchange.clientAddress
  }

  get clientCertificate(): ClientCertificate | undefined {
    return this.exchange.clientCertificate
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

  /** The request is about to join a name, as this side. */
  joinsAs({ side, right }: Pick<Join, 'side' | 'right'>, name: string): void {
    this.side = side
    this.right = right
    this.name = name
    this.key = pipeKey(this.identity?.project ?? '', name)
  }

  /** From here on it is too late for what an admission hook may set. */
  admit(): void {
    this.#admitted = true
  }

  /** @throws TypeError or RangeError when the project could be taken for a part of a name */
  identify(identity: Identity): void {
    this.#notTooLate('identify')
    const { project } = identity
    if (typeof project !== 'string') throw new TypeError('a project is a text')
    if (/[\x00-\x20\x7f]/.test(project)) throw new RangeError('a project has no spaces or control characters')
    this.identity = identity
    this.key = pipeKey(project, this.name)
  }

  /** Some plugin knows the client by what it presented. */
  get isAuthenticated(): boolean {
    return this.identity !== undefined && this.identity.anonymous !== true
  }

  tighten(limit: 'maxBytes' | 'totalMs', value: number): void {
    this.#notTooLate('tighten')
    if (limit !== 'maxBytes' && limit !== 'totalMs') throw new RangeError(`there is no limit "${limit}"`)
    // NaN would win every comparison, and make every other limit void.
    if (typeof value !== 'number' || Number.isNaN(value)) throw new TypeError(`the limit ${limit} is no number`)
    const before = this.limits?.[limit] ?? Number.POSITIVE_INFINITY
    this.limits = { ...this.limits, [limit]: Math.min(before, value) }
  }

  throttle(throttle: Throttle): void {
    this.#notTooLate('throttle')
    if (!(throttle instanceof Throttle)) throw new TypeError('a throttle is made by host.throttle()')
    this.limits = { ...this.limits, throttles: [...(this.limits?.throttles ?? []), throttle] }
  }

  addHeader(name: string, value: string): void {
    this.#notTooLate('addHeader')
    this.headers = [...this.headers, validateHeader(name, value)]
  }

  #run(release: () => void): void {
    attempt(release, this.onFault)
  }

  #notTooLate(what: string): void {
    if (this.#admitted) throw new Error(`${what}() comes too late: the side has been let in`)
  }
}

let slots = 0

/** A place on every context that only the holder of the slot can find. */
export function newSlot<T>(): Slot<T> {
  const at = slots++
  return {
    get: (context) => (context as RequestContext).slots?.[at] as T | undefined,
    set: (context, value) => {
      const holder = context as RequestContext
      holder.slots ??= []
      holder.slots[at] = value
    },
  }
}
