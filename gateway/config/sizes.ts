const KiB = 1024
const MiB = 1024 ** 2
const GiB = 1024 ** 3

// A bare letter is binary, as in nginx, curl and docker; only the spelled-out kB, MB and GB are decimal.
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: KiB,
  kib: KiB,
  kb: 1000,
  m: MiB,
  mib: MiB,
  mb: 1000 ** 2,
  g: GiB,
  gib: GiB,
  gb: 1000 ** 3,
}

/** The bytes in `1048576`, `1MiB`, `1 MB`, `64k`; NaN when it is not a size. Letter case does not matter. */
export function parseSize(text: string): number {
  const match = /^(\d+) ?([kmg]i?b|[kmgb]|)$/i.exec(text)
  return match === null ? Number.NaN : Number(match[1]) * UNITS[match[2]!.toLowerCase()]!
}

/** The shortest exact way to write a number of bytes, which {@link parseSize} reads: `1MiB`, `1000000`. */
export function sizeText(size: number): string {
  for (const [unit, factor] of [['GiB', GiB] as const, ['MiB', MiB] as const, ['KiB', KiB] as const]) {
    if (size > 0 && size % factor === 0) return `${size / factor}${unit}`
  }
  return String(size)
}
