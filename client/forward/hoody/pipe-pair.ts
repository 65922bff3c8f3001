import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { beside, type NamedPlace } from '../../place.js'
import { lost } from '../../wire/exchange.js'
import { ConnectionLost, RequestRefused } from '../../wire/failures.js'
import { closing, SocketBroken, type Traffic } from '../carry.js'
import { endOnlyAtAnEnd } from '../honest-end.js'
import { reset } from '../reset.js'
import { otherOf, type Role } from '../role.js'
import { type Counterpart, NobodyCame } from './counterpart.js'
import { type Coming, come, type Leaving, leave } from './segment.js'

/** No pipe of ours is silent for twice as long: proxies cut what is silent for a minute. */
const LOOK_MS = 25_000
/** Who has said nothing yet may take the end of a pipe for that of the direction: it is risked before the server's five minutes are over. */
const UNKNOWN_LOOKS = 9
/** So long the next pipe of the other side may take, in milliseconds: it opens one with its first byte, or after four minutes. */
const NEXT_MS = 300_000

/** One connection over two pipes, one for each direction, as Hoody's `forwardTcp` has it without WebSockets. */
export class PipePair implements Counterpart {
  readonly name = 'hoody-pipes'
  readonly placed: Promise<void>
  readonly there: Promise<void>
  readonly over = Promise.resolve()
  readonly #stop = new AbortController()
  readonly #broken: Promise<never>
  #break!: (error: Error) => void
  #isThere = false
  /** Whether the other side's ends are those of pipes only; undefined as long as none of its pipes has come. */
  #knowsSegments: boolean | undefined
  readonly #leaving: Promise<Leaving>
  readonly #coming: Promise<Coming>
  readonly #out: NamedPlace
  readonly #in: NamedPlace

  constructor(
    place: NamedPlace,
    role: Role,
    readonly waitS: number,
    /** How often a pipe of ours is looked at, in milliseconds: one that was silent since the last time is followed by the next. */
    readonly lookMs = LOOK_MS,
  ) {
    this.#out = beside(place, `to-${otherOf(role)}`)
    this.#in = beside(place, `to-${role}`)
    this.#leaving = this.#leave(false)
    this.#coming = this.#come()
    // Either of them: a direction in which nothing is said has no pipe yet.
    this.there = Promise.race([this.#leaving, this.#coming]).then(() => {})
    this.placed = this.there
    this.#broken = new Promise((_, reject) => {
      this.#break = reject
    })
    for (const each of [this.there, this.#leaving, this.#coming, this.#broken]) each.catch(() => {})
  }

  async carry(socket: Socket, traffic: Traffic, stopped: Promise<never>): Promise<void> {
    endOnlyAtAnEnd(socket)
    const closed = closing(socket)
    try {
      const both = [this.#outward(socket, traffic), this.#inward(socket, traffic)]
      await Promise.race([Promise.all([...both, closed]), this.#broken, stopped])
    } catch (error) {
      reset(socket)
      throw error
    } finally {
      // Also a last pipe that the other side does not know of.
      this.#stop.abort(new ConnectionLost('it is over'))
    }
  }

  cut(why: Error): void {
    this.#stop.abort(why)
  }

  /** A pipe that somebody receives. @throws NobodyCame, RequestRefused, ConnectionLost */
  async #leave(isLast: boolean, isWanted = () => true): Promise<Leaving> {
    return this.#inTurns(async () => {
      const pipe = leave(this.#out, isLast, this.waitS, this.#stop.signal)
      await pipe.taken
      return pipe
    }, isWanted)
  }

  async #come(): Promise<Coming> {
    const coming = await this.#inTurns(() => come(this.#in, this.waitS, this.#stop.signal))
    this.#knowsSegments = coming.marker.hasNext
    return coming
  }

  async #inTurns<T>(open: () => Promise<T>, isWanted = () => true): Promise<T> {
    const until = performance.now() + NEXT_MS
    for (;;) {
      try {
        const opened = await open()
        this.#isThere = true
        return opened
      } catch (error) {
        if (this.#stop.signal.aborted) throw this.#stop.signal.reason
        if (!(error instanceof RequestRefused) || error.status !== 408) throw error
        if (!this.#isThere || !isWanted() || performance.now() > until)
          throw new NobodyCame('the other side is not there')
      }
    }
  }

  async #outward(socket: Socket, traffic: Traffic): Promise<void> {
    const reads = socket.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    let read = reads.next()
    let quietLooks = 0
    let onSilence: (nothing: undefined) => void = () => {}
    const looking = setInterval(() => {
      quietLooks++
      if (quietLooks > (this.#knowsSegments === undefined ? UNKNOWN_LOOKS : 1) && this.#knowsSegments !== false) {
        quietLooks = 0
        onSilence(undefined)
      }
    }, this.lookMs)
    this.#stop.signal.addEventListener('abort', () => clearInterval(looking), { once: true })
    const next = () => Promise.race([read, new Promise<undefined>((resolve) => (onSilence = resolve))])
    let { request, complete } = await this.#leaving
    for (;;) {
      this.#watch(request, complete)
      let chunk = await next()
      for (; chunk?.done === false; chunk = await next()) {
        quietLooks = 0
        traffic.sent += chunk.value.length
        await written(request, chunk.value)
        read = reads.next()
      }
      // A write that finds the connection reset takes the error, and a read that comes before its callback gets an end.
      await turn()
      if (socket.errored) throw new SocketBroken('its program has broken it')
      request.end()
      await complete
      if (chunk !== undefined) return this.#sayEnd()
      ;({ request, complete } = await this.#leave(false))
    }
  }

  /** It is broken, or over before we have ended it. */
  #watch(request: Leaving['request'], complete: Promise<void>): void {
    complete.then(() => {
      if (!request.writableEnded) this.#break(new ConnectionLost('the server has ended it'))
    }, this.#break)
  }

  /** For who would wait for another pipe: an empty one. */
  async #sayEnd(): Promise<void> {
    const isWanted = () => this.#knowsSegments !== false
    if (!isWanted()) return
    const dropped = this.#coming.then(({ marker }) => (marker.hasNext ? new Promise<never>(() => {}) : undefined))
    const last = this.#leave(true, isWanted)
    const leaving = await Promise.race([last, dropped])
    if (leaving === undefined) {
      // Nobody takes it: it goes with the rest.
      last.catch(() => {})
      return
    }
    leaving.request.end()
    await leaving.complete
  }

  async #inward(socket: Socket, traffic: Traffic): Promise<void> {
    let coming = await this.#coming
    for (;;) {
      try {
        for await (const chunk of coming.stream as AsyncIterable<Buffer>) {
          traffic.received += chunk.length
          await written(socket, chunk)
        }
      } catch (error) {
        throw lost(error as Error)
      }
      if (!coming.marker.hasNext || coming.marker.isLast) break
      coming = await this.#come()
    }
    socket.end()
  }
}

function written(to: NodeJS.WritableStream, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => to.write(bytes, (error) => (error ? reject(lost(error)) : resolve())))
}
