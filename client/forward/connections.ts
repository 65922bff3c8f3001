import type { Socket } from 'node:net'
import type { Carrier, Traffic } from './carry.js'
import type { News } from './news.js'
import { reset } from './reset.js'

/** The connections that a forward carries. */
export class Connections {
  readonly #cuts = new Set<(why: Error) => void>()
  /** Accepted, or being made, and not carried yet. */
  #coming = 0
  #number = 0

  constructor(
    readonly most: number,
    readonly on: (news: News) => void,
  ) {}

  /** Why there is no place for one more. */
  get full(): string {
    return `${this.most} connections are carried already, and --connections allows no more`
  }

  /** A place for one more, which is to be given back; undefined when there is none. */
  reserve(): (() => void) | undefined {
    if (this.#cuts.size + this.#coming >= this.most) return undefined
    this.#coming++
    let isBack = false
    return () => {
      if (!isBack) this.#coming--
      isBack = true
    }
  }

  /** Carries one to its end. @param stop breaks it off with this reason */
  async carry(socket: Socket, carrier: Carrier, stop: Promise<never>): Promise<void> {
    const connection = ++this.#number
    const traffic: Traffic = { sent: 0, received: 0 }
    const beganAt = performance.now()
    let cut!: (why: Error) => void
    const stopped = new Promise<never>((_, reject) => {
      cut = reject
    })
    this.#cuts.add(cut)
    this.on({ event: 'opened', connection, way: carrier.name })
    try {
      await carrier.carry(socket, traffic, Promise.race([stop, stopped]))
      this.on({ event: 'closed', connection, ...traffic, seconds: (performance.now() - beganAt) / 1000 })
    } catch (error) {
      this.on({ event: 'cut', connection, why: (error as Error).message, ...traffic })
    } finally {
      this.#cuts.delete(cut)
    }
  }

  /** Told of one that will not be carried. */
  refuse(socket: Socket | undefined, why: string): void {
    if (socket !== undefined) reset(socket)
    this.on({ event: 'refused', why })
  }

  /** Resets all of them. */
  cutAll(): void {
    for (const cut of this.#cuts) cut(new Error('this forward ends'))
  }
}
