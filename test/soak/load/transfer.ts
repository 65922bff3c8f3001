/** One transfer from its first request to its last byte, whatever becomes of it. */

import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EndReason } from '../../../core/index.js'
import { bodyOf, differsAt } from '../../support/tape.js'
import type { Outcome } from '../tally.js'
import type { Connection, Door } from './connection.js'
import type { Job } from './job.js'
import {
  isWholeStream,
  judgeTransfer,
  refusalOf,
  type SideFacts,
  type TransferFacts,
  toldComplete,
  toldReason,
} from './transfer-judge.js'
import { drawTransfer, type ReceiverPlan, type TransferPlan } from './transfer-plan.js'

/** When somebody has gone before the transfer began, the others go home after this. */
const HOPELESS_MS = 1500
const BOUNDARY = 'soak-boundary-7MA4YWxkTrZu0gW'
const FORM_HEAD = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="input_file"; filename="a.bin"\r\n\r\n`
const FORM_END = `\r\n--${BOUNDARY}--\r\n`

interface Side {
  connection: Connection | undefined
  /** Its connection could not be opened. */
  isLost: boolean
}

interface ReceiverSide extends Side {
  readonly plan: ReceiverPlan
  wrongAt: number | undefined
}

export function transfer(door: Door, visible: Set<string>) {
  return async (job: Job): Promise<Outcome> => {
    const plan = drawTransfer(job.random, job.id, door.tls)
    visible.add(plan.name)
    try {
      return await new Transfer(job, door, plan).run()
    } finally {
      visible.delete(plan.name)
    }
  }
}

/** @internal for the test of the verdicts: a transfer with a plan of its own */
export class Transfer {
  readonly #body: Buffer
  readonly #sender: Side = { connection: undefined, isLost: false }
  readonly #receivers: ReceiverSide[]
  #text = ''
  #hasSentAll = false
  #goneSince: number | undefined

  constructor(
    readonly job: Job,
    readonly door: Door,
    readonly plan: TransferPlan,
    /** Receivers may come through another door. */
    readonly receiverDoor = door,
  ) {
    this.#body = bodyOf(plan.seed, plan.bytes)
    this.#receivers = plan.receivers.map((each) => ({
      plan: each,
      connection: undefined,
      isLost: false,
      wrongAt: undefined,
    }))
  }

  async run(): Promise<Outcome> {
    const { plan, job } = this
    const send = () => this.#send()
    const receive = () => Promise.all(this.#receivers.map((each) => this.#receive(each)))
    const [first, second] = plan.senderFirst ? [send, receive] : [receive, send]
    const runs = [first()]
    await sleep(job.random.below(30))
    runs.push(second() as Promise<never>)
    let failure: unknown
    for (const run of runs) run.catch((error: unknown) => (failure ??= error))
    await job.until(() => {
      if (failure !== undefined) throw failure
      this.#goHomeIfHopeless()
      // It may never end after that.
      if (this.#receivers.some(({ wrongAt }) => wrongAt !== undefined)) return true
      return this.#sides.every(({ connection, isLost }) => isLost || connection?.isOver === true || connection?.hasLeft)
    })
    return this.#outcome()
  }

  get #sides(): readonly Side[] {
    return [this.#sender, ...this.#receivers]
  }

  async #send(): Promise<void> {
    const { plan, job } = this
    const connection = await job.connect(this.door)
    this.#sender.connection = connection
    this.#sender.isLost = connection === undefined
    if (connection === undefined) return
    const length = plan.framing === 'form' ? FORM_HEAD.length + plan.bytes + FORM_END.length : plan.bytes
    const fields =
      plan.framing === 'chunked'
        ? 'Transfer-Encoding: chunked\r\n'
        : `Content-Length: ${length}\r\n${plan.framing === 'form' ? `Content-Type: multipart/form-data; boundary=${BOUNDARY}\r\n` : ''}`
    const reply = plan.replyAtEnd ? '&reply=end' : ''
    const line = `${plan.framing === 'form' ? 'POST' : 'PUT'} /${plan.name}?n=${plan.receivers.length}&wait=40${reply}`
    const onBody = (bytes: Buffer) => (this.#text += bytes.toString('latin1'))
    await connection.request(line, fields, { onBody, untilEnd: plan.http10 })
    if (plan.framing === 'form') await connection.send(FORM_HEAD)
    if (!(await this.#sendBody(connection))) return
    this.#hasSentAll = true
    if (plan.framing === 'chunked') await connection.send('0\r\n\r\n')
    if (plan.framing === 'form') await connection.send(FORM_END)
  }

  /** Whether all of it has gone out. */
  async #sendBody(connection: Connection): Promise<boolean> {
    const { bytes, piece, leaves, pauseMs, framing } = this.plan
    const stop = leaves?.at ?? -1
    for (let at = 0; ; ) {
      if (at === stop && leaves !== undefined) connection.leave(leaves.way)
      if (connection.hasLeft) return false
      if (at >= bytes) return true
      if (connection.isOver) return false
      const end = Math.min(bytes, at + piece, stop > at ? stop : bytes)
      const part = this.#body.subarray(at, end)
      await connection.send(
        framing === 'chunked'
          ? Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')])
          : part,
      )
      at = end
      if (pauseMs > 0 && at < bytes) await sleep(pauseMs)
    }
  }

  async #receive(side: ReceiverSide): Promise<void> {
    const { plan } = side
    const connection = await this.job.connect(this.receiverDoor, { readBytes: plan.readBytes })
    side.connection = connection
    side.isLost = connection === undefined
    if (connection === undefined) return
    let hasPaused = false
    const look = (end: number) => {
      if (plan.leaves !== undefined && end >= plan.leaves.at && !connection.hasLeft) connection.leave(plan.leaves.way)
      if (plan.pause === undefined || hasPaused || end < plan.pause.at) return
      hasPaused = true
      connection.pause()
      void sleep(plan.pause.ms).then(() => connection.resume())
    }
    const onBody = (bytes: Buffer, offset: number) => {
      if (connection.status !== 200 && connection.status !== 206) return
      side.wrongAt ??= differsAt(this.#body, bytes, plan.rangeFrom + offset)
      look(offset + bytes.length)
    }
    const range = plan.rangeFrom > 0 ? `Range: bytes=${plan.rangeFrom}-\r\n` : ''
    await connection.request(`GET /${this.plan.name}?n=${this.plan.receivers.length}&wait=40`, range, {
      onBody,
      untilEnd: plan.http10,
    })
    if (plan.leaves?.at === 0) connection.leave(plan.leaves.way)
  }

  /** The transfer has begun, so that it has to end by itself. */
  get #hasBegun(): boolean {
    return this.#text.includes('Streaming') || this.#receivers.some(({ connection }) => isStream(connection))
  }

  #goHomeIfHopeless(): void {
    const isGone = ({ connection, isLost }: Side) =>
      isLost || connection?.isOver === true || connection?.hasLeft === true
    if (this.#hasBegun || !this.#sides.some(isGone)) {
      this.#goneSince = undefined
      return
    }
    this.#goneSince ??= performance.now()
    if (performance.now() - this.#goneSince < HOPELESS_MS) return
    for (const { connection } of this.#sides) if (connection?.isOver === false) connection.leave('destroy')
  }

  async #outcome(): Promise<Outcome> {
    const { facts, plan } = this
    const { tally } = this.job
    const what = `${JSON.stringify(plan)} ${this.story}`
    for (const { rule, text } of judgeTransfer(facts)) tally.problem(rule, `${text}; ${what}`)
    const bytes = this.#receivers.reduce((sum, { connection }) => sum + (connection?.reader.bodyBytes ?? 0), 0)
    if (toldComplete(facts.sender)) tally.toldComplete++
    else if (facts.sender.hasLeft || this.#hasSentAll) tally.unheard++
    const refusal = this.#sides.some(({ isLost }) => isLost) ? 'turned away' : refusalOf(facts)
    if (refusal !== undefined) return this.#refused(refusal, what)
    const stayed = facts.receivers.filter(({ hasLeft }) => !hasLeft)
    if (stayed.length > 0 && stayed.every(isWholeStream)) return { result: 'verified', bytes }
    const why = toldReason(facts) ?? (this.#hasBegun ? await this.#askWhy() : 'abandoned')
    if (!this.#isExplained(why)) this.job.explain(why, what)
    return { result: 'cut', why: why === 'complete' ? 'receivers left behind the end' : why, bytes }
  }

  #refused(refusal: string, what: string): Outcome {
    const reused = this.#sides.some(({ connection }) => connection?.isUnanswered && connection.asked > 1)
    return this.job.refused(refusal === 'turned away' && reused ? 'closed while kept' : refusal, what)
  }

  /** What somebody who watches is told, when the sides have seen only that they were cut. */
  async #askWhy(): Promise<string> {
    for (let i = 0; i < 100; i++) {
      const answer = await this.job.ask(this.door, `GET /${this.plan.name}?status`)
      if (answer === undefined) return 'nobody could be asked'
      if (answer.connection.status !== 200) return 'nobody could be asked'
      const { state, reason, last } = JSON.parse(answer.text)
      if (state === 'complete') return 'complete'
      if (state === 'failed') return reason
      if (state === 'idle') return last?.reason ?? 'abandoned'
      await sleep(100)
    }
    return 'it goes on without anybody'
  }

  /** Whether what the sides have done themselves explains this end. */
  #isExplained(reason: EndReason | string): boolean {
    const { sender, receivers } = this.facts
    const allowed: Record<string, boolean> = {
      // A receiver that left may have been the last that was missing.
      complete: this.#hasSentAll || toldComplete(sender),
      sender_left: sender.hasLeft,
      receivers_left: receivers.every(({ hasLeft }) => hasLeft),
      abandoned: sender.hasLeft || receivers.some(({ hasLeft }) => hasLeft),
      no_receivers: receivers.some(({ hasLeft }) => hasLeft),
      no_sender: sender.hasLeft,
      'nobody could be asked': true,
      // The form ends with the sender's connection.
      broken_form: sender.hasLeft,
      empty_form: sender.hasLeft,
      wrong_length: sender.hasLeft,
      broken_body: sender.hasLeft,
    }
    return allowed[reason] === true
  }

  get facts(): TransferFacts {
    const { plan } = this
    return {
      sender: { ...factsOf(this.#sender.connection), hasSentAll: this.#hasSentAll, text: this.#text },
      receivers: this.#receivers.map(({ connection, plan: own, wrongAt }) => ({
        ...factsOf(connection),
        bodyBytes: connection?.reader.bodyBytes ?? 0,
        expectedBytes: plan.bytes - own.rangeFrom,
        expectedStatus: own.rangeFrom > 0 ? 206 : 200,
        wrongAt,
      })),
    }
  }

  get story(): string {
    const stories = this.#sides.map(({ connection }) => connection?.story ?? 'turned away')
    return `sender ${stories[0]} ${JSON.stringify(this.#text.slice(-200))}; receivers ${stories.slice(1).join(' | ')}`
  }
}

function isStream(connection: Connection | undefined): boolean {
  return connection?.status === 200 || connection?.status === 206
}

function factsOf(connection: Connection | undefined): SideFacts {
  return {
    hasLeft: connection?.hasLeft ?? false,
    isWhole: connection?.reader.complete ?? false,
    status: connection?.status ?? 0,
    code: connection?.field('x-pipe-code'),
    isUnanswered: connection?.isUnanswered ?? true,
    problem: connection?.reader.problem,
  }
}
