/**
 * Duplex pipes whose peers are cut at random moments: over HTTP, as WebSockets, and one of each. Whatever happens, what a peer has heard is
 * the beginning of what the other one said; if it looks complete it is all of it; and nothing is left behind.
 *
 * `PIPEGATE_SEED=<seed> node dist/test/chaos/duplex.test.js` begins with that seed; `PIPEGATE_CHAOS_SECONDS` says for how long.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import WebSocket from 'ws'
import { Random } from '../model/random.js'
import { type Running, startGateway } from '../support/gateway.js'
import { connectPeer, type Peer, WAYS } from '../support/peer.js'
import { ResponseReader } from '../support/response-reader.js'
import { bodyOf, differsAt } from '../support/tape.js'
import { amount } from '../support/thorough.js'
import { keepsNothing, openSockets, untilOr } from './watch.js'

const SECONDS = Number(process.env.PIPEGATE_CHAOS_SECONDS ?? amount(4, 60))
const FIRST = Number(process.env.PIPEGATE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 4
const LONGEST_MS = 30_000
const MOST = 3_000_000
const TROUBLES = ['none', 'none', 'none', 'leave', 'leave later', 'freeze', 'break'] as const

/** One peer: what it says, what it hears, and how that ended. */
abstract class Talker {
  hasLeft = false
  /** All that it has to say has been given to its connection, with an end. */
  hasSaidAll = false
  wrongAt: number | undefined
  heardBytes = 0
  readonly words: Buffer
  readonly trouble: (typeof TROUBLES)[number]

  constructor(
    readonly who: string,
    readonly random: Random,
    seed: number,
    isCalm: boolean,
    readonly path: string,
    readonly port: number,
  ) {
    this.words = bodyOf(seed, random.below(random.pick([2, 1000, MOST])!))
    this.trouble = isCalm ? 'none' : random.pick(TROUBLES)!
  }

  /** With its end both directions are over. */
  endsBoth = false
  /** What the other one says. */
  expected!: Buffer

  abstract readonly isOver: boolean
  /** What it has heard came to an end in order. */
  abstract readonly heardEnd: boolean

  abstract come(): Promise<void>
  abstract say(piece: Buffer): Promise<unknown>
  protected abstract endNow(): void
  abstract leave(): void
  /** It is done. */
  abstract close(): void
  abstract breakOff(): void
  abstract freeze(ms: number): void

  async run(): Promise<void> {
    const { random, trouble, words } = this
    await this.come()
    if (trouble === 'leave later') void sleep(random.below(120)).then(() => this.leave())
    const stopAt = trouble === 'leave' || trouble === 'break' ? random.below(words.length + 1) : words.length
    const most = random.pick([500, 20_000, 200_000])!
    const piece = Math.max(most, words.length >> 8)
    for (let at = 0; at < stopAt && !this.isOver && !this.hasLeft; at += piece) {
      if (trouble === 'freeze' && random.chance(10)) this.freeze(random.below(200))
      await this.say(words.subarray(at, Math.min(stopAt, at + piece)))
    }
    if (this.hasLeft || this.isOver) return
    if (trouble === 'leave') this.leave()
    else if (trouble === 'break') this.breakOff()
    else {
      this.hasSaidAll = true
      this.end()
    }
  }

  /** A WebSocket cannot end one direction alone: where there is one, each ends when it has heard all. */
  end(): void {
    if (this.isOver || this.hasLeft) return
    if (!this.endsBoth || this.heardBytes >= this.expected.length) this.endNow()
    else setTimeout(() => this.end(), 5)
  }

  protected heard(bytes: Buffer): void {
    this.wrongAt ??= differsAt(this.expected, bytes, this.heardBytes)
    this.heardBytes += bytes.length
  }
}

class HttpTalker extends Talker {
  #peer: Peer | undefined
  readonly reader: ResponseReader = new ResponseReader((bytes) => {
    if (this.reader.head?.status === 200) this.heard(bytes)
  })

  get isOver(): boolean {
    return this.#peer?.isClosed === true || (this.reader.complete && this.hasSaidAll)
  }

  get heardEnd(): boolean {
    return this.reader.complete && this.reader.head?.status === 200
  }

  async come(): Promise<void> {
    this.#peer = await connectPeer({ port: this.port, onBytes: (bytes) => this.reader.push(bytes) })
    await this.#peer.send(`PUT ${this.path}?duplex&wait=5 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
  }

  async say(piece: Buffer): Promise<void> {
    await this.#peer!.send(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]))
  }

  protected endNow(): void {
    void this.#peer!.send('0\r\n\r\n')
  }

  leave(): void {
    this.hasLeft = true
    this.#peer!.leave(this.hasSaidAll ? 'destroy' : this.random.pick(WAYS)!)
  }

