/** The header in which gateways that have forwarded a request leave their names, so that a loop is detected: RFC 8586. */
export const CDN_LOOP = 'cdn-loop'

/** Finds loops by the names of this gateway and of others in that header. */
export class LoopDetector {
  /** @param own name of this gateway, which no other one has */
  constructor(
    readonly maxHops: number,
    readonly own: string,
  ) {}

  /**
   * The header that this gateway forwards with.
   * @param passed the header of the request, all of its lines
   */
  next(passed: string): string {
    return passed === '' ? this.own : `${passed}, ${this.own}`
  }

  /** `loop` when the request was here before; the number of gateways it has come through when that is too many. */
  problem(passed: string): 'loop' | number | undefined {
    if (passed === '') return undefined
    const names = passed.split(',').map((each) => each.split(';')[0]!.trim())
    if (names.includes(this.own)) return 'loop'
    return names.length >= this.maxHops ? names.length : undefined
  }
}
