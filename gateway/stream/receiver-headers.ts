import type { StreamHead } from '../../core/index.js'
import type { HeaderList } from '../http/response/answer.js'
import { type DispositionOptions, receiverDisposition } from './disposition.js'
import { safeMediaType } from './media-type.js'
import { forwardedFields } from './stream-head.js'

/** The response headers of one receiver, except for Content-Length, which belongs to the framing. */
export function receiverHeaders(head: StreamHead, transferId: string, options: DispositionOptions): HeaderList {
  const type = safeMediaType(field(head, 'Content-Type'))
  const disposition = receiverDisposition(field(head, 'Content-Disposition'), type, options)
  const forwarded = forwardedFields(head)
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
    // Otherwise nginx buffers a slow stream before it passes it on.
    ['X-Accel-Buffering', 'no'],
  ]
}

function field(head: StreamHead, name: string): string | undefined {
  return head.fields.find(([each]) => each === name)?.[1]
}
