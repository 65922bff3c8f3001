/** Very many short transfers of every kind, and of every way to end. */
import assert from 'node:assert/strict'
import { Caller, type Told } from './caller.js'

/** So many run at a time. */
const AT_ONCE = 8
/** For one of them. */
const MOST_MS = 30_000

/** Who runs some of them: its connections can be used again. */
export class Worker {
  readonly #kept: Caller[] = []

  constructor(readonly port: number) {}

  /** Its i-th connection, which is kept. */
  async line(i: number): Promise<Caller> {
    if (this.#kept[i]?.isOpen !== true) this.#kept[i] = await Caller.open(this.port)
    return this.#kept[i]!
  }

  lines(count: number): Promise<Caller[]> {
    return Promise.all(Array.from({ length: count }, (_, i) => this.line(i)))
  }

  fresh(): Promise<Caller> {
    return Caller.open(this.port)
  }

  close(): void {
    for (const caller of this.#kept) caller.leave()
  }
}

/** @param name that nobody else has */
export type Transfer = (worker: Worker, name: string) => Promise<void>

function isDone({ isWhole, text }: Told): void {
  assert.ok(isWhole && text.endsWith('Transfer complete.\n'), text)
}

async function delivered(sender: Caller, receivers: readonly Caller[], target: string): Promise<void> {
  const received = receivers.map((each) => each.ask(`GET ${target}`))
  isDone(await sender.ask(`PUT ${target}`, { body: 'hello' }))
  for (const each of await Promise.all(received)) assert.equal(each.text, 'hello')
}

/** A sender that has sent a part of what it announced, and a receiver that has got it. */
async function inTheMiddle(worker: Worker, name: string): Promise<{ sender: Caller; receiver: Caller }> {
  const [sender, receiver] = [await worker.fresh(), await worker.fresh()]
  void receiver.ask(`GET /${name}`)
  void sender.ask(`PUT /${name}`, { fields: 'Content-Length: 1000\r\n' })
  sender.send('hello')
  await receiver.until(({ text }) => text === 'hello')
  return { sender, receiver }
}

/** What the name says is how one of them goes. */
export const TRANSFERS: Readonly<Record<string, Transfer>> = {
  'on kept connections': async (worker, name) => {
    const [sender, receiver] = await worker.lines(2)
    await delivered(sender!, [receiver!], `/${name}`)
  },
  'on new connections': async (worker, name) => {
    const [sender, receiver] = [await worker.fresh(), await worker.fresh()]
    await delivered(sender, [receiver], `/${name}`)
    for (const each of [sender, receiver]) each.leave()
  },
  'to several receivers': async (worker, name) => {
    // Twenty are a crowd.
    const n = name.endsWith('0') ? 20 : 3
    const [sender, ...receivers] = await worker.lines(n + 1)
    await delivered(sender!, receivers, `/${name}?n=${n}`)
  },
  'of a form': async (worker, name) => {
    const [sender, receiver] = await worker.lines(2)
    const received = receiver!.ask(`GET /${name}`)
    const body = '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nhello\r\n--b--\r\n'
    isDone(await sender!.ask(`POST /${name}`, { body, fields: 'Content-Type: multipart/form-data; boundary=b\r\n' }))
    assert.equal((await received).text, 'hello')
  },
  'that is watched': async (worker, name) => {
    const watcher = await worker.fresh()
    void watcher.ask(`GET /${name}?progress`, { fields: 'Accept: text/event-stream\r\n' })
    await watcher.begun()
    const [sender, receiver] = await worker.lines(2)
    await delivered(sender!, [receiver!], `/${name}`)
    watcher.leave()
  },
  'of a queue': async (worker, name) => {
    const [sender, receiver] = await worker.lines(2)
    await delivered(sender!, [receiver!], `/${name}?queue`)
  },
  'of a topic': async (worker, name) => {
    const [subscriber, publisher] = [await worker.fresh(), await worker.line(0)]
    void subscriber.ask(`GET /${name}?topic`)
    const told = await publisher.ask(`POST /${name}?topic&min=1`, { body: 'hello' })
    assert.equal(told.text, '[INFO] Delivered to 1 subscriber(s).\n')
    await subscriber.until(({ text }) => text === 'hello\n')
    subscriber.leave()
  },
  'of lines for a topic': async (worker, name) => {
    const [subscriber, publisher] = [await worker.fresh(), await worker.line(0)]
    void subscriber.ask(`GET /${name}?topic`)
    await subscriber.begun()
    const told = await publisher.ask(`POST /${name}?topic&lines`, { body: 'a\nb\n' })
    assert.match(told.text, /Delivered 2 message/)
    await subscriber.until(({ text }) => text === 'a\nb\n')
    subscriber.leave('reset')
  },
  'of a question and its answer': async (worker, name) => {
    const [asker, server, answerer] = await worker.lines(3)
    const answer = asker!.ask(`POST /${name}?ask`, { body: 'question' })
    const question = await server!.ask(`GET /${name}?serve`)
    assert.equal(question.text, 'question')
    const { pathname, search } = new URL(question.field('x-pipe-answer'))
    isDone(await answerer!.ask(`PUT ${pathname}${search}`, { body: 'answer' }))
    assert.equal((await answer).text, 'answer')
  },
  'that is live': async (worker, name) => {
    const [sender, viewer] = await worker.lines(2)
    const seen = viewer!.ask(`GET /${name}?live`)
    const { text } = await sender!.ask(`PUT /${name}?live&min=1`, { body: 'hello' })
    assert.match(text, /Live stream ended/)
    assert.equal((await seen).text, 'hello')
  },
  'that is refused': async (worker, name) => {
    const [one, two] = await worker.lines(2)
    const three = await worker.fresh()
    const received = one!.ask(`GET /${name}`)
    // It has its place.
    while (!(await two!.ask(`GET /${name}?status`)).text.includes('"activeReceivers":1'));
    assert.equal((await two!.ask(`GET /${name}?n=2`)).status, 400)
    assert.equal((await three.ask(`PUT /${name}?n=0`, { body: 'hello' })).status, 400)
    isDone(await two!.ask(`PUT /${name}`, { body: 'hello' }))
    await received
    three.leave()
  },
  'whose sides leave while they wait': async (worker, name) => {
    const [sender, receiver] = [await worker.fresh(), await worker.fresh()]
    void receiver.ask(`GET /${name}?n=2`)
    void sender.ask(`PUT /${name}?n=2`, { body: 'hello' })
    await sender.until(({ text }) => text.includes('Waiting for'))
    receiver.leave()
    sender.leave('reset')
  },
  'whose sender leaves': async (worker, name) => {
    const { sender, receiver } = await inTheMiddle(worker, name)
    sender.leave('reset')
    assert.ok(!(await receiver.until(({ isWhole }) => isWhole)).isWhole)
  },
  'whose receiver leaves': async (worker, name) => {
    const { sender, receiver } = await inTheMiddle(worker, name)
    receiver.leave('reset')
    const { text, isWhole } = await sender.until(() => false)
    assert.ok(!isWhole && text.includes('[ERROR] All receivers'), text)
  },
}

/** Rejects when it takes too long. */
async function within(transfer: Promise<void>, name: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} is not over after ${MOST_MS} ms`)), MOST_MS)
  })
  await Promise.race([transfer, late]).finally(() => clearTimeout(timer))
}

/** Runs so many of them. Resolves when all are over, and their connections closed. */
export async function runMany(port: number, transfer: Transfer, count: number, name: string): Promise<void> {
  let next = 0
  const work = async () => {
    const worker = new Worker(port)
    while (next < count) await within(transfer(worker, `${name}-${next}`), `${name}-${next++}`)
    worker.close()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}
