import { isServed, type PipeView, type Range, type StreamHead } from '../../core/index.js'
import type { HeaderList } from '../http/response/answer.js'
import { ANSWER_STATUS, ASK_METHOD } from './ask-fields.js'
import { type DispositionOptions, receiverDisposition } from './disposition.js'
import { safeMediaType } from './media-type.js'
import { fieldOf, forwardedFields } from './stream-head.js'

export interface ReceiverOptions extends DispositionOptions {
  /** What it asks for of the stream. */
  readonly range?: Range | undefined
  /** Where a worker sends its answer to, up to the name of that answer. */
  readonly answerAddress?: string | undefined
}

/** Status and headers of a receiver's response, except for Content-Length, which belongs to the framing. */
export interface ReceiverHead {
  readonly status: number
  readonly headers: HeaderList
}

/**
 * The head of one receiver's response.
 * @param offset place in the stream of its first byte
 */
export function receiverHead(
  head: StreamHead,
  { transferId, kind, answerId }: Pick<PipeView, 'transferId' | 'kind' | 'answerId'>,
  offset: number,
  options: ReceiverOptions,
): ReceiverHead {
  const answerTo = answerId === undefined ? undefined : `${options.answerAddress}${answerId}`
  const own = answerTo === undefined ? [] : questionHeaders(head, answerTo)
  const headers = [...receiverHeaders(head, transferId, options, own), ...(kind === 'live' ? liveHeaders(offset) : [])]
  if (kind === 'ask') return { status: Number(fieldOf(head, ANSWER_STATUS) ?? 200), headers }
  const { length } = head
  // No part of a job can be had, nor of what has no end that is known.
  if (length === undefined || kind === 'queue') return { status: 200, headers }
  const accepts = ['Accept-Ranges', 'bytes'] as const
  const { range } = options
  if (range === undefined || !isServed(range, length)) return { status: 200, headers: [...headers, accepts] }
  const contentRange = ['Content-Range', `bytes ${range.first}-${length - 1}/${length}`] as const
  return { status: 206, headers: [...headers, contentRange, accepts] }
}

function liveHeaders(offset: number): HeaderList {
  return [
    ['X-Pipe-Live', '1'],
    ['X-Hoody-Pipe-Live', '1'],
    ['X-Pipe-Offset', String(offset)],
  ]
}

function questionHeaders(head: StreamHead, answerTo: string): HeaderList {
  return [
    [ASK_METHOD, fieldOf(head, ASK_METHOD) ?? 'GET'],
    ['X-Pipe-Answer', answerTo],
  ]
}

/** @param own headers of its kind, which scripts may read too */
function receiverHeaders(
  head: StreamHead,
  transferId: string,
  options: DispositionOptions,
  own: HeaderList,
): HeaderList {
  // Without a type a browser would guess one, and name the file after it.
  const untyped = options.download === true ? 'application/octet-stream' : undefined
  const type = safeMediaType(fieldOf(head, 'Content-Type')) ?? untyped
  const disposition = receiverDisposition(fieldOf(head, 'Content-Disposition'), type, options)
  const forwarded = forwardedFields(head)
  const encoding = fieldOf(head, 'Content-Encoding')
  return [
    ...(type === undefined ? [] : [['Content-Type', type] as const]),
    ...(encoding === undefined ? [] : [['Content-Encoding', encoding] as const]),
    ...(disposition === undefined ? [] : [['Content-Disposition', disposition] as const]),
    ...forwarded,
    ...own,
    ...(forwarded.length + own.length === 0 ? [] : [exposing(forwarded, own)]),
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Robots-Tag', 'none'],
    ['X-Pipe-Transfer-Id', transferId],
    ['X-Hoody-Pipe-Transfer-Id', transferId],
    ['Cache-Control', 'no-store'],
    // Otherwise nginx buffers a slow stream before it passes it on.
    ['X-Accel-Buffering', 'no'],
  ]
}

/** A script of another origin may read these. */
function exposing(...lists: readonly HeaderList[]): HeaderList[number] {
  const names = new Set(lists.flat().map(([name]) => name))
  return ['Access-Control-Expose-Headers', [...names].join(', ')]
}
