import { z } from 'zod'
import type { Figures, Receipt, Snapshot } from '../../plugins/transfer-status/snapshot.js'

/** What the stream tells. */
export type ProgressEvent =
  | { readonly event: 'state'; readonly data: Snapshot }
  | { readonly event: 'progress'; readonly data: Figures }
  | { readonly event: 'done'; readonly data: Receipt }

// A server may be newer, older or no pipegate at all: figures that are missing count as unknown, fields that are not known
// here are kept, and only what decides about the outcome has to be right.
const amount = z.number().min(0)
const figure = amount.nullable().catch(null)
const count = amount.catch(0)
/** Only of a live stream. */
const live = {
  live: z.literal(true).optional().catch(undefined),
  viewers: amount.optional().catch(undefined),
  peak: amount.optional().catch(undefined),
  skips: amount.optional().catch(undefined),
  cuts: amount.optional().catch(undefined),
}
/** Only of a name that is a queue. */
const queue = {
  queue: z.literal(true).optional().catch(undefined),
  waitingSenders: amount.optional().catch(undefined),
  waitingReceivers: amount.optional().catch(undefined),
  running: amount.optional().catch(undefined),
}
/** Only of a name on which questions are asked. */
const ask = {
  ask: z.literal(true).optional().catch(undefined),
  waitingAskers: amount.optional().catch(undefined),
  waitingWorkers: amount.optional().catch(undefined),
  unanswered: amount.optional().catch(undefined),
}
const text = z.string().nullable().catch(null)

const figures = z.looseObject({
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
  /** Null for a live stream and a queue. */
  totalReceivers: amount.nullable().catch(0),
  inFlight: count,
  receiverBytes: z.array(amount.nullable()).nullable().catch(null),
  ...live,
  ...queue,
  ...ask,
}) satisfies z.ZodType<Figures>

const receipt = z.looseObject({
  state: z.enum(['complete', 'failed']),
  transferId: z.string(),
  bytes: count,
  bytesTransferred: count,
  totalBytes: figure,
  duration: count,
  durationSec: count,
  avgSpeed: figure,
  receivers: count,
  totalReceivers: amount.nullable().catch(0),
  ...live,
  kind: z.enum(['live', 'queue', 'ask']).optional().catch(undefined),
  reason: text,
  message: text,
  sha256: text,
  startedAt: figure,
  endedAt: count,
}) satisfies z.ZodType<Receipt>

const snapshot = z.looseObject({
  state: z.enum(['idle', 'waiting', 'streaming', 'complete', 'failed']),
  ...figures.shape,
  kind: z.enum(['pipe', 'live', 'queue', 'ask']).catch('pipe'),
  transferId: text,
  hasSender: z.boolean().catch(false),
  reason: text,
  message: text,
  sha256: text,
  startedAt: figure,
  waitingSince: figure,
  fileName: text,
  mediaType: text,
  looks: z.number().catch(0),
  last: receipt.nullable().catch(null),
}) satisfies z.ZodType<Snapshot>

const SCHEMAS = { state: snapshot, progress: figures, done: receipt } as const

/** undefined for an event of another kind. @throws Error for one that cannot be read */
export function readEvent(event: string | undefined, data: string): ProgressEvent | undefined {
  if (event === undefined || !Object.hasOwn(SCHEMAS, event)) return undefined
  const kind = event as keyof typeof SCHEMAS
  return { event: kind, data: SCHEMAS[kind].parse(JSON.parse(data)) } as ProgressEvent
}

/** @throws Error for what is none */
export function readSnapshot(json: string): Snapshot {
  return snapshot.parse(JSON.parse(json))
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
