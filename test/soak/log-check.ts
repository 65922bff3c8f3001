/** Reads a log as it is written: each line has to be whole, and each request has to have one, or to be counted among the lost. */

export class LogCheck {
  lines = 0
  /** Lines of requests. */
  requests = 0
  /** How many requests there must have been at least: each thread numbers its own, in steps. */
  readonly #numbered: number[]
  /** Lines that the log itself says were lost. */
  lost = 0
  /** Lines that are no JSON. */
  readonly torn: string[] = []
  /** What an operator should look at, and how often it was said. */
  readonly warnings = new Map<string, number>()
  #rest = ''

  /** @param threads of the gateway */
  constructor(readonly threads = 1) {
    this.#numbered = Array.from({ length: threads }, () => 0)
  }

  push(bytes: Buffer): void {
    const lines = (this.#rest + bytes.toString('utf8')).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) this.#read(line)
  }

  #read(text: string): void {
    this.lines++
    let line: Record<string, unknown>
    try {
      line = JSON.parse(text)
    } catch {
      this.torn.push(text.slice(0, 300))
      return
    }
    if (line.msg === 'request') {
      this.requests++
      const thread = (Number(line.id) - 1) % this.threads
      const count = Math.ceil(Number(line.id) / this.threads)
      this.#numbered[thread] = Math.max(this.#numbered[thread]!, count)
    } else if (Number(line.level) >= 40) {
      const message = String(line.msg)
      this.warnings.set(message, (this.warnings.get(message) ?? 0) + 1)
    }
    if (line.msg === 'lines of the log were lost') this.lost += Number(line.lines)
  }

  /** Every rule that is broken, as a sentence. To be asked when the gateway has ended. */
  get problems(): string[] {
    const problems = this.torn.map((text) => `a torn line: ${text}`)
    if (this.#rest !== '') problems.push(`the last line has no end: ${this.#rest.slice(0, 300)}`)
    const all = this.#numbered.reduce((sum, each) => sum + each)
    const missing = all - this.requests
    if (missing > this.lost)
      problems.push(`${missing} of ${all} requests have no line, and ${this.lost} are said to be lost`)
    return problems
  }
}
