/**
 * How much of a test runs. `npm run nightly` sets `PIPEGATE_THOROUGH=1`: every case. Otherwise, as in CI, each kind of case
 * runs, with the same few of its cases every time: a red one stays red.
 */

export const isThorough = process.env.PIPEGATE_THOROUGH === '1'

/** All at night, otherwise `atMost` of them: the first, the last, and others at the same distance from each other. */
export function sample<T>(all: readonly T[], atMost: number): readonly T[] {
  if (isThorough || all.length <= atMost) return all
  const distance = (all.length - 1) / Math.max(1, atMost - 1)
  return Array.from({ length: atMost }, (_, i) => all[Math.round(i * distance)]!)
}

/** How often, how many or how long: `usual` in CI, `whole` at night. */
export function amount(usual: number, whole: number): number {
  return isThorough ? whole : usual
}
