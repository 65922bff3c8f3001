import { IDLE } from '../transfer-status/idle.js'
import { LINES, LINK, RECEIPT } from './examples.js'
import { NAME, OF_HEAD, OF_RECEIVERS, OF_SENDERS } from './parameters.js'
import { type Header, PLAIN, plain, refusals, response, STREAM } from './responses.js'

const PAGE: readonly Header[] = [...PLAIN, 'Content-Security-Policy', 'Referrer-Policy']
const TEXT = { type: 'string' } as const
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

function send(operationId: string) {
  return {
    operationId,
    tags: ['pipes'],
    summary: 'Send',
    description:
      'The body is the stream, of known length or chunked. The answer starts at once and tells line by line what happens; when the ' +
      'transfer fails it ends with an `[ERROR]` line and is cut. With `reply=end` the status tells the outcome. With `ask` the response is ' +
      'the answer of a worker, of any type and status, with `serve&answer=ID` the next question, as for GET, and with `duplex` what the other ' +
      'peer says, as for GET.',
    parameters: [NAME, ...OF_SENDERS],
    requestBody: {
      required: true,
      content: {
        '*/*': { schema: {} },
        'application/octet-stream': { schema: {} },
        'text/plain': { schema: TEXT, example: 'hello\n' },
        'multipart/form-data': {
          schema: {
            type: 'object',
            description: 'The first file is the stream; without one `input_text` is, or else the first field.',
            properties: {
              input_file: { type: 'string', contentMediaType: 'application/octet-stream' },
              input_text: TEXT,
            },
          },
          example: { input_text: 'hello\n' },
        },
      },
    },
    responses: {
      200: plain('What happens, line by line', 'text/plain', TEXT, LINES, STREAM),
      ...refusals(
        400,
        401,
        403,
        404,
        405,
        408,
        409,
        410,
        413,
        414,
        417,
        421,
        426,
        429,
        431,
        500,
        501,
        502,
        503,
        504,
        505,
      ),
    },
  }
}

/** Headers of a stream that is received. */
const RECEIVED: readonly Header[] = [
  ...STREAM,
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Encoding',
  'X-Pipe-Live',
  'X-Hoody-Pipe-Live',
  'X-Pipe-Offset',
  'X-Pipe-Answer',
  'X-Pipe-Ask-Method',
  'X-Piping',
  'X-Hoody-Pipe',
]

const RECEIVER_REFUSALS = [
  400, 401, 403, 404, 405, 408, 409, 410, 413, 414, 416, 417, 421, 426, 429, 431, 500, 501, 502, 503, 504, 505,
]

const receive = {
  operationId: 'receive',
  tags: ['pipes'],
  summary: 'Receive, or watch',
  description:
    'Waits without a byte, then answers with the stream. With `progress`, `status`, `receive`, `video`, `share` or `link` it is no receiver and takes ' +
    "nobody's place.",
  parameters: [NAME, ...OF_RECEIVERS],
  responses: {
    101: response('`ws`: the WebSocket is open, and waits for the other peer', [
      'Upgrade',
      'Connection',
      'Sec-WebSocket-Accept',
      'Sec-WebSocket-Protocol',
    ]),
    200: {
      ...response('The stream, or what was asked for instead', [
        ...RECEIVED,
        'Content-Security-Policy',
        'Referrer-Policy',
        'Permissions-Policy',
      ]),
      content: {
        '*/*': { schema: {} },
        'text/event-stream': {
          schema: TEXT,
          'x-events': {
            state: ref('Snapshot'),
            progress: ref('Figures'),
            done: ref('Receipt'),
            history: ref('History'),
          },
          example: `event: state\ndata: ${JSON.stringify(IDLE)}\n\n`,
        },
        'application/json': {
          schema: { anyOf: [ref('Snapshot'), ref('Link')] },
          examples: {
            status: { summary: '?status', value: IDLE },
            last: { summary: '?status, after a transfer', value: { ...IDLE, last: RECEIPT } },
            link: { summary: '?link', value: LINK },
          },
        },
        'text/html': { schema: TEXT, example: '<!doctype html>' },
        'text/plain': { schema: TEXT, example: 'hello\n' },
      },
    },
    206: {
      ...response('The rest of the stream, for `Range`', [...RECEIVED, 'Content-Range']),
      content: { '*/*': { schema: {} } },
    },
    204: response('`Last-Event-ID` is of a transfer that is over', ['Cache-Control']),
    ...refusals(...RECEIVER_REFUSALS),
  },
}

const head = {
  operationId: 'lookBriefly',
  tags: ['pipes'],
  summary: 'The head of a snapshot',
  description: 'Only with `status`.',
  parameters: [NAME, ...OF_HEAD],
  responses: {
    200: response('As GET, without the body', PLAIN),
    ...refusals(400, 401, 403, 404, 405, 414, 417, 421, 429, 431, 500, 501, 503, 505),
  },
}

