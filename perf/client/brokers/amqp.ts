/** AMQP 0-9-1 by amqplib. Everything is transient: it is gone when the server ends. */

import type { Socket } from 'node:net'
import { peersPackage } from '../../peers-package.js'
import { type Crew, type CrewOptions, openMany, type TakeMessage } from './crew.js'

interface Message {
  readonly content: Buffer
  readonly properties: { readonly replyTo?: string }
}

/** The part of amqplib's channel that is used. */
interface Channel {
  assertExchange(name: string, type: 'fanout', options: object): Promise<unknown>
  assertQueue(name: string, options: object): Promise<{ readonly queue: string }>
  bindQueue(queue: string, exchange: string, key: string): Promise<unknown>
  prefetch(count: number): Promise<unknown>
  consume(queue: string, take: (message: Message | null) => void, options?: object): Promise<unknown>
  publish(exchange: string, key: string, content: Buffer, options?: object): boolean
  sendToQueue(queue: string, content: Buffer, options?: object): boolean
  ack(message: Message): void
  on(event: 'error' | 'close', listener: (error?: Error) => void): void
}

interface Connection {
  createChannel(): Promise<Channel>
  on(event: 'error', listener: (error: Error) => void): void
  readonly connection: { readonly stream: Socket }
}

interface Library {
  connect(url: string, socketOptions: object): Promise<Connection>
}

const EXCHANGE = 'topic'
/** Not deleted with its last user either: the next crew may have found it just before. */
const TRANSIENT = { durable: false, autoDelete: false }
const REPLIES = 'amq.rabbitmq.reply-to'

/** A worker has one message at a time, and acknowledges it when it has been received. */
export async function openAmqp(options: CrewOptions): Promise<Crew> {
  const library = peersPackage('amqplib') as Library
  const sockets: Socket[] = []
  let closed = false
  const open = async (): Promise<Channel> => {
    const connection = await library.connect(`amqp://127.0.0.1:${options.target.port}?heartbeat=0`, { noDelay: true })
    const fail = (error?: Error) => {
      if (!closed) options.failed(error ?? new Error('a channel was closed'))
    }
    connection.on('error', fail)
    sockets.push(connection.connection.stream)
    const channel = await connection.createChannel()
    channel.on('error', fail)
    channel.on('close', fail)
    return channel
  }
  const receivers = { topic: subscribe, queue: work, ask: work }
  await openMany(options.receivers, async (i) => receivers[options.kind](await open(), options, options.taker(i)))
  const senders = await openMany(options.senders, async (i) => publisher(await open(), options, options.taker(i)))
  return {
    send: (sender, message) => senders[sender]!(message),
    close() {
      closed = true
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function subscribe(channel: Channel, _options: CrewOptions, take: TakeMessage): Promise<void> {
  await channel.assertExchange(EXCHANGE, 'fanout', TRANSIENT)
  const { queue } = await channel.assertQueue('', { durable: false, exclusive: true })
  await channel.bindQueue(queue, EXCHANGE, '')
  await channel.consume(queue, (message) => take(message!.content, 0, message!.content.length), { noAck: true })
}

async function work(channel: Channel, { kind }: CrewOptions, take: TakeMessage): Promise<void> {
  await channel.assertQueue(kind, TRANSIENT)
  await channel.prefetch(1)
  await channel.consume(kind, (message) => {
    const { content, properties } = message!
    if (kind === 'ask') channel.sendToQueue(properties.replyTo!, content)
    else take(content, 0, content.length)
    channel.ack(message!)
  })
}

async function publisher(
  channel: Channel,
  { kind }: CrewOptions,
  take: TakeMessage,
): Promise<(message: Buffer) => void> {
  if (kind === 'topic') return (message) => void channel.publish(EXCHANGE, '', message)
  if (kind === 'queue') return (message) => void channel.sendToQueue('queue', message)
  await channel.consume(REPLIES, (answer) => take(answer!.content, 0, answer!.content.length), { noAck: true })
  return (message) => void channel.sendToQueue('ask', message, { replyTo: REPLIES })
}
