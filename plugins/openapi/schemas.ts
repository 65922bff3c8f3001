/** JSON Schemas of everything that is answered as JSON. Nothing may be in an answer that is not here. */

type Schema = Readonly<Record<string, unknown>>

type Members = Readonly<Record<string, Schema>>

/** Every member has to be there, but for those that are optional. */
function object(description: string, members: Members, optional: Members = {}): Schema {
  const properties = { ...members, ...optional }
  return { type: 'object', description, properties, required: Object.keys(members), additionalProperties: false }
}

const orNull = (schema: Schema, description: string): Schema => ({
  ...schema,
  type: [schema.type, 'null'],
  description,
})
const COUNT = { type: 'integer', minimum: 0 } as const
const NUMBER = { type: 'number', minimum: 0 } as const
const TEXT = { type: 'string' } as const
const count = (description: string): Schema => ({ ...COUNT, description })

const TRANSFER_ID = { type: 'string', pattern: '^[A-Za-z0-9_-]{16,64}$' } as const
const UNIX_MS = 'milliseconds since 1970'

const MOVED = {
  bytes: count(
    'What has reached the machine of the slowest receiver; of a live stream, what has been sent; of a queue and of a duplex pipe, what it has moved',
  ),
  bytesTransferred: count('The same as `bytes`'),
  totalBytes: orNull(COUNT, 'From `Content-Length`, `?size` or `X-Pipe-Size`'),
}

const FIGURES = {
  ...MOVED,
  speed: orNull(NUMBER, 'Bytes per second over the last seconds'),
  mbps: orNull(NUMBER, 'The same in 10^6 bytes, with one decimal'),
  avgSpeed: orNull(NUMBER, 'Bytes per second since the stream began'),
  eta: orNull(NUMBER, 'Seconds that are left'),
  etaSec: orNull(NUMBER, 'The same as `eta`'),
  elapsed: orNull(NUMBER, 'Seconds since the stream began'),
  receivers: count('Receivers that are there'),
  activeReceivers: count('The same as `receivers`'),
  totalReceivers: orNull(
    COUNT,
    'Receivers that the stream waits for, or waited for; null for a live stream, a queue, a topic and a duplex pipe',
  ),
  inFlight: count('Bytes that were sent to the slowest receiver and have not reached its machine'),
  receiverBytes: {
    type: ['array', 'null'],
    items: { type: ['integer', 'null'], minimum: 0 },
    description: 'With several receivers: what has reached the machine of each; null for one that has left',
  },
}

/** Only of a live stream. */
const OF_LIVE = {
  live: { const: true },
  viewers: count('Viewers that are there'),
  peak: count('The most that were there at once; of a topic, subscribers'),
  skips: count('How often parts were left out for a viewer that was slow'),
  cuts: count('Viewers, or subscribers, that were cut because they were slow'),
}

/** Only of a name on which questions are asked. */
const OF_ASK = {
  ask: { const: true },
  waitingAskers: count('Askers whose question no worker has yet'),
  waitingWorkers: count('Workers that wait for a question'),
  unanswered: count('Questions that a worker has got, and whose answer is not over'),
}

/** Only of a name that is a queue. */
const OF_QUEUE = {
  queue: { const: true },
  waitingSenders: count('Senders that wait'),
  waitingReceivers: count('Receivers that wait'),
  running: count('Transfers that run'),
  producers: count('Producers that stay, with lines'),
  workers: count('Workers that stay, with lines'),
}

/** Only of a name that is a duplex pipe. */
const OF_DUPLEX = {
  duplex: { const: true },
  peers: { ...count('Peers that are there'), maximum: 2 },
  webSockets: { ...count('How many of them are WebSockets'), maximum: 2 },
  saidBytes: {
    type: 'array',
    items: COUNT,
    minItems: 2,
    maxItems: 2,
    description: 'Bytes read from the peer that came first, and from the other one',
  },
  protocol: orNull(TEXT, 'The subprotocol of its WebSockets'),
}