function options(operationId: string) {
  return {
    operationId,
    tags: ['operation'],
    summary: 'What is allowed',
    description:
      'With `Access-Control-Request-Method` it is a preflight, which is answered before anybody asks for a token.',
    parameters: [
      { name: 'Origin', in: 'header', schema: TEXT, example: 'https://app.example.org' },
      { name: 'Access-Control-Request-Method', in: 'header', schema: TEXT, example: 'PUT' },
      { name: 'Access-Control-Request-Private-Network', in: 'header', schema: { const: 'true' }, example: 'true' },
    ],
    responses: {
      204: response('Either `Allow`, or what a preflight asks for', [
        'Allow',
        'Access-Control-Allow-Methods',
        'Access-Control-Allow-Headers',
        'Access-Control-Max-Age',
        'Access-Control-Allow-Private-Network',
      ]),
      ...refusals(400, 404, 414, 417, 421, 429, 431, 500, 501, 503, 505),
    },
  }
}

/** A reserved name: it answers GET, HEAD and OPTIONS. */
function reserved(
  id: string,
  tag: string,
  summary: string,
  ok: object,
  statuses: readonly number[] = [],
  parameters: readonly object[] = [],
) {
  const operation = (method: string) => ({
    operationId: `${method}${id}`,
    tags: [tag],
    summary,
    ...(parameters.length > 0 && { parameters }),
    responses: { 200: ok, ...refusals(404, 417, 421, 429, 431, 500, 501, 503, 505, ...statuses) },
  })
  return { get: operation('get'), head: operation('head'), options: options(`options${id}`) }
}

const page = (description: string, example = '<!doctype html>') => plain(description, 'text/html', TEXT, example, PAGE)

/** Paths below the prefix; all but health and metrics answer without it as well. */
export const PATHS = {
  '/{name}': {
    get: receive,
    head,
    put: send('send'),
    post: send('sendByPost'),
    options: options('optionsOfName'),
  },
  '/': reserved('SendPage', 'pages', 'A page to send with', {
    ...page('The page; the text of `help` where the operator has switched pages off'),
    content: {
      'text/html': { schema: TEXT, example: '<!doctype html>' },
      'text/plain': { schema: TEXT, example: 'curl -T file http://…\n' },
    },
  }),
  '/noscript': reserved(
    'Form',
    'pages',
    'A form to send with, for browsers without scripts',
    page('The page'),
    [],
    [
      { name: 'name', in: 'query', description: 'Where the form sends to', schema: TEXT, example: 'jobs' },
      { name: 'path', in: 'query', description: 'The same, when there is no `name`', schema: TEXT, example: 'jobs' },
      { name: 'n', in: 'query', description: 'Receivers that it waits for', schema: TEXT, example: '3' },
      { name: 'mode', in: 'query', description: 'Only this form: `file` or `text`', schema: TEXT, example: 'text' },
      { name: 'wait', in: 'query', description: 'Seconds for which it waits', schema: TEXT, example: '60' },
      { name: 'sha256', in: 'query', description: 'Hash the stream', schema: TEXT, example: '1' },
    ],
  ),
  '/help': reserved(
    'Help',
    'pages',
    'How to use this',
    plain('The text', 'text/plain', TEXT, 'curl -T file http://…\n'),
  ),
  '/version': reserved(
    'Version',
    'operation',
    'The version of this program',
    plain('The version', 'text/plain', TEXT, '1.0.0\n'),
  ),
  '/favicon.ico': reserved(
    'Icon',
    'pages',
    'The icon',
    response('The icon', [...PLAIN, 'Content-Security-Policy'], {
      'image/svg+xml': { schema: TEXT, example: '<svg/>' },
    }),
  ),
  '/robots.txt': reserved(
    'Robots',
    'pages',
    'For search engines',
    plain('Nothing for them', 'text/plain', TEXT, 'User-agent: *\nDisallow: /\n'),
  ),
  '/openapi.json': reserved(
    'OpenApi',
    'operation',
    'This document',
    plain('OpenAPI 3.1', 'application/json', { type: 'object' }, { openapi: '3.1.0' }),
  ),
  '/health': reserved(
    'Health',
    'operation',
    'How the gateway is: below the prefix only',
    plain('It takes new work', 'application/json', ref('Health'), {
      status: 'ok',
      waiting: 0,
      streaming: 0,
      heldBytes: 0,
      uptimeSec: 60,
    }),
  ),
  '/metrics': reserved(
    'Metrics',
    'operation',
    'For Prometheus: below the prefix only',
    plain('The numbers', 'text/plain', TEXT, 'pipegate_pipes{state="waiting"} 0\n', [
      'Cache-Control',
      'X-Content-Type-Options',
    ]),
    [401],
  ),
} as const
