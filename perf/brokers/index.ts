/** The message systems that pipegate is put beside. */

import type { StartsBroker } from './broker.js'
import { grpc } from './grpc.js'
import { kafka } from './kafka.js'
import { mosquitto } from './mosquitto.js'
import { nats } from './nats.js'
import { rabbitmq } from './rabbitmq.js'
import { redis } from './redis.js'
import { zeromq } from './zeromq.js'

export const BROKERS: readonly StartsBroker[] = [nats, redis, rabbitmq, mosquitto, zeromq, grpc, kafka]
