/** The languages of message systems, by name. */

import { openAmqp } from './amqp.js'
import type { OpenCrew } from './crew.js'
import { openGrpc } from './grpc.js'
import { openKafka } from './kafka.js'
import { mqtt } from './mqtt.js'
import { nats } from './nats.js'
import { openPipegate } from './pipegate.js'
import { openPipegateLines } from './pipegate-lines.js'
import { redis } from './redis.js'
import { openWebSockets } from './websocket.js'
import { openWires, type WireDialect } from './wires.js'
import { zmtp } from './zmtp.js'

const wires =
  (dialect: WireDialect): OpenCrew =>
  (options) =>
    openWires(dialect, options)

export const LANGUAGES = {
  pipegate: openPipegate,
  lines: openPipegateLines,
  websocket: openWebSockets,
  nats: wires(nats),
  redis: wires(redis),
  mqtt: wires(mqtt),
  zmtp: wires(zmtp),
  amqp: openAmqp,
  grpc: openGrpc,
  kafka: openKafka,
} as const satisfies Readonly<Record<string, OpenCrew>>

export type Language = keyof typeof LANGUAGES
