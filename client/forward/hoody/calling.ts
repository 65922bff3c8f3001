import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectionLost, RequestRefused } from '../../wire/failures.js'
import { listenOn } from '../endpoint.js'
import { isTaken } from '../link/persistence.js'
import { closed, type HoodyOptions, there } from './answering.js'
import type { Counterpart } from './counterpart.js'

/** So long a connection waits for its turn, and then for the other side, in milliseconds. */
const PATIENCE_MS = 10_000
/** So often a name that is taken is tried, in milliseconds: the pair before may not be over there. */
const TAKEN_MS = 200

/** `--listen`: calls the other side on the name for each connection that is accepted; one at a time, and the next one waits. */
export class Calling {
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) =>
    this.#accept(socket),
  )
  /** Those that wait for their turn: each begins. */
  readonly #waiting: (() => void)[] = []
  #isBusy = false
  #fail!: (error: Error) => void
  readonly #failed: Promise<never>

  constructor(readonly options: HoodyOptions) {
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.#failed.catch(() => {})
  }

  /** @throws RequestRefused, NotPossible, and Error when it cannot listen there */
  async run(): Promise<never> {
    const { endpoint, signal, on } = this.options
    const interrupted = () => this.#fail(signal.reason)
    signal.addEventListener('abort', interrupted, { once: true })
    if (signal.aborted) interrupted()
    try {
      on({ event: 'listening', at: await listenOn(this.#server, endpoint) })
      return await this.#failed
    } finally {
      this.#server.close()
    }
  }

  #accept(socket: Socket): void {
    const { connections } = this.options
    socket.on('error', () => {})
    const giveBack = connections.reserve()
    const late = setTimeout(() => {
      this.#waiting.splice(this.#waiting.indexOf(begin), 1)
      giveBack?.()
      connections.refuse(socket, 'another one is carried, and this way carries one at a time')
    }, PATIENCE_MS)
    const begin = () => {
      clearTimeout(late)
      giveBack?.()
      this.#isBusy = true
      void this.#carry(socket)
        .catch(this.#fail)
        .finally(() => {
          this.#isBusy = false
          this.#waiting.shift()?.()
        })
    }
    if (giveBack === undefined) {
      clearTimeout(late)
      connections.refuse(socket, connections.full)
    } else if (this.#isBusy) this.#waiting.push(begin)
    else begin()
  }

  async #carry(socket: Socket): Promise<void> {
    const { connections, signal } = this.options
    let other: Counterpart
    try {
      other = await this.#call(socket)
    } catch (error) {
      connections.refuse(socket, (error as Error).message)
      const isLasting =
        error instanceof RequestRefused ? !error.isPassing && !isTaken(error) : !(error instanceof ConnectionLost)
      if (isLasting) throw error
      return
    }
    await connections.carry(socket, other, new Promise<never>(() => {}))
    await closed(other, signal)
  }

  async #call(socket: Socket): Promise<Counterpart> {
    const { call, signal } = this.options
    const until = performance.now() + PATIENCE_MS
    for (;;) {
      if (socket.destroyed) throw new ConnectionLost('its program has gone')
      try {
        return await there(await call(PATIENCE_MS / 1000), signal)
      } catch (error) {
        if (!isTaken(error) || performance.now() > until) throw error
        await sleep(TAKEN_MS, undefined, { signal })
      }
    }
  }
}
