/** Every parameter of the query, and the headers that mean something here. */

type Schema = Readonly<Record<string, unknown>>

const SWITCH = {
  type: 'string',
  pattern: '^(|1|[tT][rR][uU][eE]|[yY][eE][sS]|0|[fF][aA][lL][sS][eE]|[nN][oO])$',
} as const
const ON = 'On when bare, empty, `1`, `true` or `yes`; off for `0`, `false` or `no`.'

const whole = (minimum: number, maximum: number, more: Schema = {}) => ({ type: 'integer', minimum, maximum, ...more })
const word = (...words: readonly string[]) => ({ type: 'string', enum: words })
const query = (name: string, description: string, schema: Schema, example: unknown) => ({
  name,
  in: 'query',
  description,
  schema,
  example,
  allowEmptyValue: true,
})
const header = (name: string, description: string, schema: Schema, example: unknown) => ({
  name,
  in: 'header',
  description,
  schema,
  example,
})

const TRANSFER_ID = { type: 'string', pattern: '^[A-Za-z0-9_-]{16,64}$' } as const
const BYTES = whole(0, Number.MAX_SAFE_INTEGER)

const LIVE = query(
  'live',
  'A broadcast: viewers come and go while it streams. Off in a GET: never join one.',
  SWITCH,
  '1',
)

const QUEUE = query('queue', `Each stream to exactly one receiver, first come, first served. ${ON}`, SWITCH, '1')
const TOPIC = query('topic', 'A topic: the body is a message, and a GET subscribes.', SWITCH, '1')

const ASK = query(
  'ask',
  `Ask: the body is a question, and the response the answer of the worker that gets it. ${ON}`,
  SWITCH,
  '1',
)
const WITHIN = query(
  'within',
  'With `ask`: seconds within which the answer has to begin once a worker has the question; 504 otherwise.',
  whole(1, 86_400, { default: 300 }),
  60,
)

const DUPLEX = {
  type: 'string',
  pattern: '^(|[aAbB]|1|[tT][rR][uU][eE]|[yY][eE][sS]|0|[fF][aA][lL][sS][eE]|[nN][oO])$',
} as const

const SHARED = [
  query('n', 'Receivers to wait for; the same on every side.', whole(1, 256, { default: 1 }), 3),
  query('wait', 'Seconds that this side waits; 300 unless configured.', whole(1, 3600), 60),
  query('now', `Join only if the other side waits; 503 otherwise. ${ON}`, SWITCH, '1'),
  query('sha256', `Hash the stream. ${ON}`, SWITCH, '1'),
  query('sig', 'A signed link, where the plugin `links` is loaded.', { type: 'string' }, 'AbC'),
]

export const NAME = {
  name: 'name',
  in: 'path',
  required: true,
  description: 'Where both sides meet; slashes are part of it',
  schema: { type: 'string', minLength: 1, maxLength: 1024 },
  example: 'jobs',
} as const

export const OF_SENDERS = [
  ...SHARED,
  LIVE,
  QUEUE,
  ASK,
  WITHIN,
  query(
    'answer',
    'Answer the question whose `X-Pipe-Answer` has this.',
    { type: 'string' },
    'Kd3hoiH5TYKlkeLNTO5U3C_VAIR1zUiL',
  ),
  query('serve', `With \`answer\`: take the next question with the response. ${ON}`, SWITCH, '1'),
  query(
    'take',
    'With `queue` and `ask`: a receiver at which nothing arrives for so many seconds goes, and another one gets the stream.',
    whole(1, 86_400),
    5,
  ),
  TOPIC,
  query(
    'duplex',
    'A duplex pipe of two equal peers: the body is the response of the other one. `a` or `b`: only the body, of a peer that hears by a GET.',
    DUPLEX,
    'a',
  ),
  query(
    'min',
    'With `live`: viewers without whom nothing is read. With `topic`: subscribers that have to be there.',
    whole(0, 65_536, { default: 0 }),
    1,
  ),
  query(
    'lines',
    `With \`topic\`: each line of the body is a message. With \`queue\`: each is a job; of a receiver: each job is a line of the response. ${ON}`,
    SWITCH,
    '1',
  ),
  query(
    'lag',
    'With `live`: a viewer that is more bytes behind is cut.',
    whole(1, 67_108_864, { default: 8_388_608 }),
    1_048_576,
  ),
  query(
    'slow',
    'With `live`: what becomes of a viewer that is slow. `skip` for WebM, else `cut`. With `topic`: `hold` or `cut`.',
    { type: 'string', enum: ['skip', 'cut', 'hold'] },
    'hold',
  ),
  query(
    'transfer',
    "The transfer's id, chosen by the sender; 409 when it is in use.",
    TRANSFER_ID,
    'nightly-backup-0042',
  ),
  query(
    'reply',
    '`end`: answer once, with a status that tells the outcome.',
    { type: 'string', enum: ['end', 'stream'] },
    'end',
  ),
  query('stall', 'Cut a receiver that takes nothing for so many seconds.', whole(1, 86_400), 30),
  query('size', 'The total of a chunked body, for those who watch.', BYTES, 1048576),
  header('X-Pipe-Size', 'The same as `size`.', BYTES, 1048576),
  header('X-Piping', 'Handed on to receivers, up to 8 KiB.', { type: 'string', maxLength: 8192 }, 'anything'),
  header('X-Hoody-Pipe', 'Handed on to receivers, up to 8 KiB.', { type: 'string', maxLength: 8192 }, 'anything'),
  header('Content-Encoding', 'Handed on to receivers, but for forms.', { type: 'string' }, 'gzip'),
  header('Content-Disposition', 'Handed on to receivers.', { type: 'string' }, 'attachment; filename=report.pdf'),
]

