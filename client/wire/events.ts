import * as v from 'valibot'
import type { Figures, Receipt, Snapshot } from '../../plugins/transfer-status/snapshot.js'

/** What the stream tells. */
export type ProgressEvent =
  | { readonly event: 'state'; readonly data: Snapshot }
  | { readonly event: 'progress'; readonly data: Figures }
  | { readonly event: 'done'; readonly data: Receipt }

// A server may be newer, older or no pipegate at all: figures that are missing count as unknown, fields that are not known
// here are kept, and only what decides about the outcome has to be right.
const amount = v.pipe(v.number(), v.minValue(0))
const figure = v.fallback(v.nullable(amount), null)
const count = v.fallback(amount, 0)
const some = v.fallback(v.optional(amount), undefined)
/** Null for what has no number of receivers that it waits for. */
const total = v.fallback(v.nullable(amount), 0)
/** Only of a live stream, or of a topic. */
const live = {
  live: v.fallback(v.optional(v.literal(true)), undefined),
  viewers: some,
  peak: some,
  skips: some,
  cuts: some,
  topic: v.fallback(v.optional(v.literal(true)), undefined),
  subscribers: some,
  publishers: some,
  waitingMessages: some,
  messages: some,
}
/** Only of a name that is a queue. */
const queue = {
  queue: v.fallback(v.optional(v.literal(true)), undefined),
  waitingSenders: some,
  waitingReceivers: some,
  running: some,
  producers: some,
  workers: some,
}
/** Only of a name on which questions are asked. */
const ask = {
  ask: v.fallback(v.optional(v.literal(true)), undefined),
  waitingAskers: some,
  waitingWorkers: some,
  unanswered: some,
}
/** Only of a name that is a duplex pipe. */
const duplex = {
  duplex: v.fallback(v.optional(v.literal(true)), undefined),
  peers: some,
  webSockets: some,
  saidBytes: v.fallback(v.optional(v.tuple([amount, amount])), undefined),
  protocol: v.fallback(v.optional(v.nullable(v.string())), undefined),
}
const text = v.fallback(v.nullable(v.string()), null)

const figures = {
  bytes: count,
  bytesTransferred: count,
  totalBytes: figure,
  speed: figure,
  mbps: figure,
  avgSpeed: figure,
  eta: figure,
  etaSec: figure,
  elapsed: figure,
  receivers: count,
  activeReceivers: count,
  totalReceivers: total,
  inFlight: count,
  receiverBytes: v.fallback(v.nullable(v.array(v.nullable(amount))), null),
  ...live,
  ...queue,
  ...ask,
  ...duplex,
}

const receipt = v.looseObject({
  state: v.picklist(['complete', 'failed']),
  transferId: v.string(),
  bytes: count,
  bytesTransferred: count,
  totalBytes: figure,
  duration: count,
  durationSec: count,
  avgSpeed: figure,
  receivers: count,
  totalReceivers: total,
  ...live,
  kind: v.fallback(v.optional(v.picklist(['live', 'queue', 'topic', 'ask', 'duplex'])), undefined),
  reason: text,
  message: text,
  sha256: text,
  startedAt: figure,
  endedAt: count,
}) satisfies v.GenericSchema<unknown, Receipt>

const snapshot = v.looseObject({
  state: v.picklist(['idle', 'waiting', 'streaming', 'complete', 'failed']),
  ...figures,
  kind: v.fallback(v.picklist(['pipe', 'live', 'queue', 'topic', 'ask', 'duplex', 'ws']), 'pipe'),
  transferId: text,
  hasSender: v.fallback(v.boolean(), false),
  reason: text,
  message: text,
  sha256: text,
  startedAt: figure,
  waitingSince: figure,
  fileName: text,
  mediaType: text,
  looks: v.fallback(v.number(), 0),
  last: v.fallback(v.nullable(receipt), null),
}) satisfies v.GenericSchema<unknown, Snapshot>

const progress = v.looseObject(figures) satisfies v.GenericSchema<unknown, Figures>

const SCHEMAS = { state: snapshot, progress, done: receipt } as const

/** undefined for an event of another kind. @throws Error for one that cannot be read */
export function readEvent(event: string | undefined, data: string): ProgressEvent | undefined {
  if (event === undefined || !Object.hasOwn(SCHEMAS, event)) return undefined
  const kind = event as keyof typeof SCHEMAS
  return { event: kind, data: v.parse(SCHEMAS[kind], JSON.parse(data)) } as ProgressEvent
}

/** @throws Error for what is none */
export function readSnapshot(json: string): Snapshot {
  return v.parse(snapshot, JSON.parse(json))
}

/** What a name in its final state says of the transfer; undefined in any other state. */
export function receiptOf(over: Snapshot): Receipt | undefined {
  const { state, transferId, elapsed } = over
  if ((state !== 'complete' && state !== 'failed') || transferId === null) return undefined
  const duration = elapsed ?? 0
  return {
    ...over,
    state,
    transferId,
    duration,
    durationSec: duration,
    endedAt: (over.startedAt ?? 0) + duration * 1000,
  }
}
