/** pipegate over HTTP: `?topic`, `?queue`, and `?ask` with `?serve`, one request at a time on each kept connection. */

import { ResponseReader } from '../response.js'
import { Talker } from '../talker.js'
import { type Crew, type CrewOptions, openMany, type TakeMessage } from './crew.js'
import { lines } from './pieces.js'
import { Wire } from './wire.js'

const NAME = '/perf'

const get = (query: string) => `GET ${NAME}?${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`

function post(query: string, body: Buffer): Buffer {
  const head = `POST ${NAME}?${query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

export async function openPipegate(options: CrewOptions): Promise<Crew> {
  const open: (options: CrewOptions, take: TakeMessage) => Promise<Wire | Asker> = {
    topic: subscribe,
    queue: work,
    ask: serve,
  }[options.kind]
  const receivers = await openMany(options.receivers, (i) => open(options, options.taker(i)))
  const senders = await openMany(options.senders, async (i) => new Asker(options, 'sender', options.taker(i)))
  return {
    send: (sender, message) => senders[sender]!.send(message),
    close() {
      for (const each of [...senders, ...receivers]) each.close()
    },
  }
}

/** Asks on one connection, and has the whole body of each answer. */
class Asker {
  readonly #options: CrewOptions
  readonly #take: TakeMessage
  readonly #talker: Talker
  readonly #waiting: Buffer[] = []
  #body: Buffer[] = []
  #busy = false
  #closed = false

  /** `take` gets the answers to questions that are sent. */
  constructor(options: CrewOptions, side: 'sender' | 'receiver', take: TakeMessage) {
    this.#options = options
    this.#take = take
    const copy = (bytes: Buffer, from: number, to: number) =>
      void this.#body.push(Buffer.from(bytes.subarray(from, to)))
    this.#talker = new Talker(options.target, side, false, copy)
  }

  /** The head of the last answer. */
  get head(): string {
    return this.#talker.head
  }

  /** Resolves with the body of the answer; never when it has been closed. */
  async ask(request: Buffer | string): Promise<Buffer> {
    this.#body = []
    try {
      await this.#talker.ask(request)
    } catch (error) {
      if (this.#closed) return new Promise(() => {})
      throw error
    }
    return this.#body.length === 1 ? this.#body[0]! : Buffer.concat(this.#body)
  }

  /** Sends a message as soon as those before it have been answered. */
  send(message: Buffer): void {
    this.#waiting.push(message)
    if (!this.#busy) this.#sendAll().catch(this.#options.failed)
  }

  close(): void {
    this.#closed = true
    this.#talker.close()
  }

  async #sendAll(): Promise<void> {
    const { kind, receivers } = this.#options
    this.#busy = true
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      const answer = await this.ask(post(kind, message))
      if (kind === 'ask') this.#take(answer, 0, answer.length)
      else if (kind === 'topic' && answer.toString() !== `[INFO] Delivered to ${receivers} subscriber(s).\n`)
        throw new Error(`a publisher was told ${answer}`)
    }
    this.#busy = false
  }
}

/** A line for each message, as long as the connection lasts. */
async function subscribe(options: CrewOptions, take: TakeMessage): Promise<Wire> {
  const messages = lines(take)
  const reader = new ResponseReader((bytes, from, to) => messages.push(bytes, from, to))
  const wire = new Wire(options, 'receiver', (bytes, _from, end) => {
    reader.push(bytes, end)
    if (reader.status === 200) wire.welcome()
    else if (reader.status !== 0) throw new Error(`a subscriber was told ${reader.head}`)
    return end
  })
  wire.write(get('topic'))
  await wire.ready
  return wire
}

/** Takes one body after the other. */
async function work(options: CrewOptions, take: TakeMessage): Promise<Asker> {
  const worker = new Asker(options, 'receiver', take)
  const run = async () => {
    for (;;) {
      const job = await worker.ask(get('queue'))
      take(job, 0, job.length)
    }
  }
  run().catch(options.failed)
  return worker
}

/** Sends each question back, and takes the next one with the same request. */
async function serve(options: CrewOptions, take: TakeMessage): Promise<Asker> {
  const worker = new Asker(options, 'receiver', take)
  const run = async () => {
    let question = await worker.ask(get('serve'))
    for (;;) {
      const id = /\r\nx-pipe-answer: *[^\r]*[?&]answer=([^&\r]+)/i.exec(worker.head)?.[1]
      if (id === undefined) throw new Error(`a question has no address for its answer: ${worker.head}`)
      question = await worker.ask(post(`serve&answer=${id}`, question))
    }
  }
  run().catch(options.failed)
  return worker
}