const STATUS = query('status', `One snapshot as JSON. ${ON}`, SWITCH, '1')
const RECEIPT_OF = query(
  'transfer',
  'With `status`: the transfer to tell of, running or over.',
  TRANSFER_ID,
  'nightly-backup-0042',
)
const ACCEPT = header(
  'Accept',
  'What is answered to `progress`, and how refusals are told.',
  { type: 'string' },
  'application/json',
)

export const OF_RECEIVERS = [
  ...SHARED,
  LIVE,
  QUEUE,
  TOPIC,
  ASK,
  WITHIN,
  query(
    'duplex',
    'What the other peer of a duplex pipe says; the letter says which of the two this one is.',
    DUPLEX,
    'b',
  ),
  query('ws', `With an upgrade: a WebSocket as one of the two peers of a duplex pipe; 426 without. ${ON}`, SWITCH, '1'),
  query('serve', `Take a question; the answer goes to its \`X-Pipe-Answer\`. ${ON}`, SWITCH, '1'),
  query('join', 'With `live`: begin at the next byte, also in WebM.', { type: 'string', enum: ['byte'] }, 'byte'),
  query('slow', 'With `live`: be cut rather than miss a part.', { type: 'string', enum: ['cut'] }, 'cut'),
  query('download', `Make it an attachment; off: no disposition. ${ON}`, SWITCH, '1'),
  query('filename', 'An attachment with this name.', { type: 'string', minLength: 1 }, 'report.pdf'),
  query('progress', `Watch: events, a page, or one snapshot. ${ON}`, SWITCH, '1'),
  query('history', 'With `progress`: begin with the speeds so far.', { type: 'string' }, '1'),
  STATUS,
  RECEIPT_OF,
  query('receive', `With \`Accept: text/html\`: a page to receive with. ${ON}`, SWITCH, '1'),
  query('video', `A page that plays the stream. ${ON}`, SWITCH, '1'),
  query('share', `A page that sends a screen, a camera or a microphone. ${ON}`, SWITCH, '1'),
  query('source', 'With `share`: what is captured.', word('screen', 'camera', 'microphone'), 'camera'),
  query('surface', 'With `share`: what is offered first.', word('monitor', 'window', 'browser'), 'window'),
  query('quality', 'With `share`: 360, 720 or 1080 lines.', word('low', 'medium', 'high'), 'medium'),
  query('audio', 'With `share`: which sound; also a switch.', { type: 'string' }, 'microphone'),
  query('fps', 'With `share`: pictures a second.', whole(1, 60, { default: 30 }), 30),
  query(
    'link',
    'Make a signed link, where the plugin `links` is loaded.',
    { type: 'string', enum: ['watch', 'receive'] },
    'watch',
  ),
  query('ttl', 'With `link`: seconds until it expires.', whole(1, 31_536_000), 3600),
  ACCEPT,
  header(
    'Upgrade',
    'With `ws`, as RFC 6455 has it, and the other headers of a handshake.',
    word('websocket'),
    'websocket',
  ),
  header(
    'Sec-WebSocket-Protocol',
    'With `ws`: the subprotocols that are offered. The first one of the first peer is that of the pipe.',
    { type: 'string' },
    'chat, superchat',
  ),
  header(
    'Range',
    'The stream from this byte on, when its length is known; other ranges are ignored.',
    { type: 'string' },
    'bytes=1000-',
  ),
  header(
    'Last-Event-ID',
    'With `progress`: the id of a transfer that was seen to end; 204.',
    { type: 'string' },
    'nightly-backup-0042',
  ),
]

export const OF_HEAD = [STATUS, RECEIPT_OF, ACCEPT]
