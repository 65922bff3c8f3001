/** Askers and workers of the chaos: what each does, and what it has got. */

import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../model/random.js'
import { WAYS } from '../support/peer.js'
import { bodyOf, differsAt } from '../support/tape.js'
import { type Diary, type Door, Participant } from './participant.js'
import type { Until } from './watch.js'

const MOST = 300_000

/** The one right answer to a question. */
export function answerTo(question: Buffer): Buffer {
  const digest = createHash('sha256').update(question).digest()
  return Buffer.concat([
    Buffer.from(digest.toString('hex')),
    bodyOf(digest.readUInt32BE(), digest.readUInt32BE(4) % MOST),
  ])
}

const ASKER_TROUBLES = ['none', 'none', 'none', 'leave', 'leave in the question', 'trickle', 'freeze', 'break'] as const

export class ChaosAsker extends Participant {
  readonly trouble: (typeof ASKER_TROUBLES)[number]
  readonly question: Buffer
  wrongAt: number | undefined
  text = ''
  readonly #answer: Buffer
  #reads = 0

  constructor(
    index: number,
    seed: number,
    readonly path: string,
    readonly random: Random,
    diary: Diary,
    door: Door,
  ) {
    super(`asker ${index}`, diary, door)
    this.trouble = random.pick(ASKER_TROUBLES)!
    this.question = bodyOf(seed + index, random.below(random.pick([1, 100, MOST])!))
    this.#answer = answerTo(this.question)
  }

  /** It sends all of its question, and reads all that comes. */
  get isGood(): boolean {
    return this.trouble === 'none' || this.trouble === 'trickle' || this.trouble === 'freeze'
  }

  get lacks(): number {
    return this.#answer.length - this.reader.bodyBytes
  }

  /** Why there is no answer, as the gateway says it. */
  get code(): string | undefined {
    return this.reader.head?.headers.get('x-pipe-code')
  }

