/** So many points at most; then two become one, and further ones come half as often. */
const MOST = 480

/** The shortest time between two points, in seconds: a little less than there is between two `progress` events. */
const SHORTEST = 0.2

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
