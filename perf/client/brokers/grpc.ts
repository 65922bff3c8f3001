/** gRPC streams to the relay of `perf/brokers/grpc-server.ts`. A message is a message of the stream as it is. */

import { peersPackage } from '../../peers-package.js'
import { type Crew, type CrewOptions, openMany } from './crew.js'

/** Both ways, whole messages. */
export interface BidiStream {
  write(message: Buffer): boolean
  cancel(): void
  on(event: 'data', listener: (message: Buffer) => void): void
  on(event: 'metadata' | 'end' | 'cancelled', listener: () => void): void
  on(event: 'error', listener: (error: Error) => void): void
}

interface Client {
  makeBidiStreamRequest(
    path: string,
    serialize: (value: Buffer) => Buffer,
    parse: (value: Buffer) => Buffer,
  ): BidiStream
  close(): void
}

interface Library {
  Client: new (address: string, credentials: unknown, options: object) => Client
  credentials: { createInsecure(): unknown }
}

const asItIs = (value: Buffer) => value

/** Everybody has a connection. A worker's message is its answer, and says that it is free. */
export async function openGrpc(options: CrewOptions): Promise<Crew> {
  const { Client, credentials } = peersPackage('@grpc/grpc-js') as Library
  const { kind } = options
  const clients: Client[] = []
  const streams: BidiStream[] = []
  let closed = false
  const open = async (method: string, take: (message: Buffer, stream: BidiStream) => void): Promise<BidiStream> => {
    const own = { 'grpc.use_local_subchannel_pool': 1 }
    const client = new Client(`127.0.0.1:${options.target.port}`, credentials.createInsecure(), own)
    clients.push(client)
    const stream = client.makeBidiStreamRequest(`/perf.Relay/${method}`, asItIs, asItIs)
    streams.push(stream)
    stream.on('data', (message) => take(message, stream))
    await new Promise<void>((resolve, reject) => {
      stream.on('metadata', resolve)
      stream.on('error', (error) => {
        reject(error)
        if (!closed) options.failed(error)
      })
    })
    return stream
  }
  const takeOf = (index: number) => {
    const take = options.taker(index)
    return (message: Buffer) => take(message, 0, message.length)
  }
  await openMany(options.receivers, (i) => {
    const take = takeOf(i)
    if (kind === 'topic') return open('subscribe', take)
    return open(kind === 'ask' ? 'serve' : 'work', (message, stream) => {
      if (kind === 'queue') take(message)
      stream.write(kind === 'ask' ? message : FREE)
    })
  })
  const senders = await openMany(options.senders, (i) =>
    open({ topic: 'publish', queue: 'produce', ask: 'ask' }[kind], takeOf(i)),
  )
  return {
    send: (sender, message) => void senders[sender]!.write(message),
    close() {
      closed = true
      // A channel that is closed keeps the streams that it has.
      for (const stream of streams) stream.cancel()
      for (const client of clients) client.close()
    },
  }
}

const FREE = Buffer.alloc(0)