  async run(): Promise<void> {
    const { random, trouble, question } = this
    await this.come(random.pick([700, 16 * 1024, 64 * 1024])!)
    this.note(`${trouble}, ${question.length} bytes`)
    if (trouble === 'leave') void this.leaveLater(random.between(1, 400), random.pick(WAYS)!)
    const isChunked = trouble === 'break' || random.chance(50)
    const fields = isChunked ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${question.length}\r\n`
    await this.ask(`POST ${this.path}?ask&wait=4&within=3`, fields)
    const stopAt = trouble === 'leave in the question' ? random.below(question.length + 1) : question.length
    for (let at = 0; at < stopAt && !this.isOver; at += 40_000) {
      const piece = question.subarray(at, Math.min(stopAt, at + 40_000))
      if (isChunked) await this.peer!.send(`${piece.length.toString(16)}\r\n`)
      await this.peer!.send(piece)
      if (isChunked) await this.peer!.send('\r\n')
      if (trouble === 'trickle') await sleep(random.below(20))
    }
    if (trouble === 'leave in the question') this.leave(random.pick(WAYS)!, 'in the question')
    else if (trouble === 'break') await this.#send('nonsense\r\n\r\n')
    else if (isChunked) await this.#send('0\r\n\r\n')
    if (trouble !== 'freeze') return
    this.peer!.pause()
    void sleep(random.between(1, 400)).then(() => this.peer?.resume())
  }

  async #send(text: string): Promise<void> {
    if (!this.isOver) await this.peer!.send(text)
  }

  protected takeBody(bytes: Buffer, at: number): void {
    if (this.code !== undefined) this.text += bytes.toString('latin1')
    else this.wrongAt ??= differsAt(this.#answer, bytes, at)
    if (this.trouble !== 'trickle' || this.#reads++ > 30) return
    this.peer!.pause()
    void sleep(2).then(() => this.peer?.resume())
  }
}

/** One request of a worker: for a question, or with an answer. */
class Request extends Participant {
  readonly pieces: Buffer[] = []

  protected takeBody(bytes: Buffer): void {
    this.pieces.push(Buffer.from(bytes))
  }

  async start(line: string, fields = ''): Promise<void> {
    await this.come(64 * 1024)
    await this.ask(line, fields)
  }

  async sendBody(body: Buffer): Promise<void> {
    for (let at = 0; at < body.length && !this.isOver; at += 50_000)
      await this.peer!.send(body.subarray(at, at + 50_000))
  }
}

const WORKER_TROUBLES = [
  ...(['none', 'none', 'none', 'none'] as const),
  'leave at once',
  'leave in the question',
  'be silent',
  'stop reading',
  'die in the answer',
  'answer twice',
  'answer another',
] as const

/** Takes questions and answers them until it is told to stop, with a trouble here and there. */
export class ChaosWorker {
  /** What it was told that no rule explains. */
  readonly faults: string[] = []
  answered = 0
  #isOver = false

  constructor(
    readonly index: number,
    readonly path: string,
    readonly random: Random,
    readonly diary: Diary,
    readonly door: Door,
    /** It does what it should, always. */
    readonly isGood: boolean,
    /** Addresses at which answers were sent, of all workers. */
    readonly used: string[],
  ) {}

  stop(): void {
    this.#isOver = true
  }

  async run(until: Until): Promise<void> {
    while (!this.#isOver) {
      const trouble = this.isGood ? 'none' : this.random.pick(WORKER_TROUBLES)!
      const request = new Request(`worker ${this.index}`, this.diary, this.door)
      await request.start(`GET ${this.path}?serve&wait=1`)
      request.note(trouble)
      if (trouble === 'leave at once') setTimeout(() => request.leave('reset', trouble), this.random.below(50))
      await until(() => request.isOver || request.status === 200, `worker ${this.index} is never told anything`)
      if (trouble === 'stop reading') request.peer!.pause()
      else if (trouble === 'leave in the question') request.leave(this.random.pick(WAYS)!, trouble)
      else await until(() => request.isOver, `the question of worker ${this.index} never ends`)
      const address = request.reader.head?.headers.get('x-pipe-answer')
      if (trouble === 'stop reading') await sleep(this.random.below(1500))
      else if (trouble === 'be silent') await sleep(this.random.below(200))
      else if (request.isWhole && request.status === 200 && !request.hasLeft)
        await this.#answer(Buffer.concat(request.pieces), new URL(address!), trouble, until)
      request.close()
    }
  }

  async #answer(
    question: Buffer,
    { pathname, search }: URL,
    trouble: (typeof WORKER_TROUBLES)[number],
    until: Until,
  ): Promise<void> {
    const { random, used } = this
    const body = answerTo(question)
    const send = async (target: string, stopAt = body.length) => {
      const answer = new Request(`answer of worker ${this.index}`, this.diary, this.door)
      await answer.start(`PUT ${target}`, `Content-Length: ${body.length}\r\n`)
      await answer.sendBody(body.subarray(0, stopAt))
      if (stopAt < body.length) answer.leave('reset', `at ${stopAt} of ${body.length}`)
      else await until(() => answer.isOver, `the answer of worker ${this.index} never ends`)
      answer.close()
      return answer
    }
    const target = pathname + search
    if (trouble === 'answer another' && used.length > 0) {
      const other = await send(random.pick(used)!)
      if (other.status === 200) this.faults.push('an address was good twice')
    }
    const { isWhole, status } = await send(
      target,
      trouble === 'die in the answer' ? random.below(body.length) : undefined,
    )
    // A reset overtakes what has not been read: such an answer may never have begun, and its address is as good as before.
    if (trouble !== 'die in the answer') used.push(target)
    if (isWhole && status === 200) this.answered++
    if (trouble !== 'answer twice') return
    const again = await send(target)
    if (again.isWhole && again.status !== 410) this.faults.push(`a second answer was met with ${again.status}`)
  }
}
