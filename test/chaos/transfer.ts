/** Runs one planned transfer to its end, and judges it. */

import { eventually, type Verdict } from '../support/eventually.js'
import type { Running } from '../support/gateway.js'
import { judge } from './judge.js'
import { Diary, type Door } from './participant.js'
import type { Plan } from './plan.js'
import { Receiver } from './receiver.js'
import { Sender } from './sender.js'

/** A transfer that has not ended by then hangs: nothing in it takes longer than a few seconds, reminders included. */
const HANGS_AFTER_MS = 60_000
/** Whoever is missing for so long does not come any more. */
const HOPELESS_MS = 500

export interface Report {
  readonly plan: Plan
  readonly problems: readonly string[]
  readonly reasons: readonly string[]
  /** What happened, for somebody who has to find out why. */
  readonly story: string
}

export async function runTransfer(plan: Plan, running: Running, door: Door): Promise<Report> {
  const transfer = new Transfer(plan, running, door)
  const problems = await transfer.run()
  const reasons = transfer.lines.map((line) => String(line.reason))
  const log = transfer.lines.map((line) => JSON.stringify(line))
  const story = [JSON.stringify(plan), ...transfer.diary.lines, ...log, JSON.stringify(transfer.sender.text)].join('\n')
  return { plan, problems, reasons, story }
}

class Transfer {
  readonly diary = new Diary()
  readonly sender: Sender
  readonly receivers: readonly Receiver[]
  readonly #all: readonly (Sender | Receiver)[]
  #visits = 0
  #gaveUp = false
  #hopelessSince: number | undefined

  constructor(
    readonly plan: Plan,
    readonly running: Running,
    readonly door: Door,
  ) {
    this.sender = new Sender(plan, this.diary, door)
    this.receivers = plan.receivers.map((_, i) => new Receiver(plan, i, this.diary, door))
    this.#all = [this.sender, ...this.receivers]
  }

  /** What the log says of this name, without the visitors. */
  get lines() {
    const all = this.running.lines.filter((line) => line.msg === 'transfer' && line.pipe === this.plan.name)
    return all.slice(this.#visits)
  }

  async run(): Promise<string[]> {
    try {
      for (let i = 0; i < this.plan.visitors; i++) await this.#visit()
      const runs = this.#all.map((each) => each.run())
      await eventually(() => this.#look(), { timeoutMs: HANGS_AFTER_MS, everyMs: 10 })
      await Promise.all(runs)
      const problems = judge({
        ...this,
        lines: this.lines,
        gaveUp: this.#gaveUp,
        isScarce: this.running.gateway.slabs.maxSlabs < 128,
      })
      if (problems.length === 0) problems.push(...(await this.#reuse()))
      return problems
    } catch (error) {
      return [`${error}`]
    } finally {
      for (const each of this.#all) each.close()
    }
  }

  get #view() {
    return this.running.gateway.table.get(this.plan.name)
  }

  /** Everybody who comes has come. */
  get #arrived(): boolean {
    return this.#all.every((each) => each.hasAsked || each.isAbsent)
  }

  /** A receiver that takes a place and frees it again, before anybody else comes. */
  async #visit(): Promise<void> {
    const plan = { ...this.plan, receivers: [{ ...this.plan.receivers[0]!, comesAfter: 0, absent: false }] }
    const visitor = new Receiver(
      { ...plan, receivers: [{ ...plan.receivers[0]!, trouble: { kind: 'none' } }] },
      0,
      this.diary,
      this.door,
    )
    await visitor.run()
    await eventually(() => this.#view?.receiversPresent === 1 || 'the visitor has no place')
    visitor.leave('destroy', 'as a visitor')
    await eventually(() => this.#view === undefined || 'the visitor still has its place')
    this.#visits++
  }

  /** Whether all is over; helps those who can only be over with help. */
  #look(): Verdict {
    const open = this.#all.filter((each) => !each.isOver)
    if (open.length === 0 && this.#view === undefined && this.#arrived) return true
    if (this.#view === undefined && (this.lines.length > 0 || this.#arrived)) this.#thaw()
    this.#goHomeIfHopeless()
    const view = this.#view
    const pipe = view === undefined ? 'no pipe' : `${view.state}, ${view.bytesIn} in, ${view.bytesOut} out`
    return `it hangs: ${pipe}; open: ${open.map((each) => `${each.who} (${each.summary})`).join(', ')}`
  }

  /** Nothing is in the gateway any more: whoever does not read may read now what became of it. */
  #thaw(): void {
    for (const each of this.#all) if (!each.isOver) each.peer?.resume()
  }

  /** When somebody who is needed has gone before the start, the others would wait for minutes. */
  #goHomeIfHopeless(): void {
    const view = this.#view
    const mayCome = view?.hasSender === true && this.plan.query.includes('wait')
    const someoneWent = view?.hasSender === false || this.#all.some((each) => each.hasLeft || each.isOver)
    if (view?.state !== 'waiting' || !this.#arrived || mayCome || !someoneWent) {
      this.#hopelessSince = undefined
      return
    }
    const now = performance.now()
    this.#hopelessSince ??= now
    if (now - this.#hopelessSince < HOPELESS_MS) return
    this.#gaveUp = true
    this.diary.note('all', 'give up')
    for (const each of this.#all) {
      each.hasLeft = true
      each.close()
    }
  }

  /** Connections that were served well serve again. */
  async #reuse(): Promise<string[]> {
    const problems: string[] = []
    for (const each of this.receivers) {
      if (!each.own.reuses || each.trouble.kind !== 'none' || !each.isWhole || each.status !== 200) continue
      if (!(await each.isUsable())) problems.push(`${each.who}: its connection serves no other request`)
    }
    const { sender } = this
    // Who was answered before its body had ended was told that this is the last answer.
    const isLast = sender.reader.head?.headers.get('connection') === 'close'
    const reuses = this.receivers[0]!.own.reuses && !isLast
    if (reuses && sender.hasListened && sender.isWhole && sender.trouble.kind === 'none') {
      if (!(await sender.isUsable())) problems.push('sender: its connection serves no other request')
    }
    return problems
  }
}
