/** Reads the Prometheus text format 0.0.4, strictly: what this does not throw at, a scraper takes. */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export class Exposition {
  readonly types = new Map<string, string>()
  readonly helps = new Map<string, string>()
  readonly samples: Sample[] = []

  constructor(text: string) {
    if (!text.endsWith('\n')) throw new Error('the last line has no end')
    const seen = new Set<string>()
    for (const line of text.slice(0, -1).split('\n')) {
      if (line === '') continue
      if (line.startsWith('#')) {
        this.#comment(line)
        continue
      }
      const sample = readSample(line)
      const series = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      if (seen.has(series)) throw new Error(`twice: ${line}`)
      seen.add(series)
      this.#belongs(sample, line)
      this.samples.push(sample)
    }
  }

  /** Names that a query can ask for. */
  get names(): Set<string> {
    return new Set(this.samples.map(({ name }) => name))
  }

  /** The one sample of these labels; throws when there is none. */
  value(name: string, labels: Record<string, string> = {}): number {
    const found = this.find(name, labels)
    if (found === undefined) throw new Error(`no ${name}${JSON.stringify(labels)}`)
    return found
  }

  find(name: string, labels: Record<string, string> = {}): number | undefined {
    const wanted = JSON.stringify(Object.entries(labels).sort())
    return this.samples.find(
      (each) => each.name === name && JSON.stringify(Object.entries(each.labels).sort()) === wanted,
    )?.value
  }

  #comment(line: string): void {
    const found = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
    if (found === null) throw new Error(`neither HELP nor TYPE: ${line}`)
    const [, kind, name, rest] = found
    const into = kind === 'HELP' ? this.helps : this.types
    if (into.has(name!)) throw new Error(`a second ${kind} of ${name}`)
    if (kind === 'TYPE' && !/^(counter|gauge|histogram|summary)$/.test(rest!)) throw new Error(`bad type: ${line}`)
    into.set(name!, rest!)
  }

  #belongs({ name, value, labels }: Sample, line: string): void {
    const family = name.replace(/_(bucket|sum|count)$/, '')
    const type = this.types.get(name) ?? this.types.get(family)
    if (type === undefined || !(this.helps.has(name) || this.helps.has(family)))
      throw new Error(`no TYPE, HELP: ${line}`)
    if (type === 'counter' && !(name.endsWith('_total') && value >= 0)) throw new Error(`no counter: ${line}`)
    if (type !== 'counter' && name.endsWith('_total')) throw new Error(`not a counter: ${line}`)
    if (name.endsWith('_bucket') && labels.le === undefined) throw new Error(`no le: ${line}`)
  }
}

function readSample(line: string): Sample {
  const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([+-]?(?:Inf|[0-9.eE+-]+)|NaN)$/.exec(line)
  if (found === null) throw new Error(`not a sample: ${line}`)
  const labels: Record<string, string> = {}
  let rest = found[2] ?? ''
  while (rest !== '') {
    const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(rest)
    if (label === null) throw new Error(`not a label: ${rest}`)
    if (label[1]! in labels) throw new Error(`a label twice: ${line}`)
    labels[label[1]!] = label[2]!
    rest = rest.slice(label[0].length)
  }
  const value = Number(found[3]!.replace('Inf', 'Infinity'))
  if (Number.isNaN(value) && found[3] !== 'NaN') throw new Error(`not a value: ${line}`)
  return { name: found[1]!, labels, value }
}
