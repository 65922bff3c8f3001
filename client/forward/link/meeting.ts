import { randomBytes } from 'node:crypto'
import type { ClientRequest } from 'node:http'
import { beside, type NamedPlace } from '../../place.js'
import { ConnectionLost } from '../../wire/failures.js'
import { lineSplitter } from '../../wire/status-lines.js'
import { otherOf, type Role } from '../role.js'
import { get, handedOn, put, streamOf } from '../ways/pipes.js'
import { Line } from './line.js'
import { readMessage, writeMessage } from './message.js'
import { NotPossible } from './not-possible.js'
import type { Persistence } from './persistence.js'

/** What the two sides speak. One that is told another number refuses. */
const VERSION = 1
/** What one request waits, in seconds. No byte goes to and fro meanwhile, and proxies cut what is silent for a minute. */
const TURN_S = 40
/** Who has heard the other side is heard within this time, in milliseconds, or somebody who is gone has one of the places. */
const HEARD_MS = 10_000

export interface MeetingOptions {
  readonly place: NamedPlace
  readonly role: Role
  /** Gives up before they have met. */
  readonly signal: AbortSignal
  readonly persistence: Persistence
}

/**
 * Takes the two places of a role, one pipe in each direction, until the other side has taken its own: then each has heard the
 * other, and knows that it was heard. Nobody else can take them meanwhile, so there is one of each role on a name.
 */
export class Meeting {
  readonly #session = randomBytes(16).toString('base64url')
  readonly #stop = new AbortController()
  /** The other side's session. */
  #peer: string | undefined
  #out: ClientRequest | undefined
  #line: Line | undefined
  #met!: (line: Line) => void

  constructor(readonly options: MeetingOptions) {}

  /** @throws RequestRefused, ConnectionLost, NotPossible */
  async run(): Promise<Line> {
    const met = new Promise<Line>((resolve) => {
      this.#met = resolve
    })
    const { signal } = this.options
    const stop = () => this.#stop.abort(signal.reason)
    signal.throwIfAborted()
    signal.addEventListener('abort', stop, { once: true })
    const loops = [this.#speak(), this.#hear()]
    try {
      return await Promise.race([met, ...loops.map((loop) => loop.then(() => met))])
    } catch (error) {
      stop()
      await Promise.allSettled(loops)
      throw error
    } finally {
      // What has been met is ended by the line.
      signal.removeEventListener('abort', stop)
    }
  }

  async #speak(): Promise<void> {
    const { place, role } = this.options
    await this.#inTurns(async (signal) => {
      const request = put(beside(place, `to-${otherOf(role)}`), TURN_S, signal)
      this.#out = request
      request.write(writeMessage({ type: 'hello', version: VERSION, session: this.#session }))
      if (this.#peer !== undefined) request.write(writeMessage({ type: 'met', session: this.#peer }))
      await handedOn(request)
    })
  }

  async #hear(): Promise<void> {
    const { place, role } = this.options
    await this.#inTurns(async (signal) => {
      const request = get(beside(place, `to-${role}`), TURN_S, signal)
      const stream = await streamOf(request)
      const late = setTimeout(() => {
        if (this.#line === undefined) this.#out?.destroy()
        if (this.#line === undefined) request.destroy()
      }, HEARD_MS)
      const read = lineSplitter((text) => this.#heard(text, request))
      stream.setEncoding('utf8')
      try {
        for await (const text of stream) read(text)
      } catch {
        throw new ConnectionLost('connection lost')
      } finally {
        clearTimeout(late)
        this.#peer = undefined
      }
    })
  }

  #heard(text: string, incoming: ClientRequest): void {
    const message = readMessage(text)
    if (this.#line !== undefined) this.#line.heard(message)
    else if (message?.type === 'hello') {
      if (message.version !== VERSION)
        throw new NotPossible(`The other side speaks version ${message.version} of forward, and this one ${VERSION}.`)
      this.#peer = message.session
      this.#out?.write(writeMessage({ type: 'met', session: this.#peer }))
    } else if (message?.type === 'met' && message.session === this.#session && this.#peer !== undefined) {
      this.#line = new Line(this.#out!, incoming)
      this.#met(this.#line)
    }
  }

  /** One request after the other, until both sides have met; the one that is running then carries the line. */
  async #inTurns(turn: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { persistence } = this.options
    const { signal } = this.#stop
    while (!signal.aborted) {
      const beganAt = performance.now()
      let why: Error | undefined
      try {
        await turn(signal)
      } catch (error) {
        why = error as Error
      }
      if (this.#line !== undefined) {
        this.#line.end(why)
        return
      }
      signal.throwIfAborted()
      await persistence.afterTurn(why, performance.now() - beganAt, signal)
    }
  }
}
