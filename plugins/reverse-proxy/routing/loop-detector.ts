import { randomBytes } from 'node:crypto'

/** Who has forwarded a request already, so that one that goes in a circle is seen: RFC 8586. */
export const HOPS = 'cdn-loop'

/** The names of this gateway and of others in that header. */
export class Hops {
  /** Drawn at each start: no two gateways have the same one. */
  readonly own = `pipegate-${randomBytes(8).toString('hex')}`

  constructor(readonly most: number) {}

  /**
   * What this gateway forwards with.
   * @param came the header of the request, all of its lines
   */
  next(came: string): string {
    return came === '' ? this.own : `${came}, ${this.own}`
  }

  /** Whether it was here before, or how many gateways it has come through if those are too many. */
  problem(came: string): 'loop' | number | undefined {
    if (came === '') return undefined
    const names = came.split(',').map((each) => each.split(';')[0]!.trim())
    if (names.includes(this.own)) return 'loop'
    return names.length >= this.most ? names.length : undefined
  }
}
