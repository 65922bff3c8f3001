import contentDisposition from 'content-disposition'
import { Refusal, type StreamHead } from '../../core/index.js'
import type { HeaderList } from '../http/answers.js'
import { FAILURES } from '../http/failures.js'
import type { RequestView } from '../http/request-view.js'

/** Fields that a sender's own headers hand on to receivers, all values of each. */
const FORWARDED: ReadonlyMap<string, string> = new Map([
  ['x-piping', 'X-Piping'],
  ['x-hoody-pipe', 'X-Hoody-Pipe'],
])
const MAX_FORWARDED = 8192

/** What each receiver may ask of its own response. */
export interface DispositionWish {
  /** `true`: attachment; `false`: no disposition; undefined: as the sender said. */
  readonly download: boolean | undefined
  readonly filename: string | undefined
}

/**
 * The head of the stream that this request will send.
 * @param length the request's Content-Length, undefined for a chunked body
 */
export function streamHead(request: RequestView, length: number | undefined): StreamHead | Refusal {
  const fields: [string, string][] = []
  let tooLong: Refusal | undefined
  request.eachHeader((name, value) => {
    const forwarded = FORWARDED.get(name)
    if (forwarded !== undefined) {
      if (value.length > MAX_FORWARDED) {
        tooLong ??= new Refusal(FAILURES.headerTooLong, {
          name: forwarded,
          found: value.length,
          expected: MAX_FORWARDED,
        })
      }
      fields.push([forwarded, clean(value)])
    }
  })
  for (const name of ['Content-Type', 'Content-Disposition']) {
    const value = clean(request.header(name.toLowerCase()))
    if (value !== '') fields.push([name, value])
  }
  return tooLong ?? { length, fields }
}

/**
 * The head of a stream that is a part of a form: what the request itself forwards, and the part's own type and file name.
 * @param type the part's Content-Type as Latin-1 text; empty when it has none
 */
export function partHead(request: StreamHead, type: string, filename: string | undefined): StreamHead {
  const fields = request.fields.filter(([name]) => FORWARDED.has(name.toLowerCase()))
  const own: [string, string][] = []
  if (clean(type) !== '') own.push(['Content-Type', clean(type)])
  if (filename !== undefined) own.push(['Content-Disposition', contentDisposition.create(safeFilename(filename))])
  return { length: undefined, fields: [...fields, ...own] }
}

/** What a part of a form is called, and the name of its file; undefined when this is no disposition of a form's part. */
export function partNames(disposition: string): { name: string; filename: string | undefined } | undefined {
  try {
    const { type, parameters } = contentDisposition.parse(disposition)
    if (type !== 'form-data') return undefined
    const { name = '', filename } = parameters
    // What a browser may not leave as it is in a quoted name: HTML standard, multipart/form-data encoding.
    return { name, filename: filename && unicode(filename).replace(/%(22|0D|0A)/gi, decodeURIComponent) }
  } catch {
    return undefined
  }
}

/**
 * Without line breaks and other control characters: uWebSockets writes what it is given. Nor anything beyond Latin-1: a
 * header leaves with one byte for each character, and of U+010A that byte is a line feed.
 */
function clean(value: string): string {
  return value.replace(/[^\x20-\x7e\x80-\xff]/g, '')
}

/** The response headers of one receiver. Content-Length is not among them: it belongs to the framing. */
export function receiverHeaders(head: StreamHead, transferId: string, wish: DispositionWish): HeaderList {
  const type = safeType(field(head, 'Content-Type'))
  const disposition = dispositionFor(field(head, 'Content-Disposition'), type, wish)
  const forwarded = head.fields.filter(([name]) => FORWARDED.has(name.toLowerCase()))
  const exposed = [...new Set(forwarded.map(([name]) => name))]
  return [
    ...(type === undefined ? [] : [['Content-Type', type] as const]),
    ...(disposition === undefined ? [] : [['Content-Disposition', disposition] as const]),
    ...forwarded,
    ...(exposed.length === 0 ? [] : [['Access-Control-Expose-Headers', exposed.join(', ')] as const]),
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Robots-Tag', 'none'],
    ['X-Pipe-Transfer-Id', transferId],
    ['X-Hoody-Pipe-Transfer-Id', transferId],
    ['Cache-Control', 'no-store'],
    // nginx would otherwise collect a slow stream before it passes it on.
    ['X-Accel-Buffering', 'no'],
  ]
}

