import { END_REASONS, endingOf, FAILURES, HEAD_FAILURES } from '../../gateway/host/plugin-api.js'

type Schema = Readonly<Record<string, unknown>>
type Named<T> = Readonly<Record<string, T>>

const text = (description: string, example: string, more: Schema = {}) => ({
  description,
  required: true,
  schema: { type: 'string', ...more },
  example,
})
const sometimes = (description: string, example: string, more: Schema = {}) => ({
  ...text(description, example, more),
  required: false,
})

const ID = '8JrCZUzMtGv3Qp0c2nWkXw'

/** Response headers, by name. `Content-Type` and `Content-Length` are not told of in this way. */
export const HEADERS = {
  'Access-Control-Allow-Origin': sometimes('`*`, or the origin that asks; without it that may not read this', '*'),
  'Access-Control-Allow-Credentials': sometimes('For an origin that is named', 'true'),
  'Access-Control-Expose-Headers': sometimes(
    'What scripts of other origins may read',
    'X-Pipe-Transfer-Id, X-Pipe-Code',
  ),
  'Access-Control-Allow-Methods': text('In the answer to a preflight', 'GET, HEAD, POST, PUT, DELETE, OPTIONS'),
  'Access-Control-Allow-Headers': text('In the answer to a preflight', 'Authorization, Content-Type'),
  'Access-Control-Max-Age': text('Seconds', '86400'),
  'Access-Control-Allow-Private-Network': sometimes('When asked for', 'true'),
  Vary: sometimes('The origin is looked at', 'Origin'),
  'Cache-Control': text('Nothing is kept', 'no-store'),
  'X-Content-Type-Options': text('Types are not guessed', 'nosniff', { const: 'nosniff' }),
  'X-Robots-Tag': text('Not for search engines', 'none', { const: 'none' }),
  'X-Accel-Buffering': text('nginx passes the stream on at once', 'no', { const: 'no' }),
  'X-Pipe-Transfer-Id': text("The transfer's id", ID),
  'X-Hoody-Pipe-Transfer-Id': text('The same', ID),
  'X-Pipe-Code': text('The code of the refusal', 'BAD_PARAMETER', { pattern: '^[A-Z][A-Z0-9_]*$' }),
  'X-Pipe-Live': sometimes('It is a live stream', '1', { const: '1' }),
  'X-Hoody-Pipe-Live': sometimes('The same', '1', { const: '1' }),
  'X-Pipe-Offset': sometimes('Of a live stream: place in it of the first byte, a header in front of it aside', '0', {
    pattern: '^[0-9]+$',
  }),
  'X-Pipe-Answer': sometimes(
    'With `serve`: where the answer goes, by PUT, once',
    'http://127.0.0.1:8080/q?answer=Kd3hoiH5TYKlkeLNTO5U3C_VAIR1zUiL',
  ),
  'X-Pipe-Ask-Method': sometimes('With `serve`: the method by which it was asked', 'POST'),
  'X-Piping': sometimes("The sender's, all values", 'anything'),
  'X-Hoody-Pipe': sometimes("The sender's, all values", 'anything'),
  'Content-Encoding': sometimes("The sender's", 'gzip'),
  'Content-Range': text('Which part it is, or how long the whole is', 'bytes 1000-1999/2000'),
  'Accept-Ranges': sometimes('The length is known, so that a download that is cut can go on', 'bytes'),
  'Content-Disposition': sometimes("The sender's, or as asked for", 'attachment; filename=report.pdf'),
  'Retry-After': text('Seconds', '5'),
  Allow: text('The methods that mean something here', 'GET, POST, PUT, OPTIONS'),
  Upgrade: text('What to ask for, or what it is now', 'websocket'),
  'Sec-WebSocket-Accept': text('What RFC 6455 makes of the key', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='),
  'Sec-WebSocket-Protocol': sometimes('The subprotocol of both peers', 'chat'),
  'WWW-Authenticate': sometimes('How to authenticate', 'Bearer'),
  'Referrer-Policy': sometimes('The address of a page, or of a link, stays here', 'no-referrer'),
  'Permissions-Policy': sometimes('Of a page that asks for a camera, a microphone or a screen', 'camera=(self)'),
  'Content-Security-Policy': text('Of a page', "default-src 'none'"),
  Connection: sometimes('The rest of the upload is dropped', 'close'),
} as const

export type Header = keyof typeof HEADERS

const CORS: readonly Header[] = [
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Credentials',
  'Access-Control-Expose-Headers',
  'Vary',
]
const PLAIN: readonly Header[] = ['Cache-Control', 'X-Content-Type-Options', 'X-Robots-Tag']

/** Those that every response has, and these. */
function headers(...names: readonly Header[]): Named<unknown> {
  return Object.fromEntries([...CORS, ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

export const STREAM: readonly Header[] = [
  ...PLAIN,
  'X-Accel-Buffering',
  'X-Pipe-Transfer-Id',
  'X-Hoody-Pipe-Transfer-Id',
]

export interface FailureDescription {
  readonly code: string
  readonly status: number
  readonly text: string
  /** It ends a transfer. */
  readonly isEnd?: true
}

/** Of plugins that are loaded without being asked for; others have theirs in their documentation. */
const OF_PLUGINS: readonly FailureDescription[] = [
  { code: 'MEDIA_BOTH', status: 400, text: '?live is for whoever comes, and ?n=3 for as many as that.' },
  { code: 'METRICS_UNAUTHORIZED', status: 401, text: 'The metrics need a token, and none was sent.' },
  { code: 'METRICS_UNREADABLE', status: 500, text: 'The metrics could not be collected.' },
  { code: 'PROGRESS_SPECTATORS', status: 429, text: '50 spectators already watch this name.' },
  { code: 'PROGRESS_NAMES', status: 429, text: '500 names are already being watched.' },
  { code: 'PROGRESS_BAD_ID', status: 400, text: 'No transfer has the id "x".' },
  { code: 'PROGRESS_UNKNOWN_TRANSFER', status: 404, text: 'No transfer with this id is known on this name.' },
]

/** A refusal that the port for HTTPS redirects has as well stands in both catalogues. */
const OF_GATEWAY = new Map(
  [...Object.values(FAILURES), ...Object.values(HEAD_FAILURES)].map((failure) => [failure.code, failure] as const),
)

/** Every way in which something is refused or fails, in the order of their codes. */
export const FAILURE_DESCRIPTIONS: readonly FailureDescription[] = [
  ...[...OF_GATEWAY.values()].map(({ code, status, message, hint }) => ({ code, status, text: `${message} ${hint}` })),
  ...END_REASONS.filter((reason) => reason !== 'complete').map((reason) => {
    const { status, line } = endingOf(reason, { endFailure: undefined })
    return { code: reason.toUpperCase(), status, text: line, isEnd: true as const }
  }),
  ...OF_PLUGINS,
].sort((a, b) => (a.code < b.code ? -1 : 1))

const MEANING: Named<string> = {
  400: 'The request is wrong, or does not fit the pipe on this name',
  401: 'A token is needed',
  403: 'The token, or the link, does not allow this, or a page of another origin asks',
  404: 'There is nothing',
  405: 'The method means nothing here',
  408: 'Nobody came in time',
  409: 'The id is in use, the name is something else now, or the place on it is taken',
  413: 'The body is too large',
  414: 'The name, or the request line, is too long',
  410: 'A browser asks by itself again for a download that was cut, or nobody waits for this answer',
  416: 'The stream has nothing of this range',
  417: 'The request expects what is not offered',
  421: 'The gateway does not answer to this host',
  426: 'Only a WebSocket can take that, and of version 13',
  429: 'Too many at once',
  431: 'A header is too long, or there are too many',
  500: 'A defect of the gateway or of a plugin',
  501: 'This gateway does not offer that, or does not know the coding or the method',
  502: 'The other side left',
  503: 'The gateway stops, or has no room',
  504: 'Nothing moved, or too slowly',
  505: 'Another version of HTTP',
}

/** The headers that belong to a status, besides those of every refusal. */
const MORE: Named<readonly Header[]> = {
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  416: ['Content-Range'],
  426: ['Upgrade'],
  429: ['Retry-After'],
  503: ['Retry-After'],
}

const OF_ENDS = new Set(FAILURE_DESCRIPTIONS.filter(({ isEnd }) => isEnd).map(({ status }) => `${status}`))
const AT_END = Object.fromEntries(
  (['X-Accel-Buffering', 'X-Pipe-Transfer-Id', 'X-Hoody-Pipe-Transfer-Id'] as const).map((name) => [
    name,
    { ...HEADERS[name], required: false },
  ]),
)

function refusal(status: string) {
  const codes = FAILURE_DESCRIPTIONS.filter((each) => `${each.status}` === status)
  const list = codes.map(({ code, text }) => `- \`${code}\`: ${text}`).join('\n')
  const example = codes[0] ?? {
    code: 'AUTH_BEARER_MISSING',
    status: Number(status),
    text: 'This gateway asks for a token.',
  }
  const { code, text: message } = example
  return {
    description: list === '' ? `${MEANING[status]}; the codes are those of plugins` : `${MEANING[status]}\n\n${list}`,
    headers: {
      ...headers(...PLAIN, 'X-Pipe-Code', ...(MORE[status] ?? []), 'Connection'),
      // With `reply=end` it is the sender's response.
      ...(OF_ENDS.has(status) ? AT_END : {}),
    },
    content: {
      'text/plain': { schema: { type: 'string', pattern: '^\\[' }, example: `[ERROR] ${message}\n` },
      'application/json': {
        schema: { $ref: '#/components/schemas/Error' },
        example: { error: { code, status: Number(status), message } },
      },
    },
  }
}

/** A response of each status that is no success, by status. */
export const REFUSALS = Object.fromEntries(Object.keys(MEANING).map((status) => [status, refusal(status)]))

export function refusals(...statuses: readonly number[]): Named<unknown> {
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/${status}` }]))
}

/** A response that is none of these. */
export function response(description: string, names: readonly Header[], content?: Named<unknown>) {
  return { description, headers: headers(...names), ...(content && { content }) }
}

/** A short answer of one type. */
export const plain = (
  description: string,
  type: string,
  schema: Schema,
  example: unknown,
  more: readonly Header[] = PLAIN,
) => response(description, more, { [type]: { schema, example } })

export { PLAIN }
