import type { ClientRequest } from 'node:http'
import type { Body, HeldBytes } from '../../../gateway/host/plugin-api.js'
import { CopyingWriter } from '../relay/copying-writer.js'
import { KeptStart } from './kept-start.js'
import type { PhaseTimer } from './phase-timer.js'

/** Bytes that an upstream has not taken. More than one read brings, so that an upstream that keeps up never pauses the client. */
const HIGH_WATER_BYTES = 512 * 1024
const LOW_WATER_BYTES = 128 * 1024

/** Sends the client's body to the upstream, no faster than the upstream takes it. */
export class RequestUpload {
  /** All of the body has been handed on. */
  isComplete: boolean
  /** The upstream does not keep up, so the client is not read. */
  isPaused = false
  /** The body is being read. */
  #isRead = false
  /** Something of the body has been handed to a connection. */
  isBegun = false
  #isStopped = false
  #request: ClientRequest | undefined
  /** Undefined also while the request is on its way to another connection. */
  #writer: CopyingWriter | undefined
  /** All that has been handed on, if that can be sent again. */
  #kept: KeptStart | undefined

  constructor(
    readonly body: Body,
    readonly timer: PhaseTimer,
    readonly held: HeldBytes,
  ) {
    this.isComplete = body.length === 0
  }

  /** Nothing of the body has been handed on, or all of that is still here. */
  get canStartAgain(): boolean {
    return !this.isBegun || this.#kept !== undefined
  }

  /**
   * Once, and again after each `suspend()`.
   * @param request connected
   * @param keepsStart the request may be repeated, and may have to be
   */
  start(request: ClientRequest, keepsStart: boolean): void {
    const writer = new CopyingWriter(request, () => this.#taken(writer))
    const again = this.#kept?.pieces ?? []
    this.#request = request
    this.#writer = writer
    this.#kept = keepsStart ? new KeptStart() : undefined
    if (this.#isRead) for (const piece of again) this.#write(writer, piece)
    else this.#read()
    if (this.isComplete) this.#end()
    else this.#resume(writer)
    // What the client sends may come much later.
    if (!request.headersSent) request.flushHeaders()
  }

  #read(): void {
    this.#isRead = true
    this.body.read(
      (bytes) => this.#send(bytes),
      () => {
        this.isComplete = true
        this.#end()
      },
    )
  }

  /** The connection is lost. What comes until the next one is there is kept. Only if it can start again. */
  suspend(): void {
    this.#writer = undefined
    if (!this.#isRead) return
    this.#kept ??= new KeptStart()
    if (!this.isComplete) this.#pause()
  }

  /** The upstream answers: it has the request, which is not sent again. */
  answered(): void {
    this.#kept = undefined
    this.#count()
  }

  /** The client has its answer, or has gone: its body must not be resumed any more. */
  stop(): void {
    this.#isStopped = true
    this.#kept = undefined
    this.held.set(0)
  }

  #send(bytes: Uint8Array): void {
    if (this.#writer === undefined) this.#kept?.addAll(bytes)
    else if (this.#request?.destroyed === false) this.#write(this.#writer, bytes)
  }

  #write(writer: CopyingWriter, bytes: Uint8Array): void {
    this.timer.moved()
    this.isBegun = true
    if (this.#kept?.add(bytes) === false) this.#kept = undefined
    writer.write(bytes)
    let hasRoom = this.#count()
    if (!hasRoom) {
      this.#kept = undefined
      hasRoom = this.#count()
    }
    if (writer.pending >= HIGH_WATER_BYTES || !hasRoom) this.#pause()
  }

  #end(): void {
    if (this.#writer === undefined) return
    if (this.timer.phase === 'request') this.timer.enter('response')
    this.#writer.flush()
    this.#request?.end()
  }

  /** The upstream's connection has taken some bytes. */
  #taken(writer: CopyingWriter): void {
    if (writer !== this.#writer) return
    this.timer.moved()
    this.#count()
    this.#resume(writer)
  }

  #pause(): void {
    if (this.isPaused) return
    this.isPaused = true
    this.body.pause()
  }

  #resume({ pending }: CopyingWriter): void {
    if (!this.isPaused || pending > LOW_WATER_BYTES || this.#isStopped) return
    this.isPaused = false
    this.body.resume()
  }

  /** False: there is no memory for what is held now. */
  #count(): boolean {
    return this.#isStopped || this.held.set((this.#writer?.pending ?? 0) + (this.#kept?.bytes ?? 0))
  }
}