function field(head: StreamHead, name: string): string | undefined {
  return head.fields.find(([each]) => each === name)?.[1]
}

/** `type/subtype` with well-formed parameters: RFC 9110 section 8.3.1. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
// White space before a semicolon belongs to that semicolon alone: with two ways to read it, a row of "; " costs 2^n steps.
const PARAMETER = `[ \\t]*;(?:[ \\t]*${TOKEN}=(?:${TOKEN}|"(?:[^"\\\\,]|\\\\[^,])*"))?`
const MEDIA_TYPE = new RegExp(`^(${TOKEN}/${TOKEN})((?:${PARAMETER})*)[ \\t]*$`)

/** Types that a browser would run, or that can hold one that it would: HTML standard, MIME sniffing section 4.6. */
const ACTIVE = new RegExp(
  `^(text/html|image/svg|(text|application)/(xml|xsl|xml-external-parsed-entity|xml-dtd|${'(x-)?(java|ecma)script(1\\.[0-5])?|jscript|livescript|vbscript'})|multipart/(x-mixed-replace|related)|message/rfc822|application/(x-)?xhtml|.*\\+xml)$`,
)

const SAFE_CHARSET =
  /;[ \t]*charset="?(utf-8|us-ascii|iso-8859-[0-9]{1,2}|windows-125[0-8]|shift_jis|euc-(?:jp|kr)|gb18030|gbk|big5|koi8-[ru])"?[ \t]*(?:;|$)/i

/** The type that receivers are told: never one that a browser would run in this gateway's name. */
export function safeType(type: string | undefined): string | undefined {
  if (type === undefined) return undefined
  const [, essence = '', parameters = ''] = MEDIA_TYPE.exec(type) ?? []
  // A value that is no media type, a list of two for example, is read in different ways by different browsers.
  if (essence === '') return 'application/octet-stream'
  if (!ACTIVE.test(essence.toLowerCase())) return type
  const charset = SAFE_CHARSET.exec(parameters)?.[1]
  return charset === undefined ? 'text/plain' : `text/plain; charset=${charset.toLowerCase()}`
}

/** Types that a browser shows without running anything. */
const INLINE = /^(?:(?:image|audio|video)\/[^;]*|text\/plain|application\/pdf)[ \t]*(?:;|$)/i

function dispositionFor(
  given: string | undefined,
  type: string | undefined,
  wish: DispositionWish,
): string | undefined {
  if (wish.download === false) return undefined
  if (wish.filename !== undefined) return contentDisposition.create(safeFilename(wish.filename))
  if (given === undefined) return wish.download === true ? 'attachment' : undefined
  const { kind, filename } = parseDisposition(given)
  const inline = kind === 'inline' && wish.download !== true && INLINE.test(type ?? '')
  const options = { type: inline ? 'inline' : 'attachment' }
  return contentDisposition.create(filename === undefined ? undefined : safeFilename(filename), options)
}

function parseDisposition(given: string): { kind: string; filename?: string | undefined } {
  try {
    const { type, parameters } = contentDisposition.parse(given)
    return { kind: type, filename: parameters.filename && unicode(parameters.filename) }
  } catch {
    return { kind: 'attachment' }
  }
}

/** Curl and others send names as raw UTF-8, which is Latin-1 text here; what is not UTF-8 was meant as it is. */
function unicode(latin1: string): string {
  if (/[^\x00-\xff]/.test(latin1)) return latin1
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(latin1, (each) => each.codePointAt(0)!))
  } catch {
    return latin1
  }
}

/** A name that is safe to save under: no path, no control or direction-changing characters, at most 255 characters. */
export function safeFilename(name: string): string {
  const safe = name
    .replace(/^.*[/\\]/s, '')
    // With the flag u, a surrogate is matched only where it stands alone.
    .replace(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd\ud800-\udfff]/gu, '')
    .replace(/^[. ]+/, '')
  const cut = [...safe].slice(0, 255).join('')
  return cut.replace(/[. ]+$/, '') || 'download'
}
