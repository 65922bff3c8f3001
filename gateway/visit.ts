import type { SideLimits, Throttle } from '../core/index.js'
import type { HeaderList } from './answers.js'
import type { Identity, Join, Right, Slot } from './plugin-api.js'

/** A request as plugins see it. Made only when plugins are loaded. */
export class Visit implements Join {
  side: Join['side'] = 'receiver'
  right: Right = 'receive'
  name = ''
  key = ''
  identity: Identity | undefined
  /** What the gates asked for on this side. */
  limits: SideLimits | undefined
  headers: HeaderList = []
  /** Who refused it, when a plugin did. */
  refusedBy = 'gateway'
  over = false
  readonly slots: unknown[] = []
  #releases: (() => void)[] = []

  /** @param onFault what a release throws */
  constructor(
    readonly id: number,
    readonly clientAddress: string,
    readonly onFault: (error: unknown) => void,
  ) {}

  onOver(release: () => void): void {
    if (this.over) this.#run(release)
    else this.#releases.push(release)
  }

  /** The response is over: runs every release, the last one first. */
  end(): void {
    if (this.over) return
    this.over = true
    const releases = this.#releases
    this.#releases = []
    for (const release of releases.reverse()) this.#run(release)
  }

  asks({ side, right }: Pick<Join, 'side' | 'right'>, name: string): void {
    this.side = side
    this.right = right
    this.name = name
    this.key = pipeKey(this.identity?.project ?? '', name)
  }

  /** @throws RangeError when the project could be taken for a part of a name */
  identify(identity: Identity): void {
    if (/[\x00-\x20\x7f]/.test(identity.project)) throw new RangeError('a project has no spaces or control characters')
    this.identity = identity
    this.key = pipeKey(identity.project, this.name)
  }

  tighten(limit: 'maxBytes' | 'totalMs', value: number): void {
    const before = this.limits?.[limit] ?? Number.POSITIVE_INFINITY
    this.limits = { ...this.limits, [limit]: Math.min(before, value) }
  }

  throttle(throttle: Throttle): void {
    this.limits = { ...this.limits, throttles: [...(this.limits?.throttles ?? []), throttle] }
  }

  addHeader(name: string, value: string): void {
    // uWebSockets writes what it is given, line breaks too.
    if (/[^\x20-\x7e\x80-\xff]/.test(name + value)) throw new RangeError(`the header ${name} has a control character`)
    this.headers = [...this.headers, [name, value]]
  }

  #run(release: () => void): void {
    try {
      release()
    } catch (error) {
      this.onFault(error)
    }
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
    get: (context) => (context as Visit).slots[at] as T | undefined,
    set: (context, value) => {
      ;(context as Visit).slots[at] = value
    },
  }
}
