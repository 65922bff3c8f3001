/** Kafka by kafkajs. Every subscriber of a topic is a consumer group; the workers of a queue are one, with a partition each. */

import { peersPackage } from '../../peers-package.js'
import { type Crew, type CrewOptions, openMany, type TakeMessage } from './crew.js'

interface Admin {
  connect(): Promise<void>
  createTopics(options: object): Promise<boolean>
  disconnect(): Promise<void>
}

interface Consumer {
  readonly events: { readonly GROUP_JOIN: string; readonly CRASH: string }
  on(event: string, listener: (event: { payload: { error?: Error; restart?: boolean } }) => void): void
  connect(): Promise<void>
  subscribe(options: object): Promise<void>
  run(options: {
    autoCommit: boolean
    eachMessage(message: { message: { value: Buffer } }): Promise<void>
  }): Promise<void>
  disconnect(): Promise<void>
}

interface Producer {
  connect(): Promise<void>
  send(record: object): Promise<unknown>
  disconnect(): Promise<void>
}

interface Kafka {
  admin(): Admin
  consumer(options: object): Consumer
  producer(options: object): Producer
}

interface Library {
  Kafka: new (options: object) => Kafka
  logLevel: { readonly NOTHING: number }
}

export async function openKafka(options: CrewOptions): Promise<Crew> {
  const { Kafka, logLevel } = peersPackage('kafkajs') as Library
  const { kind, failed } = options
  const client = () => new Kafka({ brokers: [`127.0.0.1:${options.target.port}`], logLevel: logLevel.NOTHING })
  const partitions = kind === 'queue' ? options.receivers : 1
  const admin = client().admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: kind, numPartitions: partitions }], waitForLeaders: true })
  await admin.disconnect()
  const consumers = await openMany(options.receivers, (i) =>
    consume(client(), `${kind}-${kind === 'topic' ? i : ''}`, options, options.taker(i)),
  )
  const all: { disconnect(): Promise<void> }[] = [...consumers]
  let closed = false
  const producers = await openMany(options.senders, async (i) => {
    const producer = client().producer({ allowAutoTopicCreation: false })
    await producer.connect()
    all.push(producer)
    return inTurn(producer, kind, i % partitions, (error) => {
      if (!closed) failed(error)
    })
  })
  return {
    send: (sender, value) => producers[sender]!(value),
    close() {
      closed = true
      for (const each of all) each.disconnect().catch(() => {})
    },
  }
}

/** What comes while some are sent goes together afterwards: kafkajs may change the order of what is sent at the same time. */
function inTurn(producer: Producer, topic: string, partition: number, failed: (error: Error) => void) {
  let waiting: Buffer[] = []
  let busy = false
  const run = async () => {
    busy = true
    while (waiting.length > 0) {
      const messages = waiting.map((value) => ({ value, partition }))
      waiting = []
      await producer.send({ topic, acks: 1, messages })
    }
    busy = false
  }
  return (value: Buffer) => {
    waiting.push(value)
    if (!busy) run().catch(failed)
  }
}

async function consume(
  kafka: Kafka,
  groupId: string,
  { kind, failed }: CrewOptions,
  take: TakeMessage,
): Promise<Consumer> {
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false })
  // It tries again when the group is not there yet.
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (payload.restart !== true) failed(payload.error ?? new Error('a consumer ended'))
  })
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
  await consumer.connect()
  await consumer.subscribe({ topics: [kind], fromBeginning: false })
  await consumer.run({
    autoCommit: false,
    async eachMessage({ message: { value } }) {
      take(value, 0, value.length)
    },
  })
  await joined
  return consumer
}
