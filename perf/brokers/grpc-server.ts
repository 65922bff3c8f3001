/** `grpc-server.js PORT`: a relay of gRPC streams on @grpc/grpc-js, as somebody writes it who needs no more than this. */

import type { BidiStream } from '../client/brokers/grpc.js'
import { peersPackage } from '../peers-package.js'

interface ServerStream extends Omit<BidiStream, 'cancel'> {
  end(): void
  sendMetadata(metadata: unknown): void
}

interface Library {
  Server: new () => {
    addService(definition: object, handlers: object): void
    bindAsync(address: string, credentials: unknown, done: (error: Error | null) => void): void
  }
  ServerCredentials: { createInsecure(): unknown }
  Metadata: new () => unknown
}

const { Server, ServerCredentials, Metadata } = peersPackage('@grpc/grpc-js') as Library

/** A question, or a piece of work, and who waits for its answer. */
interface Job {
  readonly message: Buffer
  readonly asker: ServerStream | null
}

const subscribers = new Set<ServerStream>()

type TakeJob = (job: Job) => void

class Jobs {
  /** In the order in which they came. */
  readonly #free = new Set<TakeJob>()
  readonly #waiting: Job[] = []

  add(job: Job): void {
    const [worker] = this.#free
    if (worker === undefined) this.#waiting.push(job)
    else {
      this.#free.delete(worker)
      worker(job)
    }
  }

  /** A worker takes the next one. */
  next(take: TakeJob): void {
    const job = this.#waiting.shift()
    if (job === undefined) this.#free.add(take)
    else take(job)
  }

  leave(take: TakeJob): void {
    this.#free.delete(take)
  }
}

/** A worker gets a job when it has sent something for the one before, which is the answer. */
function worker(jobs: Jobs, stream: ServerStream): void {
  let asker: ServerStream | null = null
  const take = (job: Job) => {
    asker = job.asker
    stream.write(job.message)
  }
  jobs.next(take)
  stream.on('data', (answer) => {
    asker?.write(answer)
    jobs.next(take)
  })
  stream.on('cancelled', () => jobs.leave(take))
}

const work = new Jobs()
const questions = new Jobs()

const HANDLERS: Readonly<Record<string, (stream: ServerStream) => void>> = {
  subscribe(stream) {
    subscribers.add(stream)
    stream.on('cancelled', () => subscribers.delete(stream))
  },
  publish: (stream) =>
    stream.on('data', (message) => {
      for (const subscriber of subscribers) subscriber.write(message)
    }),
  produce: (stream) => stream.on('data', (message) => work.add({ message, asker: null })),
  work: (stream) => worker(work, stream),
  ask: (stream) => stream.on('data', (message) => questions.add({ message, asker: stream })),
  serve: (stream) => worker(questions, stream),
}

const asItIs = (value: Buffer) => value
const method = (name: string) => ({
  path: `/perf.Relay/${name}`,
  requestStream: true,
  responseStream: true,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
})

const server = new Server()
const names = Object.keys(HANDLERS)
server.addService(
  Object.fromEntries(names.map((name) => [name, method(name)])),
  Object.fromEntries(
    names.map((name) => [
      name,
      (stream: ServerStream) => {
        // Clients wait for the head to know that they are in.
        stream.sendMetadata(new Metadata())
        stream.on('end', () => stream.end())
        stream.on('error', () => {})
        HANDLERS[name]!(stream)
      },
    ]),
  ),
)
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error
})
