/** So many points at most; then two become one, and further ones come half as often. */
const MOST = 480

/** The shortest time between two points, in seconds: a little less than there is between two `progress` events. */
const SHORTEST = 0.2

/** So many points say what is usual, and what is so many times that is a burst. */
const ENOUGH = 10
const BURST = 4

/** The data of the `history` event: average bytes per second of consecutive intervals since the stream began. */
export interface SpeedHistory {
  readonly everySec: number
  readonly speeds: readonly number[]
}

/** The speed of one transfer since it began, in bounded memory however long that takes. No DOM. */
export class SpeedLine {
  /** Seconds since the stream began, and bytes per second at that time. */
  times: number[] = []
  speeds: number[] = []
  /** Bytes per second, null before the first point. */
  peak: number | null = null
  #step = SHORTEST

  clear(): void {
    this.load({ everySec: SHORTEST, speeds: [] })
  }

  load({ everySec, speeds }: SpeedHistory): void {
    this.#step = Math.max(SHORTEST, everySec)
    this.times = speeds.map((_, i) => (i + 1) * everySec)
    this.speeds = [...speeds]
    this.peak = speeds.length === 0 ? null : Math.max(...speeds)
    while (this.times.length > MOST) this.#halve()
  }

  /**
   * How far an axis has to go, so that the line can be read: to the fastest point, unless that is a burst that would press all the
   * others to the ground; then to twice what nine of ten points stay below, and the burst is cut off. 0 without a point.
   */
  get ceiling(): number {
    const peak = this.peak ?? 0
    if (this.speeds.length < ENOUGH) return peak
    const usual = [...this.speeds].sort((a, b) => a - b)[Math.floor(this.speeds.length * 0.9)]!
    return usual > 0 && peak > BURST * usual ? 2 * usual : peak
  }

  /** Points that come sooner than the line is fine are left out. */
  add(time: number, speed: number): void {
    const last = this.times.at(-1) ?? 0
    if (time - last < this.#step) return
    this.times.push(time)
    this.speeds.push(speed)
    this.peak = Math.max(this.peak ?? 0, speed)
    if (this.times.length > MOST) this.#halve()
  }

  #halve(): void {
    const { times, speeds } = this
    const odd = (_: number, i: number) => i % 2 === 1
    this.speeds = speeds.map((speed, i) => (speed + (speeds[i - 1] ?? speed)) / 2).filter(odd)
    this.times = times.filter(odd)
    this.#step *= 2
  }
}
