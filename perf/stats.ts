/** The few statistics that are needed. */

/** The middle of `values`, or the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half) - 1]!) / 2
}

/** The value that `share` (0 to 1) of all values do not exceed. NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The slope of the straight line that fits best, per minute. 0 for less than two points. */
export function slopePerMinute(points: readonly (readonly [atMs: number, value: number])[]): number {
  const meanAt = mean(points.map(([at]) => at))
  const meanValue = mean(points.map(([, value]) => value))
  let above = 0
  let below = 0
  for (const [at, value] of points) {
    above += (at - meanAt) * (value - meanValue)
    below += (at - meanAt) ** 2
  }
  return below === 0 ? 0 : (above / below) * 60_000
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
