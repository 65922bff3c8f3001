import { Counter, type Registry } from 'prom-client'

export interface RunningTotalOptions {
  readonly registry: Registry
  readonly name: string
  readonly help: string
  /** The total now. It is read when somebody scrapes. */
  read(): number
}

/** A counter that follows a total which somebody else keeps. It never falls, even if the total did. */
export function runningTotal({ registry, name, help, read }: RunningTotalOptions): void {
  let counted = 0
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      const total = read()
      if (total <= counted) return
      this.inc(total - counted)
      counted = total
    },
  })
}

/** The same for totals by a label, whose values are few. */
export function runningTotals(
  { registry, name, help, read }: Omit<RunningTotalOptions, 'read'> & { read(): ReadonlyMap<string, number> },
  label: string,
): void {
  const counted = new Map<string, number>()
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      for (const [value, total] of read()) {
        this.inc({ [label]: value }, Math.max(0, total - (counted.get(value) ?? 0)))
        counted.set(value, total)
      }
    },
  })
}