  close(): void {
    this.#peer?.leave('destroy')
  }

  breakOff(): void {
    void this.#peer!.send('no size\r\n')
  }

  freeze(ms: number): void {
    this.#peer!.pause()
    void sleep(ms).then(() => this.#peer!.resume())
  }
}

class SocketTalker extends Talker {
  #ws: WebSocket | undefined
  #code: number | undefined

  get isOver(): boolean {
    return this.#code !== undefined
  }

  get heardEnd(): boolean {
    return this.#code === 1000
  }

  async come(): Promise<void> {
    const ws = new WebSocket(`ws://127.0.0.1:${this.port}${this.path}?ws&wait=5`, { perMessageDeflate: false })
    this.#ws = ws
    ws.on('error', () => {})
    ws.on('message', (bytes: Buffer) => this.heard(bytes))
    ws.on('close', (code) => {
      this.#code = code
    })
    await once(ws, 'open').catch(() => {})
  }

  say(piece: Buffer): Promise<unknown> {
    return new Promise((resolve) => this.#ws!.send(piece, resolve))
  }

  protected endNow(): void {
    this.#ws!.close(1000)
  }

  leave(): void {
    this.hasLeft = true
    this.#ws!.terminate()
  }

  close(): void {
    this.#ws?.terminate()
  }

  breakOff(): void {
    this.#socket.write(Buffer.of(0x83, 0x80, 0, 0, 0, 0))
  }

  freeze(ms: number): void {
    this.#socket.pause()
    void sleep(ms).then(() => this.#socket.resume())
  }

  get #socket(): Socket {
    return (this.#ws as unknown as { readonly _socket: Socket })._socket
  }
}

interface Report {
  readonly problems: string[]
  readonly ends: readonly string[]
}

async function runPair(seed: number, { port }: Running): Promise<Report> {
  const random = new Random(seed)
  const problems: string[] = []
  const until = untilOr(problems, LONGEST_MS)
  const isCalm = random.chance(30)
  const kinds = random.pick(['http', 'sockets', 'both'])!
  const talkers = [0, 1].map((i) => {
    const isSocket = kinds === 'sockets' || (kinds === 'both' && i === 1)
    const Kind = isSocket ? SocketTalker : HttpTalker
    return new Kind(`${Kind.name} ${i}`, random, seed * 2 + i, isCalm, `/duplex-${seed}`, port)
  })
  const [one, another] = talkers as Talker[] as [Talker, Talker]
  one.endsBoth = another.endsBoth = kinds !== 'http'
  one.expected = another.words
  another.expected = one.words
  await Promise.all(talkers.map((each) => each.run()))
  await Promise.all(talkers.map((each) => until(() => each.isOver || each.hasLeft, `${each.who} is never done`)))
  for (const [talker, other] of [talkers, [another, one]] as const) {
    const { who, wrongAt, heardBytes, heardEnd, expected, hasLeft, hasSaidAll, endsBoth } = talker!
    if (wrongAt !== undefined) problems.push(`${who}: wrong byte at ${wrongAt}`)
    if (heardEnd && !hasLeft && heardBytes !== expected.length)
      problems.push(`${who}: looks complete with ${heardBytes} of ${expected.length} bytes`)
    if (heardEnd && !hasLeft && !other!.hasSaidAll && !(endsBoth && hasSaidAll))
      problems.push(`${who}: an end that nobody has said`)
    if (isCalm && !heardEnd)
      problems.push(`${who}: all was well, and it was cut at ${heardBytes} of ${expected.length}`)
  }
  const ends = talkers.map((each) => (each.hasLeft ? 'left' : each.heardEnd ? 'whole' : 'cut'))
  for (const each of talkers) each.close()
  return { problems, ends }
}

t.setTimeout((SECONDS + 100) * 1000)
t.test('peers come and go', { timeout: (SECONDS + 80) * 1000 }, async (t) => {
  const running = await startGateway(t, { window: '256KiB' })
  const sockets = openSockets()
  const ends: Record<string, number> = {}
  let [next, failures] = [FIRST, 0]
  const until = performance.now() + SECONDS * 1000
  const work = async () => {
    while (performance.now() < until && failures < 5) {
      const seed = next++
      const report = await runPair(seed, running)
      for (const end of report.ends) ends[end] = (ends[end] ?? 0) + 1
      if (report.problems.length === 0) continue
      failures++
      t.fail(`seed ${seed}: ${report.problems.join('; ')}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  t.comment(`seeds ${FIRST} to ${next - 1}: ${JSON.stringify(ends)}`)
  t.equal(failures, 0, 'nobody heard anything that was not said')
  t.ok((ends.whole ?? 0) > 0 && (ends.cut ?? 0) > 0, 'some heard all, and some were cut')
  await t.resolves(keepsNothing(running, sockets))
})