/** Only of a topic; `peak` and `cuts` as well. */
const OF_TOPIC = {
  topic: { const: true },
  subscribers: count('Subscribers that are there'),
  publishers: count('Publishers that stay for more than one message'),
  waitingMessages: count('Messages that wait for subscribers, or for those who are behind'),
  messages: count('Messages that were accepted'),
}

/** What is no pipe has some of these. */
const OF_KIND = { ...OF_LIVE, ...OF_QUEUE, ...OF_ASK, ...OF_DUPLEX, ...OF_TOPIC }

const END = {
  reason: orNull(TEXT, 'Why it failed, for programs'),
  message: orNull(TEXT, 'The same for people'),
  sha256: orNull({ type: 'string', pattern: '^[0-9a-f]{64}$' }, 'The digest of the stream, when a side asked for it'),
  startedAt: orNull(NUMBER, `When the stream began, ${UNIX_MS}`),
}

export const SCHEMAS = {
  Snapshot: object(
    'What a name is doing: `?status`, and the data of `state` events',
    {
      state: { type: 'string', enum: ['idle', 'waiting', 'streaming', 'complete', 'failed'] },
      kind: { type: 'string', enum: ['pipe', 'live', 'queue', 'topic', 'ask', 'duplex', 'ws'] },
      transferId: orNull(TRANSFER_ID, "The sender's; null while there is none"),
      hasSender: { type: 'boolean' },
      ...FIGURES,
      ...END,
      waitingSince: orNull(NUMBER, `Since when somebody waits, ${UNIX_MS}`),
      fileName: orNull(TEXT, 'What the sender calls the file, before the end'),
      mediaType: orNull(TEXT, 'Its type, as receivers are told'),
      looks: count('How often somebody has looked at what waits, and has taken nothing'),
      last: {
        description: 'The last transfer of an idle name',
        anyOf: [{ $ref: '#/components/schemas/Receipt' }, { type: 'null' }],
      },
    },
    OF_KIND,
  ),
  Figures: object('What changes while bytes flow: the data of `progress` events', FIGURES, OF_KIND),
  Receipt: object(
    'A transfer that is over: `last` of a snapshot, and the data of `done` events',
    {
      state: { type: 'string', enum: ['complete', 'failed'] },
      transferId: TRANSFER_ID,
      ...MOVED,
      duration: { ...NUMBER, description: 'Seconds' },
      durationSec: { ...NUMBER, description: 'The same as `duration`' },
      avgSpeed: orNull(NUMBER, 'Bytes per second'),
      receivers: count('Receivers at the end'),
      totalReceivers: orNull(COUNT, 'Receivers that it waited for; null for a live stream'),
      ...END,
      endedAt: { ...NUMBER, description: UNIX_MS },
    },
    {
      kind: { type: 'string', enum: ['live', 'queue', 'topic', 'ask', 'duplex'], description: 'Absent for a pipe' },
      ...OF_KIND,
    },
  ),
  History: object('Speeds since the stream began: the data of the `history` event', {
    everySec: { type: 'number', exclusiveMinimum: 0, description: 'Seconds between two speeds' },
    speeds: { type: 'array', items: NUMBER, description: 'Bytes per second' },
  }),
  Error: object('Why a request was refused', {
    error: object('', {
      code: { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$', description: 'As in `X-Pipe-Code`' },
      status: { type: 'integer', minimum: 400, maximum: 599 },
      message: { type: 'string', description: 'What was found, and what to do' },
    }),
  }),
  Health: object('', {
    status: { type: 'string', enum: ['ok', 'draining'] },
    waiting: count('Pipes that wait'),
    streaming: count('Transfers that run'),
    heldBytes: count('Bytes held for receivers'),
    uptimeSec: count('Seconds'),
  }),
  Link: object('A link that was made by `?link`', {
    url: { type: 'string', format: 'uri' },
    right: { type: 'string', enum: ['watch', 'receive'] },
    expires: { type: 'string', format: 'date-time' },
  }),
} as const
