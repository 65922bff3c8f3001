import type { HeaderList } from '../../gateway/host/plugin-api.js'

/** What scripts of other origins may read besides the types and lengths that every browser shows them. */
const EXPOSED = [
  'X-Pipe-Transfer-Id',
  'X-Hoody-Pipe-Transfer-Id',
  'X-Pipe-Code',
  'X-Pipe-Live',
  'X-Hoody-Pipe-Live',
  'X-Pipe-Offset',
  'X-Pipe-Answer',
  'X-Pipe-Ask-Method',
  'Retry-After',
  'Content-Disposition',
  'Content-Range',
  'WWW-Authenticate',
  'Allow',
]

/** Every method that anything here answers: one that does not fit a path gets its 405, which the script can then read. */
const METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS'

/** What scripts may send. `*` would not cover `Authorization`, nor anything at all with credentials. */
const REQUEST_HEADERS = [
  'Accept',
  'Authorization',
  'Cache-Control',
  'Content-Disposition',
  'Content-Type',
  'Last-Event-ID',
  'Range',
  'X-Hoody-Pipe',
  'X-Pipe-Answer-Status',
  'X-Pipe-Size',
  'X-Piping',
]

const DAY_S = 86_400

const VARY = ['Vary', 'Origin'] as const
const EXPOSE = ['Access-Control-Expose-Headers', EXPOSED.join(', ')] as const

/** Frozen, so that they are looked at only once. For most requests there is nothing else to do. */
export const FOR_ANYBODY: HeaderList = Object.freeze([['Access-Control-Allow-Origin', '*'] as const, VARY, EXPOSE])
export const FOR_NOBODY: HeaderList = Object.freeze([VARY])

export function forOrigin(origin: string): HeaderList {
  return [['Access-Control-Allow-Origin', origin], ['Access-Control-Allow-Credentials', 'true'], VARY, EXPOSE]
}

/** @param privateNetwork the page comes from a public address and asks for one of a private network */
export function preflightHeaders(privateNetwork: boolean): HeaderList {
  return [
    ['Access-Control-Allow-Methods', METHODS],
    ['Access-Control-Allow-Headers', REQUEST_HEADERS.join(', ')],
    ['Access-Control-Max-Age', `${DAY_S}`],
    ...(privateNetwork ? [['Access-Control-Allow-Private-Network', 'true'] as const] : []),
  ]
}
