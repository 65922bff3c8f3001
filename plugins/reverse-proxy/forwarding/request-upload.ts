import type { ClientRequest } from 'node:http'
import type { Body } from '../../../gateway/host/plugin-api.js'
import { CopyingWriter } from '../relay/copying-writer.js'
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
  #isStopped = false

  constructor(
    readonly body: Body,
    readonly timer: PhaseTimer,
  ) {
    this.isComplete = body.length === 0
  }

  /** @param request connected */
  start(request: ClientRequest): void {
    const writer = new CopyingWriter(request, () => this.#taken(writer))
    this.body.read(
      (bytes) => this.#send(request, writer, bytes),
      () => {
        this.isComplete = true
        if (this.timer.phase === 'request') this.timer.enter('response')
        writer.flush()
        request.end()
      },
    )
    // What the client sends may come much later.
    if (!request.headersSent) request.flushHeaders()
  }

  /** The client has its answer, or has gone: its body must not be resumed any more. */
  stop(): void {
    this.#isStopped = true
  }

  #send(request: ClientRequest, writer: CopyingWriter, bytes: Uint8Array): void {
    if (request.destroyed) return
    this.timer.moved()
    writer.write(bytes)
    if (this.isPaused || writer.pending < HIGH_WATER_BYTES) return
    this.isPaused = true
    this.body.pause()
  }

  /** The upstream's connection has taken some bytes. */
  #taken({ pending }: CopyingWriter): void {
    this.timer.moved()
    if (!this.isPaused || pending > LOW_WATER_BYTES || this.#isStopped) return
    this.isPaused = false
    this.body.resume()
  }
}
