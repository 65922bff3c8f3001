/** The lane's end of a client process. */

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { adopt, end } from './children.js'
import type { Order, Reply } from './client/job.js'
import type { Kinds } from './client/worker.js'

const WORKER = fileURLToPath(new URL('client/worker.js', import.meta.url))

type Args<K extends keyof Kinds> = Parameters<Kinds[K]>[0]
type Result<K extends keyof Kinds> = Awaited<ReturnType<Kinds[K]>>

/** A job on its way. */
export interface Running<R> {
  /** The first thing that it told, or its end if it never told anything. */
  readonly ready: Promise<unknown>
  /** Rejects when the job fails, or its process dies. */
  readonly done: Promise<R>
  /** Asks for an end. */
  stop(): void
}

interface Waiting {
  tell(news: unknown): void
  resolve(result: unknown): void
  reject(error: Error): void
}

/** A process that sends or receives. */
export class ClientProcess {
  readonly #child: ChildProcess = adopt(fork(WORKER, { execArgv: [] }))
  readonly #jobs = new Map<number, Waiting>()
  #lastId = 0

  constructor() {
    this.#child.on('message', (reply: Reply) => this.#heard(reply))
    this.#child.once('exit', (code, signal) => {
      for (const job of this.#jobs.values()) job.reject(new Error(`a client process ended: ${code ?? signal}`))
    })
  }

  /** Begins a job. */
  start<K extends keyof Kinds>(kind: K, args: Args<K>): Running<Result<K>> {
    const id = ++this.#lastId
    let tell!: (news: unknown) => void
    const told = new Promise((resolve) => {
      tell = resolve
    })
    const done = new Promise<unknown>((resolve, reject) => this.#jobs.set(id, { tell, resolve, reject }))
    const ready = Promise.race([told, done])
    // Whoever waits for one of the two hears of a failure; the other one is then nobody's.
    done.catch(() => {})
    ready.catch(() => {})
    this.#send({ id, kind, args })
    const stop = () => this.#send({ id, stop: true })
    return { ready, done: done as Promise<Result<K>>, stop }
  }

  /** Does a job. */
  run<K extends keyof Kinds>(kind: K, args: Args<K>): Promise<Result<K>> {
    return this.start(kind, args).done
  }

  end(): Promise<void> {
    return end(this.#child)
  }

  #send(order: Order): void {
    if (this.#child.connected) this.#child.send(order)
  }

  #heard(reply: Reply): void {
    const job = this.#jobs.get(reply.id)
    if (job === undefined) return
    if ('news' in reply) job.tell(reply.news)
    else if ('error' in reply) job.reject(new Error(reply.error))
    // JSON leaves out what is undefined.
    else job.resolve('result' in reply ? reply.result : undefined)
    if (!('news' in reply)) this.#jobs.delete(reply.id)
  }
}
